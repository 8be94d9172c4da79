/**
 * Random SMTP sessions against the pure server, in step with a client that knows only the rules: one reply for each
 * command, no reply within content or a chunk, content that ends at CRLF "." CRLF or with its declared octets alone, no
 * message but with the envelope that was accepted, and its content as sent. Then the same octets in pieces cut anywhere.
 *
 * `deno run -A tests/fuzz/smtpd.ts --sessions 100000 --minutes 10 --seed 1` (whichever comes first; 0 minutes: no limit).
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { fromOctets } from "../../components/lib/octets.ts";
import type { Policy } from "../../components/lib/policy/decision.ts";
import { FakeAuthenticator } from "../qmail-smtpd/fake_authenticator.ts";
import { PureServer } from "../qmail-smtpd/pure_server.ts";
import { Random } from "./random.ts";
import { randomContent, randomLine, randomResponse, randomSettings, sensibleLine } from "./smtpd_grammar.ts";

export interface Totals {
  sessions: number;
  commands: number;
  replies: number;
  queued: number;
  /** Of the process, at the most, in MiB. */
  rssMiB: number;
}

/** Beyond this something is kept that should not be. */
const mostMiB = 200;

/** An address of its own for each sender and recipient, so that an envelope tells where each came from. */
class CountingPolicy implements Policy {
  last = "";
  #count = 0;
  connect(): { kind: "accept"; address: string } {
    return { kind: "accept", address: "" };
  }
  helo = this.connect;
  mail(): { kind: "accept"; address: string } {
    return { kind: "accept", address: this.last = `m${++this.#count}` };
  }
  rcpt(): { kind: "accept"; address: string } {
    return { kind: "accept", address: this.last = `r${++this.#count}` };
  }
}

function check(isRight: boolean, what: string): void {
  if (!isRight) throw new Error(what);
}

/** A client in step with one server. */
class SteppingClient {
  readonly server: PureServer;
  sent = "";
  replies = "";
  commands = 0;
  wasSecured = false;
  readonly #random: Random;
  readonly #policy = new CountingPolicy();
  readonly #isLmtp: boolean;
  #sender: string | undefined;
  #recipients: string[] = [];
  #chunks: string | undefined;

  constructor(random: Random) {
    this.#random = random;
    const settings = randomSettings(random);
    this.#isLmtp = settings.dialect === "lmtp";
    this.options = {
      settings,
      policy: this.#policy,
      authenticator: new FakeAuthenticator(),
      secured: random.oneIn(4),
      bound: random.oneIn(2),
      code: random.oneIn(6) ? 53 : 0,
    };
    this.server = new PureServer(this.options);
  }

  readonly options: ConstructorParameters<typeof PureServer>[0];

  async run(): Promise<void> {
    await this.server.begin();
    this.#take(1);
    const length = this.#random.pick([5, 20, 60]);
    for (let at = 0; at < length && !this.server.closed; at++) await this.#command();
  }

  async #send(octets: string): Promise<void> {
    this.sent += octets;
    await this.server.push(octets);
  }

  /** The replies since the last call; there have to be so many, or one more with which the server closes. */
  #take(count: number): string {
    const text = this.server.takeReplies();
    this.replies += text;
    const lines = text.split("\r\n").slice(0, -1);
    for (const line of lines) {
      check(/^[2345][0-9][0-9][ -][\x20-\x7e]*$/.test(line), `bad line ${JSON.stringify(line)}`);
    }
    const last = lines.filter((line) => line[3] === " ");
    const more = this.server.closed && last.at(-1)?.startsWith("421 4.7.0 too many") === true ? 1 : 0;
    check(last.length === count + more, `expected ${count} replies, got ${JSON.stringify(text)}`);
    return last[0] ?? "";
  }

  async #command(): Promise<void> {
    this.commands++;
    const state = this.#sender === undefined ? "nothing" : this.#recipients.length === 0 ? "mail" : "rcpt";
    const line = this.#random.oneIn(3) ? randomLine(this.#random) : sensibleLine(this.#random, state);
    const before = this.server.messages.length;
    await this.#send(`${line}${this.#random.oneIn(20) ? "\n" : "\r\n"}`);
    const chunk = /^bdat[ \t]+([0-9]{1,15})([ \t]+last)?[ \t\r]*$/i.exec(line);
    if (chunk !== null && line.length < 4095 && !this.server.closed) {
      return await this.#chunk(Number(chunk[1]), chunk[2] !== undefined, before);
    }
    const reply = this.#take(1);
    this.#follow(line, reply);
    if (reply.startsWith("354")) await this.#content(before);
    else if (reply.startsWith("334")) await this.#exchange();
  }

  /** What an accepted command does to the transaction. */
  #follow(line: string, reply: string): void {
    const verb = line.split(/[ \t]/, 1)[0]!.toUpperCase();
    if (reply.startsWith("220 ")) this.#forget();
    if (reply.startsWith("220 2.0.0")) this.wasSecured = true;
    if (!reply.startsWith("250 ")) return;
    if (verb === "MAIL") {
      this.#forget();
      this.#sender = this.#policy.last;
    } else if (verb === "RCPT") this.#recipients.push(this.#policy.last);
    else if (["RSET", "HELO", "EHLO", "LHLO"].includes(verb)) this.#forget();
  }

  #forget(): void {
    this.#sender = undefined;
    this.#recipients = [];
    this.#chunks = undefined;
  }

  async #exchange(): Promise<void> {
    for (let count = 0; count < 6; count++) {
      await this.#send(`${randomResponse(this.#random)}\r\n`);
      if (!this.#take(1).startsWith("334")) return;
    }
    await this.#send("*\r\n");
    this.#take(1);
  }

  /** DATA's content, until it has an end; its own idea of where that is. */
  async #content(before: number): Promise<void> {
    let content = "";
    for (let count = 0;; count++) {
      content += count < 5 ? randomContent(this.#random) : "\r\n.\r\n";
      const end = `\r\n${content}`.indexOf("\r\n.\r\n");
      if (end >= 0) {
        content = `\r\n${content}`.slice(0, end).slice(2);
        break;
      }
      check(this.server.replies === "", "a reply within content");
    }
    // Piece by piece would tell as much; the cuts come later.
    await this.#send(`${content}${content === "" ? "" : "\r\n"}.\r\n`);
    const decoded = content.split("\r\n").map((line) => line.startsWith(".") ? line.slice(1) : line).join("\n");
    this.#settle(before, decoded === "" && content === "" ? "" : `${decoded}\n`, content, true);
  }

  async #chunk(sizeBytes: number, isLast: boolean, before: number): Promise<void> {
    let octets = "";
    while (octets.length < sizeBytes) octets += randomContent(this.#random) || "x";
    octets = octets.slice(0, sizeBytes);
    check(sizeBytes === 0 || this.server.replies === "", "a reply before the chunk");
    if (sizeBytes > 1) {
      await this.#send(octets.slice(0, -1));
      check(this.server.replies === "", "a reply within a chunk");
      octets.length > 0 && await this.#send(octets.slice(-1));
    } else if (sizeBytes === 1) await this.#send(octets);
    const isPart = this.#recipients.length > 0 && !this.server.replies.startsWith("503") &&
      !this.server.replies.startsWith("502") && !this.server.replies.startsWith("530");
    if (!isPart) return void this.#take(1);
    this.#chunks = (this.#chunks ?? "") + octets;
    if (!isLast) return void this.#take(1);
    const content = this.#chunks;
    this.#settle(before, content.replaceAll("\r\n", "\n"), content, false);
  }

  /** What has come of a message. */
  #settle(before: number, decoded: string, sent: string, isData: boolean): void {
    const reply = this.#take(this.#isLmtp ? this.#recipients.length : 1);
    const message = this.server.messages[before];
    check(
      (message !== undefined) === reply.startsWith("250"),
      `${reply} with ${message === undefined ? "no" : "a"} message`,
    );
    const hasBare = /\r(?!\n)|(?<!\r)\n/.test(sent);
    check(!hasBare || !reply.startsWith("250"), `${reply} to a bare line end`);
    if (message !== undefined) {
      check(message.envelope.sender === this.#sender, "another sender");
      check(message.envelope.recipients.join() === this.#recipients.join(), "other recipients");
      check(fromOctets(message.content) === decoded, `${isData ? "DATA" : "BDAT"} came out changed`);
    }
    this.#forget();
  }
}

/** The same octets, cut anywhere, have to be answered alike. */
async function replay(client: SteppingClient, random: Random): Promise<void> {
  const server = new PureServer({ ...client.options, policy: new CountingPolicy() });
  await server.begin();
  for (let at = 0; at < client.sent.length;) {
    const end = at + 1 + random.below(random.oneIn(2) ? 3 : 200);
    await server.push(client.sent.slice(at, end));
    at = end;
  }
  check(server.replies === client.replies, "other replies to the same octets in other pieces");
  check(server.messages.length === client.server.messages.length, "other messages from the same octets");
  for (const one of [server, client.server]) {
    const open = one.begun - one.committed - one.aborted;
    check(open === 0 || open === 1 && !one.closed, `${open} messages are neither committed nor aborted`);
  }
}

export async function fuzz(
  { sessions, minutes, seed, report = () => {} }: {
    readonly sessions: number;
    readonly minutes: number;
    readonly seed: number;
    readonly report?: (totals: Totals) => void;
  },
): Promise<Totals> {
  const totals: Totals = { sessions: 0, commands: 0, replies: 0, queued: 0, rssMiB: 0 };
  const until = minutes > 0 ? Date.now() + minutes * 60_000 : Infinity;
  while (totals.sessions < sessions && Date.now() < until) {
    const own = (seed + totals.sessions * 7919) >>> 0;
    const random = new Random(own);
    const client = new SteppingClient(random);
    try {
      await client.run();
      // A handshake has its place among the octets: what is cut elsewhere stands behind STARTTLS.
      if (!client.wasSecured) await replay(client, random);
    } catch (error) {
      throw new Error(`session ${totals.sessions} of seed ${seed} (${own}): ${JSON.stringify(client.sent)}`, {
        cause: error,
      });
    }
    totals.sessions++;
    totals.commands += client.commands;
    totals.replies += client.replies.split("\r\n").length - 1;
    totals.queued += client.server.messages.length;
    if (totals.sessions % 1000 === 0) {
      const { rss, heapUsed, external } = Deno.memoryUsage();
      totals.rssMiB = Math.max(totals.rssMiB, Math.round(rss / 1024 / 1024));
      // The process may be others' as well (tests run beside each other); what is on the heap is ours.
      const heldMiB = Math.round((heapUsed + external) / 1024 / 1024);
      check(heldMiB < mostMiB, `${heldMiB} MiB held after ${totals.sessions} sessions`);
      if (totals.sessions % 50_000 === 0) report(totals);
    }
  }
  return totals;
}

if (import.meta.main) {
  const args = parseArgs([...Deno.args], { string: ["sessions", "minutes", "seed"] });
  const seed = Number(args.seed ?? Math.floor(Math.random() * 2 ** 32));
  const show = (totals: Totals) => console.log(JSON.stringify({ seed, ...totals }));
  show(
    await fuzz({ sessions: Number(args.sessions ?? 100_000), minutes: Number(args.minutes ?? 0), seed, report: show }),
  );
}
