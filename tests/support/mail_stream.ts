/**
 * A stream of numbered messages over several connections to a server that may die at any moment: tells which of them were
 * answered 250. A message without an answer is sent again under another number; a refusal (4yz) too.
 * @module
 */
import { SmtpClient } from "./smtp_client.ts";

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

/** Whether the server took it; throws when the connection breaks before it said so. */
async function sendOne(client: SmtpClient, number: number, options: StreamOptions): Promise<boolean> {
  const body = "x".repeat(70).concat("\n").repeat(Math.ceil(options.size / 72));
  const content = `X-Number: ${number}\nSubject: survival\n\n${body}`;
  const { end } = await client.send({ from: "", to: [options.recipient(number)], content });
  if (end === undefined) await client.command("RSET");
  return end?.code === 250;
}

/** Starts the stream. */
export function startMailStream(options: StreamOptions): MailStream {
  const accepted = new Set<number>();
  let last = 0;
  let stopped = false;
  const worker = async () => {
    let client: SmtpClient | undefined;
    while (!stopped) {
      try {
        client ??= await SmtpClient.connect(options.port);
        const number = ++last;
        if (await sendOne(client, number, options)) accepted.add(number);
      } catch {
        // It died: nobody knows what became of this number. Go on with another.
        client?.close();
        client = undefined;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    client?.close();
  };
  const workers = Array.from({ length: options.connections }, worker);
  return {
    accepted,
    stop: async () => {
      stopped = true;
      await Promise.all(workers);
    },
  };
}
