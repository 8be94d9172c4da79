import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { longestAgeSeconds, stsModes } from "../../../components/lib/sts/policy_text.ts";
import type { RawHead } from "../../../components/lib/wire/frame.ts";
import { ProtocolError } from "../../../components/lib/wire/server.ts";
import {
  formatKeptPolicy,
  type KeptPolicy,
  parseKeptPolicy,
  parseStsMemoryRequest,
} from "../../../components/lib/wire/sts_memory_protocol.ts";

const text = "version: STSv1\nmode: enforce\nmx: *.mx.example\nmax_age: 86400";
const good = { op: "remember", domain: "x.example", policyId: "2026a", fetchedSeconds: 7, text };
const kept: KeptPolicy = {
  domain: "x.example",
  known: {
    id: "2026a",
    policy: { mode: "enforce", mx: ["*.mx.example"], maxAgeSeconds: 86_400 },
    fetchedSeconds: 7,
  },
};
const parse = (head: RawHead) => parseStsMemoryRequest({ head, body: new Uint8Array(0) });

describe("what is kept for mta-sts", () => {
  it("is read, and written the same way", () => {
    assertEquals(parse(good), { op: "remember", kept });
    assertEquals(formatKeptPolicy(kept), good);
    assertEquals(parse({ op: "recall", id: 3 }), { op: "recall", id: 3 });
  });

  const refusals: readonly (readonly [string, RawHead])[] = [
    ["another request", { op: "policy", id: 1 }],
    ["a question without an id", { op: "recall" }],
    ["no domain", { ...good, domain: undefined }],
    ["a path", { ...good, domain: "../x" }],
    ["a domain in capitals", { ...good, domain: "X.example" }],
    ["an address", { ...good, domain: "[192.0.2.1]" }],
    ["an id that no record may have", { ...good, policyId: "a b" }],
    ["no id", { ...good, policyId: "" }],
    ["a time before time", { ...good, fetchedSeconds: -1 }],
    ["half a second", { ...good, fetchedSeconds: 0.5 }],
    ["a text that is no policy", { ...good, text: "mode: enforce" }],
    ["a line that is none", { ...good, text: `${text}\n\0` }],
    ["a very long text", { ...good, text: text + " ".repeat(70_000) }],
    ["no text", { ...good, text: 7 }],
  ];
  for (const [what, head] of refusals) {
    it(`is not ${what}`, () => assert(assertThrows(() => parse(head)) instanceof ProtocolError));
  }

  it("is the same after it was written and read, whatever the policy", () => {
    const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
    const domain = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => `${labels.join(".")}.example`);
    const pattern = fc.tuple(fc.boolean(), domain).map(([isWild, name]) => isWild ? `*.${name}` : name);
    const policies = fc.record({
      domain,
      known: fc.record({
        id: fc.stringMatching(/^[A-Za-z0-9]{1,32}$/),
        fetchedSeconds: fc.maxSafeNat(),
        policy: fc.record({
          mode: fc.constantFrom(...stsModes),
          mx: fc.array(pattern, { minLength: 1, maxLength: 10 }),
          maxAgeSeconds: fc.nat(longestAgeSeconds),
        }),
      }),
    });
    fc.assert(fc.property(policies, (one) => {
      const read = JSON.parse(JSON.stringify(formatKeptPolicy(one))) as RawHead;
      // What else is in an object made by fast-check is not compared.
      assertEquals(JSON.stringify(formatKeptPolicy(parseKeptPolicy(read))), JSON.stringify(read));
    }));
  });
});
