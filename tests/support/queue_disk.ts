/** A queue on a {@link FakeDisk}: its folders, and what a message in it looks like. */
import { type Home, homeAt } from "../../config/home.ts";
import { parseTodo } from "../../components/lib/queue/envelope.ts";
import { flatDirs, journalNumbers, ownDirs, queueFile, splitDirs } from "../../components/lib/queue/layout.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import { FakeDisk } from "./fake_disk.ts";

export const home: Home = homeAt("/q");

export function queueFolders(): string[] {
  const parts = Array.from({ length: home.queueSplit }, (_, part) => String(part));
  return [
    ...[...flatDirs, ...ownDirs].map((dir) => home.queue(dir)),
    ...splitDirs.flatMap((dir) => parts.map((part) => home.queue(dir, part))),
  ];
}

export function emptyQueue(now?: () => number): FakeDisk {
  return new FakeDisk(queueFolders(), now);
}

/** The file that keeps the number `id` for a message of the journal; `undefined` when none does. */
export function keptFile(disk: FakeDisk, id: number): string | undefined {
  const folder = journalNumbers(home);
  return disk.list(folder).map((name) => `${folder}/${name}`).find((path) => disk.stat(path)?.inode === id);
}

/** A message in todo with its text; `text` undefined when there is none. */
export interface Queued {
  readonly id: number;
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly text: string | undefined;
}

/** What is in todo. Throws when an envelope there is not whole. */
export function queued(disk: FakeDisk): Queued[] {
  return disk.list(home.queue("todo")).map((name) => {
    const id = Number(name);
    const envelope = parseTodo(disk.readFile(queueFile(home, "todo", id)));
    if (!envelope.ok) throw new Error(`todo/${id}: ${envelope.error}`);
    const { sender, recipients } = envelope.value;
    const hasText = disk.stat(queueFile(home, "mess", id)) !== undefined;
    return {
      id,
      sender,
      recipients,
      text: hasText ? fromOctets(disk.readFile(queueFile(home, "mess", id))) : undefined,
    };
  });
}
