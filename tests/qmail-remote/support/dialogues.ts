/**
 * Dialogues between qmail-remote and servers of every kind, each played twice: against the pure session, and by the
 * real processes. `C:` is a line the client must send, `C* ` a whole message, `S:` what the server sends; `S* close`
 * ends the connection, `S* silence` says nothing more. `C~ QUIT` stands
 * where the client says QUIT in time, unless there is another message for the connection. Lines of the client stand where the server would read them: what
 * is pipelined comes before the first answer to it.
 */
export interface Dialogue {
  readonly name: string;
  readonly sender?: string;
  readonly recipients?: readonly string[];
  readonly content?: string;
  readonly lines: string;
  /** Verdict and text, one a recipient. */
  readonly want: readonly string[];
}

const hello = `
S: 220 mx.example ESMTP
C: EHLO me.example
S: 250 mx.example
`;
const pipelined = `
S: 220-mx.example ESMTP
S: 220 come in
C: EHLO me.example
S: 250-mx.example
S: 250-SIZE 10000
S: 250-8bitmime
S: 250-X-WHAT EVER
S: 250 PIPELINING
`;
const group = `
C: MAIL FROM:<s@s.example> SIZE=19
C: RCPT TO:<a@r.example>
C: RCPT TO:<b@r.example>
C: DATA
`;
const two = ["a@r.example", "b@r.example"];
const ip = "127.0.0.1";
const died = `ZConnected to ${ip} but connection died. (#4.4.2)\n`;
const duplicate = `ZConnected to ${ip} but connection died. Possible duplicate! (#4.4.2)\n`;
const malformed = `ZConnected to ${ip} but its reply was malformed. (#4.5.0)\n`;

export const dialogues: readonly Dialogue[] = [
  {
    name: "step by step, with a server that has no extensions",
    lines: `${hello}
C: MAIL FROM:<s@s.example>
S: 250 ok
C: RCPT TO:<a@r.example>
S: 250 ok
C: DATA
S: 354 go ahead
C* Subject: x^^..dot^
S: 250 2.0.0 queued
C~ QUIT`,
    content: "Subject: x\n\n.dot\n",
    want: [`K${ip} accepted message.\nRemote host said: 250 2.0.0 queued\n`],
  },
  {
    name: "a server that knows only HELO",
    lines: `
S: 220 old.example
C: EHLO me.example
S: 502 what?
C: HELO me.example
S: 250 old.example
C: MAIL FROM:<>
S: 250 ok
C: RCPT TO:<a@r.example>
S: 251 forwarded
C: DATA
S: 354 go
C* x^
S: 250-two
S: 250 lines
C~ QUIT`,
    sender: "",
    content: "x\n",
    want: [`K${ip} accepted message.\nRemote host said: 250-two\n250 lines\n`],
  },
  {
    name: "the envelope in one write where the server has PIPELINING",
    lines: `${pipelined}${group}
S: 250 ok
S: 250 ok
S: 250 ok
S: 354 go
C* Subject: x^^hello^
S: 250 queued
C~ QUIT`,
    recipients: two,
    content: "Subject: x\n\nhello",
    want: [
      `K${ip} accepted message.\nRemote host said: 250 queued\n`,
      `K${ip} accepted message.\nRemote host said: 250 queued\n`,
    ],
  },
  {
    name: "some recipients refused",
    lines: `${hello}
C: MAIL FROM:<s@s.example>
S: 250 ok
C: RCPT TO:<ok@r.example>
S: 250 ok
C: RCPT TO:<nosuch@r.example>
S: 550-no such user
S: 550 really
C: RCPT TO:<later@r.example>
S: 451 later
C: DATA
S: 354 go
C* x^
S: 250 2.0.0 queued
C~ QUIT`,
    recipients: ["ok@r.example", "nosuch@r.example", "later@r.example"],
    content: "x\n",
    want: [
      `K${ip} accepted message.\nRemote host said: 250 2.0.0 queued\n`,
      `D${ip} does not like recipient.\nRemote host said: 550-no such user\n550 really\n`,
      `Z${ip} does not like recipient.\nRemote host said: 451 later\n`,
    ],
  },
  {
    name: "every recipient refused",
    lines: `${hello}
C: MAIL FROM:<s@s.example>
S: 250 ok
C: RCPT TO:<a@r.example>
S: 550 no
C: RCPT TO:<b@r.example>
S: 450 busy
C~ QUIT`,
    recipients: two,
    want: [
      `D${ip} does not like recipient.\nRemote host said: 550 no\nGiving up on ${ip}.\n`,
      `Z${ip} does not like recipient.\nRemote host said: 450 busy\nGiving up on ${ip}.\n`,
    ],
  },
  {
    name: "every recipient refused, pipelined",
    lines: `${pipelined}${group}
S: 250 ok
S: 550 no
S: 551 no
S: 554 no valid recipients
C~ QUIT`,
    recipients: two,
    content: "Subject: x\n\nhello",
    want: [
      `D${ip} does not like recipient.\nRemote host said: 550 no\nGiving up on ${ip}.\n`,
      `D${ip} does not like recipient.\nRemote host said: 551 no\nGiving up on ${ip}.\n`,
    ],
  },
  {
    name: "DATA granted though every recipient was refused",
    lines: `${pipelined}${group}
S: 250 ok
S: 550 no
S: 551 no
S: 354 go
C: .
C: QUIT`,
    recipients: two,
    content: "Subject: x\n\nhello",
    want: [
      `D${ip} does not like recipient.\nRemote host said: 550 no\nGiving up on ${ip}.\n`,
      `D${ip} does not like recipient.\nRemote host said: 551 no\nGiving up on ${ip}.\n`,
    ],
  },
  ...["554 go away", "421 busy", "250 what", "221 bye"].map((reply): Dialogue => ({
    name: `a greeting of ${reply}`,
    lines: `S: ${reply}\nC: QUIT`,
    want: [`ZConnected to ${ip} but greeting failed.\nRemote host said: ${reply}\n`],
  })),
  {
    name: "EHLO deferred",
    lines: "S: 220 x\nC: EHLO me.example\nS: 421 busy\nC: QUIT",
    want: [`ZConnected to ${ip} but my name was rejected.\nRemote host said: 421 busy\n`],
  },
  {
    name: "HELO refused",
    lines: "S: 220 x\nC: EHLO me.example\nS: 500 no\nC: HELO me.example\nS: 550 bad name\nC: QUIT",
    want: [`ZConnected to ${ip} but my name was rejected.\nRemote host said: 550 bad name\n`],
  },
  ...[["451 later", "Z"], ["553 never", "D"], ["354 what", "Z"]].map(([reply, verdict]): Dialogue => ({
    name: `MAIL answered with ${reply}`,
    lines: `${hello}C: MAIL FROM:<s@s.example>\nS: ${reply}\nC: QUIT`,
    want: [`${verdict}Connected to ${ip} but sender was rejected.\nRemote host said: ${reply}\n`],
  })),
  {
    name: "MAIL refused in a pipeline: nothing that may become content is said",
    lines: `${pipelined}${group}\nS: 550 no\nS: 503 no MAIL\nS: 503 no MAIL\nS: 354 go`,
    recipients: two,
    content: "Subject: x\n\nhello",
    want: two.map(() => `DConnected to ${ip} but sender was rejected.\nRemote host said: 550 no\n`),
  },
  ...[["451 later", "Z"], ["554 never", "D"], ["250 what", "Z"]].map(([reply, verdict]): Dialogue => ({
    name: `DATA answered with ${reply}`,
    lines: `${hello}
C: MAIL FROM:<s@s.example>
S: 250 ok
C: RCPT TO:<a@r.example>
S: 250 ok
C: RCPT TO:<b@r.example>
S: 450 later
C: DATA
S: ${reply}
C~ QUIT`,
    recipients: two,
    want: [
      `${verdict}${ip} failed on DATA command.\nRemote host said: ${reply}\n`,
      `Z${ip} does not like recipient.\nRemote host said: 450 later\n` +
      `${ip} failed on DATA command.\nRemote host said: ${reply}\n`,
    ],
  })),
  ...[["451 later", "Z"], ["554 never", "D"], ["354 more", "Z"]].map(([reply, verdict]): Dialogue => ({
    name: `the message answered with ${reply}`,
    lines: `${hello}
C: MAIL FROM:<s@s.example>
S: 250 ok
C: RCPT TO:<a@r.example>
S: 250 ok
C: DATA
S: 354 go
C* x^
S: ${reply}
C~ QUIT`,
    want: [`${verdict}${ip} failed after I sent the message.\nRemote host said: ${reply}\n`],
  })),
  { name: "a close instead of a greeting", lines: "S* close", want: [died] },
  { name: "a close after the greeting", lines: "S: 220 x\nC: EHLO me.example\nS* close", want: [died] },
  { name: "a close after EHLO", lines: `${hello}C: MAIL FROM:<s@s.example>\nS* close`, want: [died] },
  {
    name: "a close after MAIL",
    lines: `${hello}C: MAIL FROM:<s@s.example>\nS: 250 ok\nC: RCPT TO:<a@r.example>\nS* close`,
    want: [died],
  },
  {
    name: "a close after a refused recipient",
    lines: `${hello}C: MAIL FROM:<s@s.example>\nS: 250 ok\nC: RCPT TO:<a@r.example>\nS: 550 no
C: RCPT TO:<b@r.example>\nS* close`,
    recipients: two,
    want: [`D${ip} does not like recipient.\nRemote host said: 550 no\n`, died],
  },
  {
    name: "a close after DATA",
    lines: `${hello}C: MAIL FROM:<s@s.example>\nS: 250 ok\nC: RCPT TO:<a@r.example>\nS: 250 ok\nC: DATA\nS* close`,
    want: [died],
  },
  {
    name: "a close after the message",
    lines: `${hello}C: MAIL FROM:<s@s.example>\nS: 250 ok\nC: RCPT TO:<a@r.example>\nS: 250 ok\nC: DATA
S: 354 go\nC* x^\nS* close`,
    want: [duplicate],
  },
  {
    name: "silence after the message",
    lines: `${hello}C: MAIL FROM:<s@s.example>\nS: 250 ok\nC: RCPT TO:<a@r.example>\nS: 250 ok\nC: DATA
S: 354 go\nC* x^\nS* silence`,
    want: [duplicate],
  },
  { name: "silence instead of a greeting", lines: "S* silence", want: [died] },
  { name: "a greeting of no reply", lines: "S: hello", want: [malformed] },
  { name: "a greeting of 999", lines: "S: 999 hello", want: [malformed] },
  { name: "a greeting of 25", lines: "S: 25", want: [malformed] },
  { name: "a greeting of two codes", lines: "S: 220-a\nS: 554 b", want: [malformed] },
  { name: "a greeting of a thousand lines", lines: "S: 220-x\n".repeat(1000), want: [malformed] },
  {
    name: "no reply to the message",
    lines: `${hello}C: MAIL FROM:<s@s.example>\nS: 250 ok\nC: RCPT TO:<a@r.example>\nS: 250 ok\nC: DATA
S: 354 go\nC* x^\nS: nonsense`,
    want: [`ZConnected to ${ip} but its reply was malformed. Possible duplicate! (#4.5.0)\n`],
  },
  {
    name: "control octets in a reply",
    lines: "S: 554 a\0b\x1b]0;c\x07\rd\x7f\x80\nC: QUIT",
    want: [`ZConnected to ${ip} but greeting failed.\nRemote host said: 554 a?b?]0;c??d?\x80\n`],
  },
  {
    name: "a reply longer than a report keeps",
    lines: `S: 554-${"x".repeat(3000)}\nS: 554 ${"y".repeat(3000)}\nC: QUIT`,
    want: [
      `ZConnected to ${ip} but greeting failed.\nRemote host said: 554-${"x".repeat(3000)}\n554 ${"y".repeat(1991)}\n`,
    ],
  },
  {
    name: "TLS offered and refused, where nobody demands it",
    lines: `
S: 220 x
C: EHLO me.example
S: 250-x
S: 250-STARTTLS
S: 250 AUTH PLAIN
C: STARTTLS
S: 454 not now
C: MAIL FROM:<s@s.example>
S: 250 ok
C: RCPT TO:<a@r.example>
S: 250 ok
C: DATA
S: 354 go
C* x^
S: 250 queued
C~ QUIT`,
    want: [`K${ip} accepted message.\nRemote host said: 250 queued\n`],
  },
  {
    name: "a message larger than the server takes",
    lines: "S: 220 x\nC: EHLO me.example\nS: 250-x\nS: 250 SIZE 10\nC~ QUIT",
    content: "0123456789\n",
    want: [`D${ip} accepts 10 bytes, the message has 11. (#5.3.4)\n`],
  },
  {
    name: "8-bit content, said to a server that asked",
    lines: `S: 220 x\nC: EHLO me.example\nS: 250-x\nS: 250 8BITMIME
C: MAIL FROM:<s@s.example> BODY=8BITMIME
S: 250 ok\nC: RCPT TO:<a@r.example>\nS: 250 ok\nC: DATA\nS: 354 go\nC* \xc3\xa4^\nS: 250 ok\nC~ QUIT`,
    content: "\xc3\xa4\n",
    want: [`K${ip} accepted message.\nRemote host said: 250 ok\n`],
  },
  {
    name: "an internationalized recipient, and a server without SMTPUTF8",
    lines: `${hello}C: MAIL FROM:<s@s.example>\nS: 250 ok\nC: RCPT TO:<a@r.example>\nS: 250 ok\nC: DATA
S: 354 go\nC* x^\nS: 250 ok\nC~ QUIT`,
    recipients: ["\xc3\xa4@r.example", "a@r.example"],
    want: [
      `D${ip} does not support internationalized addresses. (#5.6.7)\n`,
      `K${ip} accepted message.\nRemote host said: 250 ok\n`,
    ],
  },
  {
    name: "an internationalized recipient, and a server with SMTPUTF8",
    lines: `S: 220 x\nC: EHLO me.example\nS: 250-x\nS: 250 SMTPUTF8
C: MAIL FROM:<s@s.example> SMTPUTF8
S: 250 ok\nC: RCPT TO:<\xc3\xa4@r.example>\nS: 250 ok\nC: DATA\nS: 354 go\nC* x^\nS: 250 ok\nC~ QUIT`,
    recipients: ["\xc3\xa4@r.example"],
    want: [`K${ip} accepted message.\nRemote host said: 250 ok\n`],
  },
  {
    name: "an internationalized sender, and a server without SMTPUTF8",
    lines: `${hello}C~ QUIT`,
    sender: "\xc3\xa4@s.example",
    want: [`D${ip} does not support internationalized addresses. (#5.6.7)\n`],
  },
  {
    name: "addresses that SMTP cannot write",
    lines: `${hello}C~ QUIT`,
    recipients: ["a\r\nDATA@r.example"],
    want: [`DSorry, the recipient's address cannot be given in SMTP. (#5.1.3)\nGiving up on ${ip}.\n`],
  },
  {
    name: "a sender that SMTP cannot write",
    lines: `${hello}C~ QUIT`,
    sender: "a> SIZE=1\nRSET@s.example",
    want: [`DSorry, the sender's address cannot be given in SMTP. (#5.1.7)\n`],
  },
  {
    name: "local parts that need quotes, and the sender of a double bounce",
    lines: `${hello}C: MAIL FROM:<>\nS: 250 ok\nC: RCPT TO:<"a b\\"c\\\\@d"@r.example>\nS: 550 no\nC~ QUIT`,
    sender: "#@[]",
    recipients: ['a b"c\\@d@r.example'],
    want: [`D${ip} does not like recipient.\nRemote host said: 550 no\nGiving up on ${ip}.\n`],
  },
];

/** One line of a dialogue. */
export type Turn =
  | { readonly kind: "client line"; readonly text: string }
  | { readonly kind: "client message"; readonly text: string }
  | { readonly kind: "client may"; readonly text: string }
  | { readonly kind: "server line"; readonly text: string }
  | { readonly kind: "server close" }
  | { readonly kind: "server silence" };

/** The lines of a dialogue; a message's `^` has become CRLF. */
export function turnsOf(dialogue: Dialogue): Turn[] {
  return dialogue.lines.split("\n").filter((line) => line !== "").map((line): Turn => {
    const [mark, text] = [line.slice(0, 2), line.slice(3)];
    if (mark === "C:") return { kind: "client line", text };
    if (mark === "C*") return { kind: "client message", text: text.replaceAll("^", "\r\n") };
    if (mark === "C~") return { kind: "client may", text };
    if (mark === "S:") return { kind: "server line", text };
    return { kind: text === "close" ? "server close" : "server silence" };
  });
}

/** What a dialogue sends, where it does not matter what. */
export const defaults = { sender: "s@s.example", recipients: ["a@r.example"], content: "x\n" };
