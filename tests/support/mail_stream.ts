/**
 * A stream of messages over several connections to a server that may die at any moment: tells which of them were answered
 * 250. A message without an answer is not sent again, nor is a refused one (4yz): the next one is another.
 * @module
 */
import { type Mail, type Reply, SmtpClient } from "./smtp_client.ts";

/** What is known of a message: answered 250; answered otherwise; not answered; nobody was there to send it to. */
export type Fate = "accepted" | "refused" | "unknown" | "unsent";

export interface Result {
  readonly fate: Fate;
  /** Those that were taken, where the server may have got the message; else none. */
  readonly recipients: readonly string[];
  /** The text of the answer to the message itself; "" without one. */
  readonly answer: string;
}

export interface SenderOptions {
  readonly port: number;
  readonly connections: number;
  /** What a connection sends next; `undefined` ends it. */
  readonly next: () => Promise<Mail | undefined>;
  /** What became of it. */
  readonly done: (mail: Mail, result: Result) => void;
}

/** Before a server that died or does not want anything is tried again. */
const awayMs = 20;

/** Sends until there is no next message; settles when the last of them is answered. */
export async function sendMails({ port, connections, next, done }: SenderOptions): Promise<void> {
  const worker = async () => {
    let client: SmtpClient | undefined;
    for (let mail = await next(); mail !== undefined; mail = await next()) {
      const replies: Reply[] = [];
      const { to } = mail;
      // Without a reply to each of them there was no DATA.
      const taken = () => replies.length < to.length ? [] : to.filter((_, at) => replies[at]!.code === 250);
      try {
        client ??= await SmtpClient.connect(port);
      } catch {
        done(mail, { fate: "unsent", recipients: [], answer: "" });
        await pause();
        continue;
      }
      try {
        const { end } = await client.send(mail, replies);
        const accepted = end?.code === 250;
        done(mail, {
          fate: accepted ? "accepted" : "refused",
          recipients: end === undefined ? [] : taken(),
          answer: end?.lines.join(" ") ?? "",
        });
        mail = undefined;
        if (end === undefined) await client.command("RSET");
        if (!accepted) await pause();
      } catch {
        // It died: nobody knows what became of a message that was under way.
        if (mail !== undefined) done(mail, { fate: "unknown", recipients: taken(), answer: "" });
        client.close();
        client = undefined;
        await pause();
      }
    }
    client?.close();
  };
  await Promise.all(Array.from({ length: connections }, worker));
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, awayMs));
}

export interface StreamOptions {
  readonly port: number;
  readonly connections: number;
  /** Recipient of the message with this number. */
  readonly recipient: (number: number) => string;
  /** Octets of the body. */
  readonly size: number;
}

export interface MailStream {
  /** Sends no more, and settles when the last message is answered. */
  stop(): Promise<void>;
  /** Numbers of the messages answered 250, so far. */
  readonly accepted: ReadonlySet<number>;
}

/** Starts a stream of messages that are all alike but for their recipient and a number, in `X-Number`. */
export function startMailStream({ port, connections, recipient, size }: StreamOptions): MailStream {
  const accepted = new Set<number>();
  const numbers = new Map<Mail, number>();
  let last = 0;
  let stopped = false;
  const body = "x".repeat(70).concat("\n").repeat(Math.ceil(size / 72));
  const sending = sendMails({
    port,
    connections,
    next: () => {
      if (stopped) return Promise.resolve(undefined);
      const number = ++last;
      const content = `X-Number: ${number}\nSubject: survival\n\n${body}`;
      const mail = { from: "", to: [recipient(number)], content };
      numbers.set(mail, number);
      return Promise.resolve(mail);
    },
    done: (mail, { fate }) => {
      if (fate === "accepted") accepted.add(numbers.get(mail)!);
      numbers.delete(mail);
    },
  });
  return {
    accepted,
    stop: async () => {
      stopped = true;
      await sending;
    },
  };
}
