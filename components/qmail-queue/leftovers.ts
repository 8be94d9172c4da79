/**
 * What a predecessor left that is no message, removed at the start: there is no other writer, so nobody misses it.
 * @module
 */
import type { Home } from "../../config/home.ts";
import type { Disk } from "../lib/disk/disk.ts";
import { ifThere } from "../lib/disk/if_there.ts";
import { parseQueueId, queueFile } from "../lib/queue/layout.ts";

/**
 * Empties pid, and removes envelopes, and what was asked for beside them, whose text is gone: a power loss may keep the one
 * and lose the other, and the number, an inode, would soon be another message's.
 */
export function removeLeftovers(disk: Disk, home: Home): void {
  for (const name of disk.list(home.queue("pid"))) disk.remove(home.queue("pid", name));
  for (const dir of ["todo", "intd", "options"] as const) {
    // A home of an earlier version, which nobody has started since, has no folder of options.
    for (const name of ifThere(() => disk.list(home.queue(dir))) ?? []) {
      const id = parseQueueId(name);
      if (id === undefined || disk.stat(queueFile(home, "mess", id)) !== undefined) continue;
      disk.remove(queueFile(home, dir, id));
    }
  }
}
