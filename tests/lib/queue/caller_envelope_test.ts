import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { toOctets } from "../../../components/lib/octets.ts";
import { CallerEnvelope, type EnvelopeState, longestEnvelope } from "../../../components/lib/queue/caller_envelope.ts";

function read(...pieces: readonly string[]): { state: EnvelopeState; ended: number } {
  const reader = new CallerEnvelope();
  let state: EnvelopeState = { kind: "more" };
  for (const piece of pieces) state = reader.push(toOctets(piece));
  return { state, ended: reader.endedCode() };
}

const whole = (sender: string, ...recipients: string[]): EnvelopeState => ({
  kind: "whole",
  envelope: { sender, recipients },
});
const refused = (code: number): EnvelopeState => ({ kind: "refused", code });
const more: EnvelopeState = { kind: "more" };

describe("CallerEnvelope", () => {
  const longest = "x".repeat(1002);
  const rows: readonly { name: string; input: string; want: EnvelopeState }[] = [
    { name: "sender and recipients", input: "Fa@b\0Tc@d\0Te@f\0\0", want: whole("a@b", "c@d", "e@f") },
    { name: "the null reverse-path", input: "F\0Tc@d\0\0", want: whole("", "c@d") },
    { name: "no recipient", input: "Fa@b\0\0", want: whole("a@b") },
    { name: "octets over 127, kept as they are", input: "F\xe9\0T\xff\0\0", want: whole("\xe9", "\xff") },
    { name: "an empty recipient", input: "Fa\0T\0\0", want: whole("a", "") },
    { name: "what follows the end, ignored", input: "Fa\0\0Tx\0", want: whole("a") },
    { name: "addresses of 1002 octets", input: `F${longest}\0T${longest}\0\0`, want: whole(longest, longest) },
    { name: "a sender of 1003", input: `F${longest}x\0\0`, want: refused(11) },
    { name: "a recipient of 1003", input: `Fa\0T${longest}x\0\0`, want: refused(11) },
    { name: "a recipient that never ends", input: `Fa\0T${longest}x`, want: refused(11) },
    { name: "more octets than an envelope may have", input: `F\0${`T${longest}\0`.repeat(2092)}`, want: refused(31) },
    { name: "a NUL at once", input: "\0", want: refused(91) },
    { name: "a recipient first", input: "Ta\0\0", want: refused(91) },
    { name: "two senders", input: "Fa\0Fb\0\0", want: refused(91) },
    { name: "an unknown letter", input: "Fa\0Xb\0\0", want: refused(91) },
    { name: "a message in the envelope's place", input: "Subject: x\n\n", want: refused(91) },
    { name: "nothing", input: "", want: more },
    { name: "an end within an address", input: "Fa@b\0Tc", want: more },
    { name: "an end before the last NUL", input: "Fa@b\0Tc@d\0", want: more },
  ];
  for (const { name, input, want } of rows) it(`reads ${name}`, () => assertEquals(read(input).state, want));

  it("answers 54 for an end too early, and the refusal's code after one", () => {
    assertEquals([read("Fa\0Tb\0").ended, read("").ended, read("X").ended], [54, 54, 91]);
  });

  it("takes a hundred thousand recipients", () => {
    const names = Array.from({ length: 100_000 }, (_, at) => `user${at}@example`);
    const envelope = `F\0${names.map((name) => `T${name}\0`).join("")}\0`;
    assertEquals(envelope.length < longestEnvelope, true);
    assertEquals(read(envelope).state, whole("", ...names));
  });

  it("answers the same wherever the pieces end", () => {
    const octets = fc.string({ unit: fc.constantFrom("F", "T", "a", "\0", "\xff"), maxLength: 12 });
    fc.assert(
      fc.property(fc.array(octets), (pieces) => assertEquals(read("Fs\0", ...pieces), read(`Fs\0${pieces.join("")}`))),
    );
  });
});
