/**
 * Somebody in between who takes TLS away: what each policy makes of it, against a server that says in the clear what it was
 * told to, and would take the message.
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { createServer, type Socket } from "node:net";
import { type Case, decide } from "./support/tls_policies.ts";
import { converse, reportsOf } from "./support/conversation.ts";

/** What it answers EHLO and STARTTLS with; undefined: it closes. */
interface Tampering {
  readonly ehlo: string;
  readonly starttls: string | undefined;
}

const stripped: Tampering = { ehlo: "250 mx.example.test", starttls: "502 what?" };
const refused: Tampering = { ehlo: "250-mx.example.test\r\n250 STARTTLS", starttls: "454 not now" };
const broken: Tampering = { ehlo: "250-mx.example.test\r\n250 STARTTLS", starttls: "220 go on" };
const closed: Tampering = { ehlo: "250-mx.example.test\r\n250 STARTTLS", starttls: undefined };

class Middle implements AsyncDisposable {
  readonly #server = createServer();
  readonly #sockets = new Set<Socket>();
  /** Whether it was given an envelope in the clear. */
  heardMail = false;

  static async start(tampering: Tampering): Promise<Middle> {
    const middle = new Middle();
    middle.#server.on("connection", (socket: Socket) => middle.#serve(socket, tampering));
    await new Promise<void>((resolve) => middle.#server.listen(0, "127.0.0.1", resolve));
    return middle;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  #serve(socket: Socket, { ehlo, starttls }: Tampering): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    const say = (text: string) => socket.write(`${text}\r\n`);
    say("220 mx.example.test ESMTP");
    let text = "";
    let inContent = false;
    let inHandshake = false;
    socket.on("data", (chunk: Uint8Array) => {
      if (inHandshake) return void say("500 that was no TLS");
      text += new TextDecoder("latin1").decode(chunk);
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
        const line = text.slice(0, end).trimEnd();
        text = text.slice(end + 1);
        if (inContent) {
          if (line === ".") inContent = false;
          if (line === ".") say("250 queued");
        } else if (line.startsWith("EHLO")) say(ehlo);
        else if (line === "STARTTLS") {
          if (starttls === undefined) socket.end();
          else say(starttls);
          inHandshake = starttls?.startsWith("220") === true;
        } else if (line === "DATA") {
          inContent = true;
          say("354 go on");
        } else {
          if (line.startsWith("MAIL")) this.heardMail = true;
          say("250 ok");
        }
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

const host = "mx.example.test";
const tlsa = { status: "ok", authenticated: true, records: [{ value: `3 1 1 ${"ab".repeat(32)}` }] } as const;
const unusable = { ...tlsa, records: [{ value: `0 0 1 ${"ab".repeat(32)}` }] };
const policies: readonly { readonly name: string; readonly given: Case; readonly goesPlain: boolean }[] = [
  { name: "no policy", given: {}, goesPlain: true },
  { name: "MTA-STS in testing mode", given: { sts: { kind: "policy", mode: "testing", mx: [host] } }, goesPlain: true },
  { name: "MTA-STS", given: { sts: { kind: "policy", mode: "enforce", mx: [host] } }, goesPlain: false },
  { name: "DANE", given: { exchanger: { authenticated: true }, tlsa }, goesPlain: false },
  { name: "DANE of no use", given: { exchanger: { authenticated: true }, tlsa: unusable }, goesPlain: false },
  { name: "encrypt", given: { wish: { level: "encrypt" } }, goesPlain: false },
  { name: "verify", given: { wish: { level: "verify" } }, goesPlain: false },
];
const tamperings: readonly (readonly [string, Tampering])[] = [
  ["STARTTLS is taken out of the reply to EHLO", stripped],
  ["STARTTLS is refused", refused],
  ["the handshake is broken", broken],
  ["the connection is closed in place of the handshake", closed],
];

describe("where TLS is taken away", () => {
  for (const { name, given, goesPlain } of policies) {
    for (const [how, tampering] of tamperings) {
      it(`${name} ${goesPlain ? "lets mail go in the clear" : "keeps mail back, and has it counted"}: ${how}`, async () => {
        await using middle = await Middle.start(tampering);
        const { to: policy } = await decide(given);
        if (typeof policy === "string") throw new Error(policy);
        const outcome = await converse(middle.port, { policy, host });
        const [report = ""] = reportsOf(outcome);
        assertEquals([middle.heardMail, report[0]], goesPlain ? [true, "K"] : [false, "Z"], report);
        // Where mail went again, on a connection of its own, that one has nothing to tell.
        if (!goesPlain) assert(outcome.seen.flaw !== undefined, report);
      });
    }
  }
});
