/**
 * What `check --repair` does about findings, in a queue in which nobody works. Nothing is deleted: what cannot be
 * explained is moved to queue-aside, beside the queue, under the path it had. What the next qmail-queue puts right by
 * itself, and what holds mail that would be lost or delivered twice by touching it, stays.
 * @module
 */
import { ensureDirSync, existsSync } from "@std/fs";
import { dirname, join } from "@std/path";
import type { Home } from "../../config/home.ts";
import type { Finding } from "../../components/lib/queue/check.ts";
import { placesOf } from "../../components/lib/queue/check.ts";
import { checkQueue } from "../../components/lib/queue/look.ts";
import type { StoppedQueue } from "./running.ts";

/** To put one thing right may show the next: a folder that was missing, say, takes the files that belong there. */
const mostRounds = 4;

type Say = (step: string) => Promise<void>;

/** Puts right what can be; `say` gets each step. Answers what is left. */
export async function repair(home: Home, queue: StoppedQueue, say: Say): Promise<Finding[]> {
  const work = new Repair(home, queue, new Date());
  const look = () => checkQueue(home, { writing: () => Promise.resolve(false), pause: () => Promise.resolve() });
  for (let round = 1;; round++) {
    const findings = await look();
    let steps = 0;
    for (const finding of findings) {
      for (const step of round <= mostRounds ? work.take(finding) : []) {
        steps++;
        await say(step);
      }
    }
    if (steps === 0) return findings;
  }
}

/** `20261122T160236`, UTC. */
function stampOf(date: Date): string {
  return date.toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

class Repair {
  readonly #home: Home;
  readonly #queue: StoppedQueue;
  readonly #aside: string;

  constructor(home: Home, queue: StoppedQueue, now: Date) {
    this.#home = home;
    this.#queue = queue;
    this.#aside = join(home.dir, "queue-aside", stampOf(now));
  }

  /** Does what there is to do about one finding; answers what was done. */
  take(finding: Finding): string[] {
    const { kind, path, id } = finding;
    if (finding.note === true) return [];
    switch (kind) {
      case "missing-folder":
        return this.#makeFolder(path);
      case "wrong-folder":
        return this.#moveHome(path, id!);
      case "unlinked-todo":
        return this.#linkIntd(id!);
      case "foreign":
      case "not-regular":
      case "unborn":
      case "leftover-intd":
      case "leftover-options":
      case "no-segment":
      case "kept-number":
        return this.#putAside(path);
      case "no-text":
      case "empty-text":
      case "no-sender":
      case "no-envelope":
        return this.#putMessageAside(id!);
      case "format":
        // A record of the journal is one among many, and stays where it is.
        return path.startsWith("journal/") ? [] : this.#putMessageAside(id!);
      case "wrong-inode":
        // A kept number keeps nothing then; a message under another number than its own is delivered all the same.
        return path.startsWith("journal/") ? this.#putAside(path) : [];
      case "no-marks":
      case "damaged-record":
      case "shared-number":
      case "unfinished-move":
      case "renumber":
        return [];
    }
  }

  #makeFolder(path: string): string[] {
    const full = this.#home.queue(path);
    if (isThere(full)) return [];
    ensureDirSync(dirname(full));
    Deno.mkdirSync(full);
    this.#likeSibling(full);
    return [`made the folder ${path}`];
  }

  /** Owner and mode as the folder above has them (info/3) or, just below queue/, as todo has them. */
  #likeSibling(full: string): void {
    const above = dirname(full);
    const like = above === this.#home.queue() ? siblingOf(this.#home, full) : above;
    const { mode, uid, gid } = Deno.statSync(like);
    Deno.chmodSync(full, (mode ?? 0o700) & 0o7777);
    if (this.#queue.owner !== undefined) Deno.chownSync(full, uid, gid);
  }

  #moveHome(path: string, id: number): string[] {
    const [dir = ""] = path.split("/");
    const right = `${dir}/${id % this.#home.queueSplit}/${id}`;
    if (!isThere(this.#home.queue(path))) return [];
    if (isThere(this.#home.queue(right))) return this.#putAside(path);
    if (!existsSync(dirname(this.#home.queue(right)))) return [];
    Deno.renameSync(this.#home.queue(path), this.#home.queue(right));
    return [`moved ${path} to ${right}`];
  }

  /** todo is the message; intd is to be another name of it. */
  #linkIntd(id: number): string[] {
    const intd = `intd/${id}`;
    const steps = this.#putAside(intd);
    Deno.linkSync(this.#home.queue("todo", String(id)), this.#home.queue(intd));
    return [...steps, `linked todo/${id} to ${intd}`];
  }

  #putMessageAside(id: number): string[] {
    return placesOf(id, this.#home.queueSplit).flatMap((path) => this.#putAside(path));
  }

  #putAside(path: string): string[] {
    const from = this.#home.queue(path);
    if (!isThere(from)) return [];
    const to = join(this.#aside, path);
    Deno.mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
    Deno.renameSync(from, to);
    return [`moved ${path} to ${to}`];
  }
}

/** A folder of the same owner, as the start makes them. */
function siblingOf(home: Home, full: string): string {
  const ofSend = ["info", "local", "remote", "bounce", "delayed", "paused"].map((dir) => home.queue(dir));
  const alike = ofSend.includes(full) ? ofSend : [home.queue("todo"), home.queue("mess")];
  return alike.find((path) => path !== full && existsSync(path)) ?? home.queue();
}
