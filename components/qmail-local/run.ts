/**
 * qmail-local's shell: deliveries over standard input and output (delivery_protocol.ts), until the input ends.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { Deliverer } from "../lib/delivery/deliverer.ts";
import { realDisk } from "../lib/disk/disk.ts";
import { loggingHops } from "../lib/filters/controls.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import { Client } from "../lib/wire/client.ts";
import { parseLocalRequest } from "../lib/wire/delivery_protocol.ts";
import { tellNeedsTo } from "../lib/wire/needs.ts";
import { Pipe, type Streams } from "../lib/wire/pipe.ts";
import { Deliveries } from "./deliver.ts";
import { Lmtp } from "./lmtp.ts";
import { Mailboxes } from "./mailboxes.ts";
import { Programs } from "./programs.ts";

/** So long the qmail-queue daemon may be away, for it may just be restarted. */
const connectMs = 5000;

/** Reports are short, and who reads them waits for nothing else: another thread would cost more than the write. */
const standardStreams: Streams = {
  read: (buffer) => Deno.stdin.read(buffer),
  write: (octets) => Promise.resolve(Deno.stdout.writeSync(octets)),
  close: () => {},
};

export async function run(home: Home, mayRunPrograms: boolean): Promise<void> {
  // Ctrl-C reaches every process of the terminal; this one ends when its input does.
  Deno.addSignalListener("SIGINT", () => {});
  Deno.addSignalListener("SIGTERM", () => {});
  const programs = mayRunPrograms ? new Programs(home.libexec("launch", "program")) : undefined;
  const queue = new Client(home.socket("qmail-queue"), { connectMs });
  const getpw = new Client(home.socket("qmail-getpw"), { connectMs });
  const lmtp = new Lmtp();
  const mailboxes = new Mailboxes(realDisk());
  const hops = loggingHops(home);
  const deliveries = new Deliveries({ mailboxes, lmtp, queue, getpw, hops, programs });
  const pipe = new Pipe(standardStreams);
  // Nobody but qmail-lspawn hears this process.
  tellNeedsTo((socket) => pipe.send({ op: "needs", socket }));
  const deliverer = new Deliverer(
    pipe,
    parseLocalRequest,
    async (request, body) => [await deliveries.deliver(request, body)],
    (error) => logEvent("surprise", { reason: describeError(error) }),
  );
  await pipe.each((frame) => deliverer.take(frame));
  deliverer.end();
  // Whoever asked is gone: what they do now would be done again.
  programs?.endAll();
  lmtp.endAll();
  await deliverer.finished();
  for (const client of [queue, getpw, hops]) client.close();
}
