/**
 * Puts messages that wait for their next attempt straight into a queue (state S5 of ARCHITECTURE.md), as qmail-queue and
 * qmail-send would have left them, but without a sync: as a program of its own it does one {@link FillJob} a line, so that
 * several can work at a time. No dqmail may run in that home.
 * @module
 */
import { homeAt } from "../../../config/home.ts";
import { formatChannel, formatInfo } from "../../../components/lib/queue/envelope.ts";
import { queueFile } from "../../../components/lib/queue/layout.ts";
import type { Ids } from "../../../components/lib/permissions/grant.ts";
import { answerLines } from "../json_lines.ts";

/** Some messages; even numbers are local, odd ones remote. */
export interface FillJob {
  readonly home: string;
  readonly queueSplit: number;
  /** Counts through all messages; stands in their recipients. */
  readonly first: number;
  readonly count: number;
  readonly birthSeconds: number;
  /** The next attempt of the first; the others' follow, spread over a day. */
  readonly nextSeconds: number;
  /** Whose mess and info, local, remote are to be; undefined where nobody's ids are changed. */
  readonly owners: { readonly qmailq: Ids; readonly qmails: Ids } | undefined;
}

const daySeconds = 86_400;

/** Makes the messages; answers how many. */
export function fill(job: FillJob): number {
  const home = homeAt(job.home, { queueSplit: job.queueSplit });
  const birthName = home.queue("pid", `bench-${Deno.pid}`);
  for (let number = job.first; number < job.first + job.count; number++) {
    const id = writeText(birthName, number, job.birthSeconds);
    const mess = queueFile(home, "mess", id);
    Deno.renameSync(birthName, mess);
    if (job.owners !== undefined) Deno.chownSync(mess, job.owners.qmailq.uid, job.owners.qmailq.gid);
    const channel = number % 2 === 0 ? "local" : "remote";
    const address = channel === "local"
      ? `u${number % 10}-${number}@localhost`
      : `r${number}@d${number % 1000}.example`;
    const nextSeconds = job.nextSeconds + number % daySeconds;
    const owner = job.owners?.qmails;
    put(queueFile(home, channel, id), formatChannel([{ address, done: false }]).octets, nextSeconds, owner);
    put(queueFile(home, "info", id), formatInfo("sender@source.example"), job.birthSeconds, owner);
  }
  return job.count;
}

/** Answers the number of the file, which is the message's. */
function writeText(path: string, number: number, birthSeconds: number): number {
  using file = Deno.openSync(path, { write: true, createNew: true, mode: 0o644 });
  const text =
    `Received: for a backlog\nFrom: <sender@source.example>\nSubject: waits\nMessage-ID: <${number}@source.example>\n\n`;
  file.writeSync(new TextEncoder().encode(`${text}This message waits for its next attempt.\n`));
  file.utimeSync(birthSeconds, birthSeconds);
  const { ino } = file.statSync();
  if (ino === null) throw new Error(`Cannot make messages in ${path}: this system's files have no inode numbers`);
  return ino;
}

function put(path: string, octets: Uint8Array, seconds: number, owner: Ids | undefined): void {
  using file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
  file.writeSync(octets);
  file.utimeSync(seconds, seconds);
  if (owner !== undefined) Deno.chownSync(path, owner.uid, owner.gid);
}

if (import.meta.main) await answerLines((job) => Promise.resolve(fill(job as FillJob)));
