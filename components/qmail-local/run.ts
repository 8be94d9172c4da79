/**
 * qmail-local's shell: deliveries over standard input and output (delivery_protocol.ts), until the input ends.
 * @module
 */
import { Deliverer } from "../lib/delivery/deliverer.ts";
import type { MessageBody } from "../lib/delivery/message_body.ts";
import { type Disk, realDisk } from "../lib/disk/disk.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import { toOctets } from "../lib/octets.ts";
import { type DeliveryReport, type LocalRequest, parseLocalRequest } from "../lib/wire/delivery_protocol.ts";
import { concat } from "../lib/wire/frame.ts";
import { Pipe } from "../lib/wire/pipe.ts";
import { deliverToMaildir, uniqueName } from "./maildir.ts";
import { deliveredToLine, hasHeaderLine, headerEnd, longestHeader, returnPathLine } from "./message_head.ts";

const delivered: DeliveryReport = { verdict: "K", text: "did 1+0+0\n" };
const looping: DeliveryReport = {
  verdict: "D",
  text: "This message is looping: it already has my Delivered-To line. (#5.4.6)\n",
};

let serial = 0;

function newName(hostName: string): string {
  const nowMs = Date.now();
  return uniqueName({
    unixSeconds: Math.floor(nowMs / 1000),
    microseconds: (nowMs % 1000) * 1000,
    pid: Deno.pid,
    serial: ++serial,
    hostName,
  });
}

async function readHeader(body: MessageBody): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let held = 0;
  for await (const piece of body.pieces()) {
    pieces.push(piece);
    held += piece.length;
    const all = pieces.length === 1 ? piece : concat(pieces, held);
    const end = headerEnd(all);
    if (end >= 0) return all.subarray(0, end);
    if (held > longestHeader) return all;
  }
  return concat(pieces, held);
}

async function* withHead(head: string, body: MessageBody): AsyncGenerator<Uint8Array, void, undefined> {
  const lines = toOctets(head);
  // One write for what most messages are: a head and a single piece.
  yield concat([lines, body.first], lines.length + body.first.length);
  let first = true;
  if (body.first.length === body.sizeBytes) return;
  for await (const piece of body.pieces()) {
    if (!first) yield piece;
    first = false;
  }
}

async function deliver(disk: Disk, request: LocalRequest, body: MessageBody): Promise<readonly DeliveryReport[]> {
  const recipient = request.recipients[0] ?? "";
  const deliveredTo = deliveredToLine(recipient);
  if (hasHeaderLine(await readHeader(body), deliveredTo)) return [looping];
  const head = returnPathLine(request.sender) + deliveredTo;
  try {
    await deliverToMaildir(disk, request.maildir, newName(request.hostName), withHead(head, body));
    return [delivered];
  } catch (error) {
    logEvent("maildir", { path: request.maildir, reason: describeError(error) });
    const absent = error instanceof Deno.errors.NotFound;
    const text = absent ? "Unable to chdir to maildir. (#4.2.1)\n" : "Temporary error on maildir delivery. (#4.3.0)\n";
    return [{ verdict: "Z", text }];
  }
}

export async function run(): Promise<void> {
  // Ctrl-C reaches every process of the terminal; this one ends when its input does.
  Deno.addSignalListener("SIGINT", () => {});
  Deno.addSignalListener("SIGTERM", () => {});
  const disk = realDisk();
  const pipe = new Pipe({
    read: (buffer) => Deno.stdin.read(buffer),
    write: (octets) => Deno.stdout.write(octets),
    close: () => {},
  });
  const deliverer = new Deliverer(
    pipe,
    parseLocalRequest,
    (request, body) => deliver(disk, request, body),
    (error) => logEvent("surprise", { reason: describeError(error) }),
  );
  for await (const frame of pipe.frames()) deliverer.take(frame);
  deliverer.end();
  await deliverer.finished();
}
