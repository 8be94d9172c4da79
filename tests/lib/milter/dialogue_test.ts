import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { ClientNote } from "../../../components/lib/filters/filter.ts";
import type { SessionFacts } from "../../../components/lib/milter/commands.ts";
import { converse, type MilterOutcome } from "../../../components/lib/milter/dialogue.ts";
import { type Packet, PacketReader } from "../../../components/lib/milter/packet.ts";
import { toOctets } from "../../../components/lib/octets.ts";
import { ScannerError } from "../../../components/lib/scanners/failure.ts";
import { splitMail } from "../../../components/lib/scanners/mail.ts";
import { answer, negotiates, number, type Said, type Script, script, ScriptedMilter } from "./scripted_milter.ts";

const client: ClientNote = {
  entrance: "submission",
  ip: "192.0.2.7",
  helo: "client.example",
  host: "host.example",
  login: "joe",
  tls: true,
  relaying: true,
};
const facts: SessionFacts = { client, me: "mx.example", id: "id-1" };
const content = "Subject: hi\n there\nTo:x\n\none\ntwo\n";

interface Played {
  readonly outcome: MilterOutcome;
  readonly milter: ScriptedMilter;
}

/** One conversation, without a socket. */
function play(
  script: Script,
  { mail = content, own = facts }: { mail?: string; own?: SessionFacts } = {},
): Played {
  const milter = new ScriptedMilter(script);
  const recipients = ["a@x.example", "a b@x.example"];
  const dialogue = converse({ sender: "s@x.example", recipients, mail: splitMail(toOctets(mail))! }, own);
  const reader = new PacketReader();
  const packets: Packet[] = [];
  let step = dialogue.next();
  while (step.done !== true) {
    for (const piece of step.value.write) {
      const read = reader.push(milter.push(piece));
      if (!read.ok) throw new ScannerError(read.error);
      packets.push(...read.value);
    }
    step = dialogue.next(step.value.waits ? packets.shift() : undefined);
  }
  assertEquals(packets, []);
  return { outcome: step.value, milter };
}

describe("converse()", () => {
  it("tells a milter of the whole message, in the protocol's order, with the macros milters ask for", () => {
    const { outcome, milter } = play(script());
    assertEquals(outcome, { kind: "pass", changes: [] });
    assertEquals(milter.heard, [
      ["O", number(6) + number(0x5f) + number(0x1ff7ff)],
      [
        "D",
        "Cj\0mx.example\0v\0dqmail\0{daemon_name}\0submission\0{client_addr}\x00192.0.2.7\0{client_name}\0host.example\0" +
        "{client_ptr}\0host.example\0",
      ],
      ["C", "host.example\x004\0\x00192.0.2.7\0"],
      ["H", "client.example\0"],
      ["D", "Mi\0id-1\0{auth_type}\0SASL\0{auth_authen}\0joe\0{mail_addr}\0s@x.example\0"],
      ["M", "<s@x.example>\0"],
      ["D", "Ri\0id-1\0{rcpt_addr}\0a@x.example\0"],
      ["R", "<a@x.example>\0"],
      ["D", 'Ri\0id-1\0{rcpt_addr}\0"a b"@x.example\0'],
      ["R", '<"a b"@x.example>\0'],
      ["D", "Ti\0id-1\0"],
      ["T", ""],
      ["L", "Subject\0hi\n there\0"],
      ["L", "To\0x\0"],
      ["D", "Ni\0id-1\0"],
      ["N", ""],
      ["B", "one\r\ntwo\r\n"],
      ["D", "Ei\0id-1\0"],
      ["E", ""],
      ["Q", ""],
    ]);
  });

  const connects: readonly (readonly [string, ClientNote | undefined, string])[] = [
    [
      "a client without a name",
      { ...client, host: undefined } as unknown as ClientNote,
      "[192.0.2.7]\x004\0\x00192.0.2.7\0",
    ],
    ["IPv6", { ...client, ip: "2001:db8::7" }, "host.example\x006\0\x002001:db8::7\0"],
    ["a client whose address nobody knows", { ...client, ip: "unknown" }, "host.example\0U"],
    ["a program of this machine", { ...client, entrance: "local", ip: "unknown" }, "localhost\x004\0\x00127.0.0.1\0"],
    ["nobody", undefined, "localhost\x004\0\x00127.0.0.1\0"],
    ["a name with a NUL", { ...client, host: "a\0b" }, "a_b\x004\0\x00192.0.2.7\0"],
  ];
  for (const [who, client, want] of connects) {
    it(`introduces ${who}`, () => {
      const { milter } = play(script(), { own: { ...facts, client } });
      assertEquals(milter.heard.find(([letter]) => letter === "C"), ["C", want]);
    });
  }

  it("leaves the blank behind a colon where the milter asks for it, and says no octet of a field twice", () => {
    const { milter } = play(script({ O: negotiates(0x100000) }), { mail: "A:  1\nB \t:2\nC: x\0y\n\tz\n\n" });
    assertEquals(
      milter.heard.filter(([letter]) => letter === "L"),
      [
        ["L", "A\0  1\0"],
        ["L", "B\x002\0"],
        ["L", "C\0 x_y\n\tz\0"],
      ] satisfies Said[],
    );
  });

  const leftOut: readonly (readonly [string, number, string])[] = [
    ["connect", 0x1, "OHMRRTLLNBEQ"],
    ["HELO", 0x2, "OCMRRTLLNBEQ"],
    ["MAIL", 0x4, "OCHRRTLLNBEQ"],
    ["RCPT", 0x8, "OCHMTLLNBEQ"],
    ["the body", 0x10, "OCHMRRTLLNEQ"],
    ["the header", 0x20, "OCHMRRTNBEQ"],
    ["the end of the header", 0x40, "OCHMRRTLLBEQ"],
    ["DATA", 0x200, "OCHMRRLLNBEQ"],
    ["all of it", 0x27f, "OEQ"],
  ];
  for (const [what, steps, letters] of leftOut) {
    it(`leaves out ${what} for a milter that can do without`, () => {
      assertEquals(play(script({ O: negotiates(steps) })).milter.letters, letters);
    });
  }

  it("waits for no answer where the milter gives none", () => {
    const quiet = Object.fromEntries([..."CHMRTLNB"].map((letter) => [letter, ""]));
    const { outcome, milter } = play(script({ ...quiet, O: negotiates(0x000ff080) }));
    assertEquals([outcome, milter.letters], [{ kind: "pass", changes: [] }, "OCHMRRTLLNBEQ"]);
  });

  it("says no DATA to a milter from before there was one", () => {
    assertEquals(play(script({ O: negotiates(0, 1, 3) })).milter.letters, "OCHMRRLLNBEQ");
  });

  it("stops with the body where the milter has heard enough of it", () => {
    const mail = `A: 1\n\n${"x".repeat(200_000)}\n`;
    assertEquals(play(script({ B: answer("s") }), { mail }).milter.letters, "OCHMRRTLNBEQ");
    assertEquals(play(script(), { mail }).milter.letters, "OCHMRRTLNBBBBEQ");
  });

  it("cuts a field that is longer than milters read", () => {
    const { milter } = play(script(), { mail: `A: ${"x".repeat(100_000)}\n\n` });
    assertEquals(milter.heard.find(([letter]) => letter === "L")?.[1].length, 60_000 + 2);
  });

  const refusals: readonly (readonly [string, string, unknown])[] = [
    ["r", answer("r"), { kind: "refuse", code: 31, text: "Dmessage refused by a filter (#5.7.1)" }],
    ["t", answer("t"), { kind: "refuse", code: 71, text: "Za filter asks to try again later (#4.7.1)" }],
    ["4", answer("4"), { kind: "refuse", code: 71, text: "Za filter asks to try again later (#4.7.1)" }],
    ["d", answer("d"), { kind: "discard" }],
    ["q", answer("q", "virus\0"), {
      kind: "refuse",
      code: 31,
      text: "Dmessage was to be put in quarantine (#5.7.1)",
    }],
    ["a", answer("a"), { kind: "pass", changes: [] }],
    ["550 5.7.9 text", answer("y", "550 5.7.9 no, thank you\0"), {
      kind: "refuse",
      code: 31,
      text: "Dno, thank you (#5.7.9)",
    }],
    ["450 text", answer("y", "450 greylisted\0"), { kind: "refuse", code: 71, text: "Zgreylisted (#4.7.1)" }],
    ["550 4.1.1", answer("y", "550 4.1.1 which?\0"), { kind: "refuse", code: 31, text: "Dwhich? (#5.7.1)" }],
    [
      "a reply with other octets",
      answer("y", "550 5.7.1 \xe9\x1b[2J\r\n550 5.7.1 250 ok\0"),
      { kind: "refuse", code: 31, text: "D? [2J 5.7.1 250 ok (#5.7.1)" },
    ],
  ];
  for (const [what, octets, want] of refusals) {
    it(`takes ${what} as its word on the message, at any stage, and says goodbye`, () => {
      for (const stage of "CHMRTLNBE") {
        const { outcome, milter } = play(script({ [stage]: answer("p") + octets }));
        assertEquals(outcome as unknown, want, stage);
        assert(milter.letters.endsWith(`${stage}Q`), stage);
      }
    });
  }

  it("collects the changes of the end", () => {
    const said = answer("h", "X-A\x001\0") + answer("p") + answer("b", "new\r\n") + answer("-", "<a@x.example>\0") +
      answer("a");
    assertEquals(play(script({ E: said })).outcome, {
      kind: "pass",
      changes: [
        { kind: "add field", field: { name: "X-A", value: " 1" } },
        { kind: "body", octets: "new\r\n" },
        { kind: "delete recipient", address: "a@x.example" },
      ],
    });
  });

  const breaches: readonly (readonly [string, Partial<Record<string, string>>])[] = [
    ["hangs up at once", { O: "" }],
    ["hangs up in the middle", { R: "" }],
    ["hangs up before its last word", { E: answer("h", "X-A\x001\0") }],
    ["does not negotiate", { O: answer("c") }],
    ["speaks version 1", { O: negotiates(0, 1, 1) }],
    ["sends 4 GB", { C: number(0xffffffff) + "c" }],
    ["sends nothing in a packet", { C: number(0) }],
    ["changes a message before its end", { H: answer("h", "X-A\x001\0") }],
    ["changes what it did not ask for", { O: negotiates(0, 1), E: answer("b", "new") + answer("c") }],
    ["skips a command", { H: answer("s") }],
    ["skips the end", { E: answer("s") }],
    ["slips a field in", { E: answer("h", "X-A\x001\nBcc: joe@x.example\0") + answer("c") }],
    ["slips a recipient in", { E: answer("+", "<a@x.example>\n<b@x.example>\0") + answer("c") }],
    ["sends the body of another", { E: answer("b", "x".repeat(60_000)).repeat(80) + answer("c") }],
    ["adds thousands of fields", { E: answer("h", "X-A\x001\0").repeat(1001) + answer("c") }],
    ["adds thousands of recipients", { E: answer("+", "<a@x.example>\0").repeat(1001) + answer("c") }],
    ["says it is busy, and nothing else", { M: answer("p").repeat(30_000) }],
    ["changes its body without end", { E: answer("b", "").repeat(30_000) }],
    ["answers what nobody knows", { M: answer("Z") }],
  ];
  for (const [what, special] of breaches) {
    it(`gives up on a milter that ${what}`, () => {
      const error = assertThrows(() => play(script(special)));
      assert(error instanceof ScannerError, String(error));
    });
  }

  it("ends in an outcome or an error of its own, whatever a milter answers", () => {
    const octets = fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
      maxLength: 30,
    });
    const said = fc.oneof(
      octets,
      fc.tuple(fc.constantFrom(..."cartdsp4yhimb+-eq"), octets).map(([letter, data]) => answer(letter, data)),
    );
    const answered = fc.array(fc.oneof(fc.constant(answer("c")), said), { maxLength: 30 });
    fc.assert(fc.property(answered, (answers) => {
      let next = 0;
      try {
        play((letter) => letter === "O" ? negotiates() : letter === "D" ? "" : answers[next++] ?? "");
      } catch (error) {
        // Answers nobody has asked for are left over.
        if (!(error instanceof ScannerError) && (error as Error).name !== "AssertionError") throw error;
      }
    }));
  });
});
