/**
 * Tables of questions to one rule each; `want` is "accept", or the reason and the reply.
 * @module
 */
import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import type { ControlFile } from "../../../config/schema.ts";
import type { ClientFacts } from "../../../components/lib/policy/decision.ts";
import { type Asked, mailDecision, rcpt, said } from "./questions.ts";

export interface Row extends Asked {
  readonly name: string;
  readonly want: string;
}

/** Questions about one RCPT each, with these control files. */
export function rcptTable(
  rule: string,
  rows: readonly Row[],
  controls: Readonly<Partial<Record<ControlFile, string>>> = {},
) {
  describe(`the rule ${rule}`, () => {
    for (const { name, want, ...question } of rows) {
      it(name, async () => {
        assertEquals(said(await rcpt({ ...question, controls: { ...controls, ...question.controls } })), want);
      });
    }
  });
}

/** What tcprules set for a client. */
export const env = (variables: Readonly<Record<string, string>>): Pick<ClientFacts, "environment"> => ({
  environment: new Map(Object.entries(variables)),
});

/** Questions about one MAIL each. */
export function mailTable(rule: string, rows: readonly Row[]) {
  describe(`the rule ${rule}`, () => {
    for (const { name, want, ...question } of rows) {
      it(name, async () => assertEquals(said(await mailDecision(question)), want));
    }
  });
}
