/**
 * Another host's SMTP server, for tests: the `smtp-server` package with recipients that are taken, refused or deferred
 * by their local part (`refused…`, `later…`), or as the test says.
 * @module
 */
import { Buffer } from "node:buffer";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";

export interface TakenMail {
  readonly sender: string;
  readonly recipients: readonly string[];
  /** Octet string. */
  readonly content: string;
  /** Parameters of MAIL, and of RCPT by recipient; xtext undone. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly recipientParameters: readonly Readonly<Record<string, unknown>>[];
}

export interface SmtpSink extends AsyncDisposable {
  readonly port: number;
  readonly taken: readonly TakenMail[];
  /** From now on, takes those it deferred. */
  takeAll(): void;
}

export interface SinkOptions {
  /** The code a recipient is answered with, instead of the one by its local part. */
  readonly codeFor?: (recipient: string) => 250 | 451 | 550;
  /** What it says to those it does not take. */
  readonly refusal?: string;
  /** Offers no DSN. */
  readonly hidesDsn?: boolean;
  /** Gets what was taken, before that is answered; `taken` stays empty then. */
  readonly onMail?: (mail: TakenMail) => void;
}

export async function startSmtpSink(
  host = "127.0.0.1",
  { codeFor, refusal = "not this one", hidesDsn = false, onMail }: SinkOptions = {},
): Promise<SmtpSink> {
  const taken: TakenMail[] = [];
  const take = onMail ?? ((mail: TakenMail) => taken.push(mail));
  let deferring = true;
  const server = new SMTPServer({
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    hideDSN: hidesDsn,
    logger: false,
    closeTimeout: 1,
    onRcptTo({ address }, _session, callback) {
      const byName = () => address.startsWith("refused") ? 550 : deferring && address.startsWith("later") ? 451 : 250;
      const responseCode = codeFor?.(address) ?? byName();
      if (responseCode === 250) callback();
      else callback(Object.assign(new Error(refusal), { responseCode }));
    },
    onData(stream, { envelope }, callback) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        take({
          sender: envelope.mailFrom ? envelope.mailFrom.address : "",
          recipients: envelope.rcptTo.map(({ address }) => address),
          content: Buffer.concat(chunks).toString("latin1"),
          parameters: envelope.mailFrom ? { ...envelope.mailFrom.args } : {},
          recipientParameters: envelope.rcptTo.map(({ args }) => ({ ...args })),
        });
        callback(null, "taken");
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  // A client that is killed may reset its connection; nobody here minds.
  server.on("error", () => {});
  return {
    port: (server.server.address() as AddressInfo).port,
    taken,
    takeAll: () => deferring = false,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(resolve)),
  };
}
