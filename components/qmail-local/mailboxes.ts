/**
 * Deliveries into Maildirs and mbox files, with the report that each trouble has.
 * @module
 */
import type { MessageBody } from "../lib/delivery/message_body.ts";
import { Recent } from "../lib/delivery/recent.ts";
import type { Disk } from "../lib/disk/disk.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import { toOctets } from "../lib/octets.ts";
import type { DeliveryReport } from "../lib/wire/delivery_protocol.ts";
import { deliverToMaildir, maildirLimitMs, MaildirTimeout, uniqueName, within } from "./maildir.ts";
import { noteArrival, type Room, roomFor } from "./maildir_size.ts";
import { deliverToMbox, openMbox } from "./mbox.ts";
import { MessageUnreadable, readable, withHead } from "./message_pieces.ts";
import { codeOf } from "./qmail_files.ts";
import { reports, trouble } from "./report.ts";
import { stayBelow } from "../lib/disk/stays_below.ts";

export interface Place {
  /** Absolute. */
  readonly path: string;
  /** The home that the place may not lead out of by a symlink; undefined: the system's own rights decide. */
  readonly home: string | undefined;
  /** This host's name, for the names of files. */
  readonly hostName: string;
}

/** A Maildir without a limit is not asked for one again for so long. */
const unlimitedMs = 1000;
/** One that was found to stay in its home is not looked at again for so long. */
const placedMs = 60_000;

export class Mailboxes {
  readonly #disk: Disk;
  readonly #unlimited = new Recent<true>(unlimitedMs);
  readonly #placed = new Recent<true>(placedMs);
  #serial = 0;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Delivers into a Maildir; answers what went wrong. */
  async maildir({ path, home, hostName }: Place, head: string, body: MessageBody): Promise<DeliveryReport | undefined> {
    const nowMs = Date.now();
    const octets = toOctets(head);
    const sizeBytes = octets.length + body.sizeBytes;
    try {
      if (home !== undefined && !this.#staysBelow(home, path, nowMs)) return reports.maildirTrouble;
      const plainName = this.#newName(hostName, nowMs);
      const room = this.#roomFor(path, sizeBytes, plainName, nowMs);
      if (room === "full") return reports.full;
      // With its size in the name nobody has to ask the disk for it when a limit is counted.
      const name = room === "room" ? `${plainName},S=${sizeBytes}` : plainName;
      await deliverToMaildir(this.#disk, path, name, within(withHead(octets, body), maildirLimitMs));
      if (room === "room") this.#note(path, sizeBytes);
      return undefined;
    } catch (error) {
      logEvent("maildir", { path, reason: describeError(error) });
      if (error instanceof MessageUnreadable) return reports.unreadable;
      if (error instanceof MaildirTimeout) return reports.maildirTimeout;
      return error instanceof Deno.errors.NotFound ? reports.noMaildir : reports.maildirTrouble;
    }
  }

  /** Appends to an mbox file; answers what went wrong. */
  async mbox({ path, home }: Place, head: string, body: MessageBody): Promise<DeliveryReport | undefined> {
    try {
      const folder = path.slice(0, path.lastIndexOf("/"));
      if (home !== undefined && folder !== home && !stayBelow(home, [folder])) {
        return trouble("open", path, "it leads out of the home");
      }
      const file = await openMbox(path, home === undefined);
      return await deliverToMbox(file, toOctets(head), readable(body)) ? undefined : reports.mboxLocked;
    } catch (error) {
      logEvent("mbox", { path, reason: describeError(error) });
      return error instanceof MessageUnreadable ? reports.unreadable : trouble("write", path, codeOf(error));
    }
  }

  #staysBelow(home: string, maildir: string, nowMs: number): boolean {
    if (this.#placed.get(maildir, nowMs) !== undefined) return true;
    if (!stayBelow(home, [`${maildir}/tmp`, `${maildir}/new`])) {
      logEvent("refused", { file: maildir, reason: "it leads out of the mailbox's home" });
      return false;
    }
    this.#placed.set(maildir, true, nowMs);
    return true;
  }

  #roomFor(maildir: string, sizeBytes: number, name: string, nowMs: number): Room {
    if (this.#unlimited.get(maildir, nowMs) !== undefined) return "unlimited";
    const room = roomFor(maildir, sizeBytes, name, Math.floor(nowMs / 1000));
    if (room === "unlimited") this.#unlimited.set(maildir, true, nowMs);
    return room;
  }

  #note(maildir: string, sizeBytes: number): void {
    try {
      noteArrival(maildir, sizeBytes);
    } catch (error) {
      // The message is there; the next count finds it.
      logEvent("maildirsize", { path: maildir, reason: describeError(error) });
    }
  }

  #newName(hostName: string, nowMs: number): string {
    return uniqueName({
      unixSeconds: Math.floor(nowMs / 1000),
      microseconds: (nowMs % 1000) * 1000,
      pid: Deno.pid,
      serial: ++this.#serial,
      hostName,
    });
  }
}
