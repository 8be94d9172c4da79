/**
 * Another host's SMTP server, for tests: the `smtp-server` package with recipients that are taken, refused or deferred
 * by their local part (`refused…`, `later…`).
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
}

export interface SmtpSink extends AsyncDisposable {
  readonly port: number;
  readonly taken: readonly TakenMail[];
  /** From now on, takes those it deferred. */
  takeAll(): void;
}

export async function startSmtpSink(host = "127.0.0.1"): Promise<SmtpSink> {
  const taken: TakenMail[] = [];
  let deferring = true;
  const server = new SMTPServer({
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 1,
    onRcptTo({ address }, _session, callback) {
      const responseCode = address.startsWith("refused") ? 550 : deferring && address.startsWith("later") ? 451 : 250;
      if (responseCode === 250) callback();
      else callback(Object.assign(new Error("not this one"), { responseCode }));
    },
    onData(stream, { envelope }, callback) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        taken.push({
          sender: envelope.mailFrom ? envelope.mailFrom.address : "",
          recipients: envelope.rcptTo.map(({ address }) => address),
          content: Buffer.concat(chunks).toString("latin1"),
        });
        callback(null, "taken");
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    taken,
    takeAll: () => deferring = false,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(resolve)),
  };
}
