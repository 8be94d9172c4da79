/**
 * Reading deno's records of permission checks (`DENO_AUDIT_PERMISSIONS`), and holding them against a grant. A record says
 * what was asked, not what was answered; what a grant covers decides that.
 * @module
 */
import { join } from "@std/path";
import { coversAddress } from "../../components/lib/permissions/decide.ts";
import type { Rights } from "../../components/lib/permissions/grant.ts";

/** One check: its kind and the path, address, program or name it was about. */
export interface Asked {
  readonly kind: string;
  readonly value: string;
}

/** What a component was asked, each once. Deno begins the file anew with each process. */
export function readAudit(auditDir: string, name: string): Asked[] {
  const lines = Deno.readTextFileSync(join(auditDir, `${name}.jsonl`)).split("\n").filter((line) => line !== "");
  return [...new Set(lines)].map((line) => {
    const { permission, value } = JSON.parse(line) as { permission: string; value: unknown };
    return { kind: permission, value: String(value) };
  });
}

/** Whether `entry` of a grant is what lets a check of `kind` about `value` pass. */
export function covers(kind: string, entry: string, value: string): boolean {
  switch (kind) {
    case "read":
    case "write": {
      const path = entry.replace(/\/$/, "");
      return value.replace(/\/$/, "") === path || value.startsWith(`${path}/`);
    }
    case "net":
      return coversAddress(entry, value);
    default:
      return entry === value;
  }
}

/** The checks that nothing of the grant covers, a line each. */
export function outside(asked: readonly Asked[], rights: Rights): string[] {
  return asked
    .filter(({ kind, value }) => {
      const entries = (rights as unknown as Readonly<Record<string, readonly string[] | undefined>>)[kind] ?? [];
      return !entries.some((entry) => covers(kind, entry, value));
    })
    .map(({ kind, value }) => `${kind} ${value}`);
}

/** The entries of the grant that no check needed, a line each. */
export function unused(asked: readonly Asked[], rights: Rights): string[] {
  return (["read", "write", "net", "run", "sys"] as const).flatMap((kind) =>
    rights[kind]
      .filter((entry) => !asked.some((check) => check.kind === kind && covers(kind, entry, check.value)))
      .map((entry) => `${kind} ${entry}`)
  );
}
