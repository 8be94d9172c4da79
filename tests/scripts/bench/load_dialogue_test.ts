import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import {
  beginDialogue,
  envelopeCommands,
  onReply,
  type Outcome,
  takeReplies,
} from "../../../scripts/bench/load_dialogue.ts";

/** Gives the server's lines to a dialogue; answers what it sent and what became of the message. */
function play(recipients: readonly string[], lines: readonly string[]): { sent: string; outcome: Outcome | undefined } {
  let dialogue = beginDialogue(envelopeCommands("a@a.example", recipients), true);
  let sent = "";
  let outcome: Outcome | undefined;
  for (const reply of takeReplies(lines.map((line) => `${line}\r\n`).join("")).replies) {
    const step = onReply(dialogue, reply);
    if (step.kind === "closed") break;
    if (step.kind === "send") sent += step.text.replaceAll("\r\n", "|");
    if (step.kind === "payload") sent += "PAYLOAD|";
    if (step.kind === "ended") outcome = step.outcome;
    dialogue = step.dialogue;
  }
  return { sent, outcome };
}

const open = ["220 b.example", "250 b.example"];
const openPipelining = ["220 b.example", "250-b.example", "250-PIPELINING", "250 8BITMIME"];

describe("onReply()", () => {
  it("sends the envelope line by line where PIPELINING is not offered", () => {
    assertEquals(
      play(["x@b.example"], [...open, "250 ok", "250 ok"]).sent,
      "EHLO load.example|MAIL FROM:<a@a.example>|RCPT TO:<x@b.example>|DATA|",
    );
  });

  it("sends the whole envelope at once where PIPELINING is offered", () => {
    assertEquals(
      play(["x@b.example"], openPipelining).sent,
      "EHLO load.example|MAIL FROM:<a@a.example>|RCPT TO:<x@b.example>|DATA|",
    );
  });

  it("counts a message as accepted at the 250 after it, without its refused recipients", () => {
    const lines = ["250 ok", "250 ok", "550 no such user", "354 go on", "250 queued"];
    const want: Outcome = { kind: "accepted", recipients: 1, refusedRecipients: 1 };
    assertEquals(play(["x@b.example", "y@b.example"], [...open, ...lines]).outcome, want);
    assertEquals(play(["x@b.example", "y@b.example"], [...openPipelining, ...lines]).outcome, want);
  });

  it("answers a 354 without a recipient by an empty message and does not count it", () => {
    const { sent, outcome } = play(["x@b.example"], [...openPipelining, "250 ok", "550 no", "354 go on", "250 queued"]);
    assertEquals(sent.endsWith("DATA|.|"), true);
    assertEquals(outcome, { kind: "refused", reply: "550 no", refusedRecipients: 1 });
  });

  const refusals: { lines: string[]; reply: string }[] = [
    { lines: ["421 too busy"], reply: "421 too busy" },
    { lines: ["220-wait", "554 go away"], reply: "554 go away" },
    { lines: ["220 b.example", "502 no"], reply: "502 no" },
    { lines: [...open, "451 later"], reply: "451 later" },
    { lines: [...open, "250 ok", "550 no"], reply: "550 no" },
    { lines: [...open, "250 ok", "250 ok", "451 later"], reply: "451 later" },
    { lines: [...open, "250 ok", "250 ok", "354 go on", "452 full"], reply: "452 full" },
    { lines: [...openPipelining, "451 later", "503 no", "503 no"], reply: "451 later" },
    { lines: [...open, "what?"], reply: "what?" },
  ];
  for (const { lines, reply } of refusals) {
    it(`counts a message as refused after ${lines.join(" / ")}`, () => {
      assertEquals(play(["x@b.example"], lines).outcome, { kind: "refused", reply, refusedRecipients: 1 });
    });
  }
});

describe("takeReplies()", () => {
  it("does not care where the octets are cut", () => {
    const text = "250-a\r\n250-b\r\n250 c\r\n354 go on\r\n";
    for (let cut = 0; cut <= text.length; cut++) {
      const first = takeReplies(text.slice(0, cut));
      const second = takeReplies(first.rest + text.slice(cut));
      assertEquals([...first.replies, ...second.replies], takeReplies(text).replies);
    }
    assertEquals(takeReplies(text).replies.map((reply) => reply.code), [250, 354]);
  });
});
