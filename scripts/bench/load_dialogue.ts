/**
 * The client's side of one SMTP connection of the load generator, as a function of the replies (RFC 5321 §4.1, with
 * pipelining as in RFC 2920 where the server offers it). Knows no sockets; `load.ts` sends what a step says.
 * @module
 */

/** One complete reply of the server. */
export interface Reply {
  readonly code: number;
  readonly lines: readonly string[];
}

/** What became of one message. */
export type Outcome =
  | { readonly kind: "accepted"; readonly recipients: number; readonly refusedRecipients: number }
  | { readonly kind: "refused"; readonly reply: string; readonly refusedRecipients: number };

/** Where a connection stands. */
export interface Dialogue {
  readonly phase: "greeting" | "ehlo" | "envelope" | "message" | "quit";
  /** Whether the whole envelope goes out at once; false until the server has offered it. */
  readonly pipelining: boolean;
  readonly mayPipeline: boolean;
  /** MAIL, one RCPT or more, DATA: the lines of the message under way. */
  readonly commands: readonly string[];
  readonly answered: number;
  readonly recipients: number;
  /** The first refusal of the message under way. */
  readonly refusal: string | undefined;
}

/** What to do after a reply. */
export type Step =
  | { readonly kind: "send"; readonly dialogue: Dialogue; readonly text: string }
  | { readonly kind: "payload"; readonly dialogue: Dialogue }
  | { readonly kind: "wait"; readonly dialogue: Dialogue }
  | { readonly kind: "ended"; readonly dialogue: Dialogue; readonly outcome: Outcome }
  | { readonly kind: "closed" };

/** A connection that waits for its greeting, with the envelope of the first message. */
export function beginDialogue(commands: readonly string[], mayPipeline: boolean): Dialogue {
  const nothing = { answered: 0, recipients: 0, refusal: undefined };
  return { phase: "greeting", pipelining: false, mayPipeline, commands, ...nothing };
}

/** The command lines of one message. */
export function envelopeCommands(reversePath: string, recipients: readonly string[]): readonly string[] {
  return [`MAIL FROM:<${reversePath}>\r\n`, ...recipients.map((path) => `RCPT TO:<${path}>\r\n`), "DATA\r\n"];
}

/** Starts the next message on a connection whose message before was accepted. */
export function beginMessage(dialogue: Dialogue, commands: readonly string[]): Step {
  const next: Dialogue = { ...dialogue, phase: "envelope", commands, answered: 0, recipients: 0, refusal: undefined };
  return { kind: "send", dialogue: next, text: next.pipelining ? commands.join("") : commands[0] ?? "" };
}

/** Says goodbye. */
export function endDialogue(dialogue: Dialogue): Step {
  return { kind: "send", dialogue: { ...dialogue, phase: "quit" }, text: "QUIT\r\n" };
}

/** The next step after a reply. */
export function onReply(dialogue: Dialogue, reply: Reply): Step {
  switch (dialogue.phase) {
    case "greeting":
      if (reply.code !== 220) return refused(dialogue, reply);
      return { kind: "send", dialogue: { ...dialogue, phase: "ehlo" }, text: "EHLO load.example\r\n" };
    case "ehlo": {
      if (reply.code !== 250) return refused(dialogue, reply);
      const offered = reply.lines.some((line) => line.slice(4).toUpperCase() === "PIPELINING");
      return beginMessage({ ...dialogue, pipelining: dialogue.mayPipeline && offered }, dialogue.commands);
    }
    case "envelope":
      return onEnvelopeReply(dialogue, reply);
    case "message":
      if (reply.code !== 250 || dialogue.recipients === 0) return refused(dialogue, reply);
      return { kind: "ended", dialogue, outcome: accepted(dialogue) };
    case "quit":
      return { kind: "closed" };
  }
}

function onEnvelopeReply(before: Dialogue, reply: Reply): Step {
  const last = before.commands.length - 1;
  const good = before.answered === last ? reply.code === 354 : reply.code === 250 || reply.code === 251;
  const dialogue: Dialogue = {
    ...before,
    answered: before.answered + 1,
    recipients: before.recipients + (good && before.answered > 0 && before.answered < last ? 1 : 0),
    refusal: before.refusal ?? (good ? undefined : textOf(reply)),
  };
  if (before.answered === last) {
    if (!good) return refused(dialogue, reply);
    const message: Dialogue = { ...dialogue, phase: "message" };
    // A 354 without a recipient is answered by an empty message (RFC 2920 §3.1).
    return dialogue.recipients > 0
      ? { kind: "payload", dialogue: message }
      : { kind: "send", dialogue: message, text: ".\r\n" };
  }
  if (dialogue.pipelining) return { kind: "wait", dialogue };
  if (before.answered === 0 && !good) return refused(dialogue, reply);
  if (dialogue.answered === last && dialogue.recipients === 0) return refused(dialogue, reply);
  return { kind: "send", dialogue, text: dialogue.commands[dialogue.answered] ?? "" };
}

function accepted(dialogue: Dialogue): Outcome {
  const refusedRecipients = dialogue.commands.length - 2 - dialogue.recipients;
  return { kind: "accepted", recipients: dialogue.recipients, refusedRecipients };
}

function refused(dialogue: Dialogue, reply: Reply): Step {
  const outcome: Outcome = {
    kind: "refused",
    reply: dialogue.refusal ?? textOf(reply),
    refusedRecipients: dialogue.commands.length - 2,
  };
  return { kind: "ended", dialogue, outcome };
}

function textOf(reply: Reply): string {
  return (reply.lines.at(-1) ?? "").slice(0, 200);
}

/** Cuts the complete replies off the front of what has arrived; `rest` is to stand before what arrives next. */
export function takeReplies(text: string): { readonly replies: readonly Reply[]; readonly rest: string } {
  const replies: Reply[] = [];
  let lines: string[] = [];
  let start = 0;
  for (let at = 0, end = text.indexOf("\n"); end >= 0; at = end + 1, end = text.indexOf("\n", at)) {
    const line = text.slice(at, text[end - 1] === "\r" ? end - 1 : end);
    lines.push(line);
    if (line[3] === "-") continue;
    replies.push({ code: Number(line.slice(0, 3)), lines });
    lines = [];
    start = end + 1;
  }
  return { replies, rest: text.slice(start) };
}
