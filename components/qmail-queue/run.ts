/**
 * qmail-queue's shell: sockets, clock and disk around the intake and the journal.
 * @module
 */
import { setImmediate } from "node:timers";
import { type Disk, realDisk } from "../lib/disk/disk.ts";
import { describeError, log, logEvent } from "../lib/log/log.ts";
import { type Running, type Start } from "../lib/process/component.ts";
import { takeLock } from "../lib/process/lock.ts";
import type { Home } from "../../config/home.ts";
import type { Pipe } from "../lib/wire/pipe.ts";
import { parseQueueRequest } from "../lib/wire/queue_protocol.ts";
import { serveUnix } from "../lib/wire/server.ts";
import { serveStatus } from "../lib/wire/status_server.ts";
import type { QueueStatus } from "../lib/wire/status_protocol.ts";
import { breathe } from "../lib/process/breathe.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { Intake } from "./intake.ts";
import { Journal, type JournalOptions } from "./journal/journal.ts";
import { removeLeftovers } from "./leftovers.ts";
import { SendLink } from "./send_link.ts";
import { finishMoves } from "./finish_moves.ts";
import { QueueStore } from "./store.ts";

/** Small enough to come free soon although a message in it waits, large enough for hundreds. */
const segmentBytes = 4 * 1024 * 1024;
const segmentRecords = 8192;

function segmentsFor(journalBytes: number): number {
  return Math.ceil(journalBytes / segmentBytes);
}

function journalOptions(journalBytes: number, onVacate: JournalOptions["onVacate"]): JournalOptions {
  return {
    segment: { bytes: segmentBytes, records: segmentRecords },
    segments: segmentsFor(journalBytes),
    numbers: { ready: 128, most: 4096, breathe },
    onTrouble: (error) => logEvent("trouble", { reason: describeError(error) }),
    onVacate,
    nowMs: () => Date.now(),
    gather: () => new Promise((resolve) => setImmediate(() => resolve())),
  };
}

async function openStore(disk: Disk, home: Home, journalBytes: number) {
  removeLeftovers(disk, home);
  const link: SendLink = new SendLink(home, () => store);
  const journal = await Journal.open(disk, home, journalOptions(journalBytes, (entries) => link.vacate(entries)));
  await finishMoves(disk, home, journal);
  const store: QueueStore = new QueueStore(disk, home, journal, link);
  return { journal, link, store };
}

export async function run({ home }: Start): Promise<Running> {
  const controls = new ControlValues(home, "qmail-queue");
  const lock = await takeLock(home.queue("lock", "queuemutex"));
  const { journal, link, store } = await openStore(realDisk(), home, controls.current.journalbytes);
  link.start();
  const intakes = new WeakMap<Pipe, Intake>();
  const underWay = new Set<Promise<void>>();
  const server = serveUnix(home.socket("qmail-queue"), {
    // Content is in the journal, or written, when a request has been taken.
    lendsBodies: true,
    onOpen: (pipe) => void intakes.set(pipe, new Intake(store)),
    onFrame: (frame, pipe) => {
      const request = parseQueueRequest(frame);
      const reply = intakes.get(pipe)?.take(request);
      if (reply === undefined) return;
      const done = reply.then((answer) => pipe.send({ ...answer, id: request.id })).finally(() =>
        underWay.delete(done)
      );
      underWay.add(done);
      // Who brings more than the disk takes waits here, and its own clients behind it.
      return journal.pressed ? journal.relaxed() : undefined;
    },
    onClose: (pipe) => intakes.get(pipe)?.end(),
    onError: (error) => logEvent("garbage", { socket: "qmail-queue", reason: describeError(error) }),
  });
  const status = serveStatus(home, "queue-status", (): QueueStatus => ({
    acceptedMessages: store.acceptedMessages,
    acceptedBytes: store.acceptedBytes,
    refusedMessages: store.refusedMessages,
    journalMessages: journal.size,
    journalSegments: journal.segments,
  }));
  log("status: running");
  return {
    reload: () => {
      const defects = controls.reload();
      journal.mostSegments = segmentsFor(controls.current.journalbytes);
      return defects;
    },
    stop: async () => {
      server.stop();
      status.stop();
      await Promise.all(underWay);
      await Promise.all(Array.from(server.connections, (pipe) => pipe.flushed()));
      server.closeAll();
      await link.stop();
      await journal.close();
      lock.close();
      log("status: exiting");
    },
  };
}
