/**
 * How the queue of a home is split, settled before anything is made: control/queuesplit says it, and a queue that is there
 * already (qmail's conf-split is compiled into its programs, and found only in the folders) decides what that file has to
 * say.
 * @module
 */
import { ensureDirSync, existsSync } from "@std/fs";
import { defaultQueueSplit, type Home, homeAt, mostQueueSplit } from "../../config/home.ts";
import { readControls } from "../../config/read.ts";
import { splitDirs } from "../../components/lib/queue/layout.ts";
import { err, ok, type Result } from "../../components/lib/result.ts";

/** The numbers of the folders in each folder of a queue, ascending; none for one that is not there. */
export type NumberedFolders = Readonly<Record<(typeof splitDirs)[number] | "todo" | "intd", readonly number[]>>;

/** The split that the folders show, 0 where there are none. Errors: which folder is wrong. */
export function splitOf(folders: NumberedFolders): Result<number, string> {
  for (const dir of ["todo", "intd"] as const) {
    const [first] = folders[dir];
    if (first === undefined) continue;
    return err(
      `queue/${dir}/${first} is a folder: this queue splits todo, too (the big-todo patch), which nothing here reads; ` +
        "let the qmail that wrote it deliver what is in it, and begin with a new queue",
    );
  }
  const last = (dir: (typeof splitDirs)[number]) => folders[dir].at(-1) ?? -1;
  const fullest = splitDirs.reduce((a, b) => last(b) > last(a) ? b : a);
  const split = last(fullest) + 1;
  if (split > mostQueueSplit) return err(`queue/${fullest}/${split - 1} is a folder, ${mostQueueSplit} are the most`);
  for (const dir of splitDirs) {
    const present = new Set(folders[dir]);
    const missing = Array.from({ length: split }, (_, part) => part).find((part) => !present.has(part));
    if (missing !== undefined) {
      return err(
        `queue/${dir}/${missing} is missing, for queue/${fullest} has folders up to ${split - 1}; ` +
          `${splitDirs.join(", ")} have to have the same`,
      );
    }
  }
  return ok(split);
}

function numbersIn(dir: string): number[] {
  if (!existsSync(dir)) return [];
  return Array.from(Deno.readDirSync(dir))
    .filter(({ name, isDirectory }) => isDirectory && /^(0|[1-9][0-9]{0,14})$/.test(name))
    .map(({ name }) => Number(name))
    .sort((a, b) => a - b);
}

/** The numbered folders that are there. */
export function foldersOf(home: Home): NumberedFolders {
  const numbers = (dir: string) => numbersIn(home.queue(dir));
  return {
    mess: numbers("mess"),
    info: numbers("info"),
    local: numbers("local"),
    remote: numbers("remote"),
    todo: numbers("todo"),
    intd: numbers("intd"),
  };
}

/** Whether the folders are what an interrupted first start left: it makes lock after those that are split. */
function isUnfinished(home: Home, folders: NumberedFolders): boolean {
  return !existsSync(home.queue("lock")) && folders.todo.length + folders.intd.length === 0 &&
    splitDirs.every((dir) => folders[dir].every((number) => number < home.queueSplit));
}

/** The home at `dir` as control/queuesplit has it. Errors: what is wrong with that file. */
export function readHome(dir: string): Result<Home, string> {
  const controls = readControls(homeAt(dir), ["queuesplit"]);
  if (!controls.ok) return err(controls.error.join("\n"));
  return ok(homeAt(dir, { queueSplit: controls.value.queuesplit }));
}

/**
 * The home at `dir` with the split that its queue has, or is to get. Where the queue is not split as absent control files
 * mean, control/queuesplit is written, and `say` told. Errors: folders or a control file that do not go together; nothing
 * is changed then.
 */
export function settleQueueSplit(dir: string, say: (line: string) => void): Result<Home, string> {
  const home = readHome(dir);
  if (!home.ok) return home;
  const { queueSplit: wanted } = home.value;
  const folders = foldersOf(home.value);
  const found = splitOf(folders);
  if (!found.ok && isUnfinished(home.value, folders)) return home;
  if (!found.ok) return err(`Cannot use the queue in ${home.value.dir}: ${found.error}`);
  if (found.value === wanted || found.value === 0) return home;
  const file = home.value.control("queuesplit");
  if (existsSync(file)) {
    return err(
      `Cannot use control file "queuesplit": expected ${found.value}, as many as there are folders in ` +
        `${home.value.queue("mess")}, got "${wanted}"`,
    );
  }
  ensureDirSync(home.value.control(""));
  Deno.writeTextFileSync(file, `${found.value}\n`);
  say(`the queue is split ${found.value} ways, not ${defaultQueueSplit}: wrote ${file}`);
  return ok(homeAt(dir, { queueSplit: found.value }));
}
