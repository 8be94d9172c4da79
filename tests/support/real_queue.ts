/**
 * A queue made up on the real disk: its folders, and messages in whatever state a test wants.
 * @module
 */
import { type Home, homeAt } from "../../config/home.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { expectedFolders } from "../../components/lib/queue/check.ts";
import { queueFile } from "../../components/lib/queue/layout.ts";
import { tempDir } from "./temp_dir.ts";

/** What a message has; an octet string is a file's content, NUL written as "\0". */
export type Files = Readonly<Partial<Record<"todo" | "intd" | "info" | "local" | "remote" | "bounce", string>>>;

export interface RealQueue extends Disposable {
  readonly home: Home;
  /** Makes a message with this text and these files; its id is its inode. */
  message(files: Files, text?: string): number;
}

export function realQueue(): RealQueue {
  const dir = tempDir();
  const home = homeAt(dir.path);
  for (const folder of expectedFolders(home.queueSplit)) Deno.mkdirSync(home.queue(folder), { recursive: true });
  return {
    home,
    message: (files, text = "Received: (qmail 1 invoked by uid 1); 1 Jan 1970 00:00:00 -0000\n\n") => {
      const birth = home.queue("pid", "1.1.1");
      Deno.writeFileSync(birth, toOctets(text));
      const id = Deno.statSync(birth).ino!;
      Deno.renameSync(birth, queueFile(home, "mess", id));
      for (const [name, content] of Object.entries(files)) {
        Deno.writeFileSync(queueFile(home, name as keyof Files, id), toOctets(content));
      }
      return id;
    },
    [Symbol.dispose]: () => dir[Symbol.dispose](),
  };
}
