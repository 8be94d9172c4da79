import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { queueFile } from "../../components/lib/queue/layout.ts";
import type { Home } from "../../config/home.ts";
import { repair } from "../../scripts/queue/repair.ts";
import { queueFiles } from "../support/queue_files.ts";
import { type Files, realQueue } from "../support/real_queue.ts";

const todo = "u0\0p1\0Famy@a.example\0Tbob@b.example\0";
const good: Files = { info: "Famy@a.example\0", remote: "Tbob@b.example\0" };
const nobody = { owner: undefined, [Symbol.dispose]: () => {} };

interface Row {
  readonly name: string;
  readonly files: Files;
  readonly text?: string;
  /** What is done to the queue before, besides. */
  readonly damage?: (home: Home, id: number) => void;
  /** Where the message's files are afterwards, and what stands aside; `N` is its number, `P` its part. */
  readonly queue: readonly string[];
  readonly aside: readonly string[];
  /** Kinds of findings that stay. */
  readonly left?: readonly string[];
}

const rows: readonly Row[] = [
  { name: "nothing of S5", files: good, queue: ["info/P/N", "mess/P/N", "remote/P/N"], aside: [] },
  {
    name: "a file in the wrong folder to the right one",
    files: good,
    damage: (home, id) =>
      Deno.renameSync(queueFile(home, "remote", id), home.queue("remote", String((id + 1) % 23), String(id))),
    queue: ["info/P/N", "mess/P/N", "remote/P/N"],
    aside: [],
  },
  {
    name: "a file in the wrong folder aside, where the right one has one",
    files: good,
    damage: (home, id) => Deno.writeTextFileSync(home.queue("remote", "W", String(id)), "Tx@y\0"),
    queue: ["info/P/N", "mess/P/N", "remote/P/N"],
    aside: ["remote/W/N"],
  },
  {
    name: "intd to be todo",
    files: { todo, intd: "other" },
    queue: ["intd/N", "mess/P/N", "todo/N"],
    aside: ["intd/N"],
  },
  {
    name: "intd of a preprocessed message aside",
    files: { ...good, intd: todo },
    queue: ["info/P/N", "mess/P/N", "remote/P/N"],
    aside: ["intd/N"],
  },
  { name: "a text that was never accepted aside", files: { intd: todo }, queue: [], aside: ["intd/N", "mess/P/N"] },
  {
    name: "an accepted message without a text aside",
    files: good,
    text: "",
    queue: [],
    aside: ["info/P/N", "mess/P/N", "remote/P/N"],
  },
  {
    name: "recipients without a sender aside, with their text",
    files: { remote: good.remote! },
    queue: [],
    aside: ["mess/P/N", "remote/P/N"],
  },
  {
    name: "files without a text aside",
    files: good,
    damage: (home, id) => Deno.removeSync(queueFile(home, "mess", id)),
    queue: [],
    aside: ["info/P/N", "remote/P/N"],
  },
  {
    name: "a message whose envelope is none aside",
    files: { todo: "nonsense" },
    queue: [],
    aside: ["mess/P/N", "todo/N"],
  },
  {
    name: "nothing of a message under another number than its inode",
    files: {},
    damage: (home, id) => {
      // Beside the old one, whose inode the new one could be given otherwise.
      for (let n = 0; n < 2; n++) Deno.writeTextFileSync(home.queue("pid", `1.1.${n}`), "x");
      Deno.renameSync(home.queue("pid", "1.1.1"), queueFile(home, "mess", id));
      Deno.writeTextFileSync(queueFile(home, "todo", id), todo);
    },
    queue: ["mess/P/N", "todo/N"],
    aside: ["pid/1.1.0"],
    left: ["wrong-inode"],
  },
  {
    name: "what no program makes aside, a folder and a symlink too",
    files: good,
    damage: (home) => {
      Deno.mkdirSync(home.queue("todo", "tmp"));
      Deno.symlinkSync("/nowhere", home.queue("bounce", "23"));
    },
    queue: ["info/P/N", "mess/P/N", "remote/P/N"],
    aside: ["bounce/23", "todo/tmp"],
  },
  {
    name: "a file in a folder's place aside, and makes the folder",
    files: good,
    damage: (home, id) => {
      const other = home.queue("local", String((id + 2) % 23));
      Deno.removeSync(other);
      Deno.writeTextFileSync(other, "");
    },
    queue: ["info/P/N", "mess/P/N", "remote/P/N"],
    aside: ["local/V"],
  },
];

/** Paths below `root` but folders, folders that are empty as well. */
function below(root: string, dir = ""): string[] {
  return [...Deno.readDirSync(`${root}/${dir}`)].flatMap(({ name, isDirectory }) => {
    const path = dir === "" ? name : `${dir}/${name}`;
    const inside = isDirectory ? below(root, path) : [];
    return inside.length > 0 ? inside : [path];
  });
}

describe("repair()", () => {
  for (const { name, files, text, damage, queue, aside, left = [] } of rows) {
    it(`moves ${name}`, async () => {
      using made = realQueue();
      const { home } = made;
      const id = made.message(files, text);
      const part = id % 23;
      // The damage may name folders by letters, too.
      const named = (path: string) =>
        path.replace("N", String(id)).replace("P", String(part)).replace("W", String((part + 1) % 23))
          .replace("V", String((part + 2) % 23));
      const home2: Home = {
        ...home,
        queue: (...parts) => home.queue(...parts.map((word) => word === "W" ? named("W") : word)),
      };
      damage?.(home2, id);
      const steps: string[] = [];
      const findings = await repair(home, nobody, (step) => Promise.resolve(void steps.push(step)));
      assertEquals(findings.map(({ kind }) => kind), left);
      assertEquals(
        queueFiles(home).map((path) => path.slice(home.queue().length + 1)).toSorted(),
        queue.map(named).toSorted(),
      );
      const folder = `${home.dir}/queue-aside`;
      const stamps = aside.length === 0 ? [] : [...Deno.readDirSync(folder)].map((entry) => entry.name);
      assert(stamps.every((stamp) => /^[0-9]{8}T[0-9]{6}$/.test(stamp)));
      assertEquals(stamps.flatMap((stamp) => below(`${folder}/${stamp}`)).toSorted(), aside.map(named).toSorted());
      for (const path of aside.map(named)) {
        assert(steps.some((step) => step.startsWith(`moved ${path} to ${folder}/`)), path);
      }
    });
  }

  it("makes intd the same file as todo", async () => {
    using made = realQueue();
    const id = made.message({ todo, intd: "other" });
    await repair(made.home, nobody, () => Promise.resolve());
    const [a, b] = (["todo", "intd"] as const).map((dir) => Deno.statSync(queueFile(made.home, dir, id)).ino);
    assertEquals(a, b);
  });
});
