import { assertEquals, assertStringIncludes } from "@std/assert";
import { existsSync } from "@std/fs";
import { describe, it } from "@std/testing/bdd";
import { type NumberedFolders, readHome, settleQueueSplit, splitOf } from "../../scripts/home/queue_split.ts";
import { tempDir } from "../support/temp_dir.ts";

function upTo(split: number): number[] {
  return Array.from({ length: split }, (_, part) => part);
}

function folders(split: number, others: Partial<NumberedFolders> = {}): NumberedFolders {
  const parts = upTo(split);
  return { mess: parts, info: parts, local: parts, remote: parts, todo: [], intd: [], ...others };
}

describe("splitOf()", () => {
  for (const split of [0, 1, 7, 23, 199, 401, 10_000]) {
    it(`is ${split} where all four have as many`, () =>
      assertEquals(splitOf(folders(split)), { ok: true, value: split }));
  }

  const same = "mess, info, local, remote have to have the same";
  const refused = [
    {
      what: "one of them has fewer",
      given: folders(7, { remote: upTo(6) }),
      error: `queue/remote/6 is missing, for queue/mess has folders up to 6; ${same}`,
    },
    {
      what: "one of them has more",
      given: folders(7, { info: upTo(8) }),
      error: `queue/mess/7 is missing, for queue/info has folders up to 7; ${same}`,
    },
    {
      what: "one of them has none",
      given: folders(1, { local: [] }),
      error: `queue/local/0 is missing, for queue/mess has folders up to 0; ${same}`,
    },
    {
      what: "all of them lack the same one",
      given: folders(0, { mess: [0, 2], info: [0, 2], local: [0, 2], remote: [0, 2] }),
      error: `queue/mess/1 is missing, for queue/mess has folders up to 2; ${same}`,
    },
    {
      what: "there are more than any queue has",
      given: folders(10_001),
      error: "queue/mess/10000 is a folder, 10000 are the most",
    },
  ];
  for (const { what, given, error } of refused) {
    it(`names the folder where ${what}`, () => assertEquals(splitOf(given), { ok: false, error }));
  }

  for (const dir of ["todo", "intd"] as const) {
    it(`refuses a split ${dir} by its name`, () => {
      const split = splitOf(folders(23, { [dir]: upTo(23) }));
      assertStringIncludes(split.ok ? "" : split.error, `queue/${dir}/0 is a folder`);
    });
  }
});

describe("settleQueueSplit()", () => {
  /** Settles a home with these folders below queue/; answers the split, or the error, with what was said and written. */
  function settle(paths: readonly string[], control?: string) {
    using dir = tempDir();
    for (const path of paths) Deno.mkdirSync(`${dir.path}/queue/${path}`, { recursive: true });
    if (control !== undefined) {
      Deno.mkdirSync(`${dir.path}/control`);
      Deno.writeTextFileSync(`${dir.path}/control/queuesplit`, control);
    }
    const said: string[] = [];
    const settled = settleQueueSplit(dir.path, (line) => said.push(line.replace(dir.path, "~")));
    const file = `${dir.path}/control/queuesplit`;
    return {
      split: settled.ok ? settled.value.queueSplit : settled.error.replace(dir.path, "~"),
      said,
      written: existsSync(file) ? Deno.readTextFileSync(file) : undefined,
    };
  }
  const split = (parts: number, dirs = ["mess", "info", "local", "remote"]) =>
    dirs.flatMap((dir) => [dir, ...upTo(parts).map((part) => `${dir}/${part}`)]);
  const whole = (parts: number) => [...split(parts), "todo", "intd", "lock"];

  it("is qmail's own number for a new home, and says and writes nothing", () =>
    assertEquals(settle([]), { split: 23, said: [], written: undefined }));

  it("is what control/queuesplit has for a new home", () =>
    assertEquals(settle([], "7\n"), { split: 7, said: [], written: "7\n" }));

  it("is what control/queuesplit and the folders have", () =>
    assertEquals(settle(whole(7), "7\n"), { split: 7, said: [], written: "7\n" }));

  it("writes nothing for a queue with qmail's own number", () =>
    assertEquals(settle(whole(23)), { split: 23, said: [], written: undefined }));

  it("writes down another number that it finds, and says so in one line", () =>
    assertEquals(settle(whole(199)), {
      split: 199,
      said: ["the queue is split 199 ways, not 23: wrote ~/control/queuesplit"],
      written: "199\n",
    }));

  it("takes the folders' word also where locks are missing, for they do not come with every copy", () =>
    assertEquals(settle(split(7)).split, 7));

  it("refuses folders that are not as control/queuesplit has it, and leaves that as it is", () =>
    assertEquals(settle(whole(7), "23\n"), {
      split: 'Cannot use control file "queuesplit": expected 7, as many as there are folders in ~/queue/mess, got "23"',
      said: [],
      written: "23\n",
    }));

  for (
    const [what, paths] of [["mess", split(4, ["mess"])], ["local", [
      ...split(23, ["mess", "info"]),
      ...split(2, ["local"]),
    ]]] as const
  ) {
    it(`goes on with a first start that was interrupted at ${what}`, () =>
      assertEquals(settle(paths), { split: 23, said: [], written: undefined }));
  }

  it("does not take a folder that no start of this split makes for an interrupted one", () =>
    assertStringIncludes(String(settle(split(24, ["mess"])).split), "queue/info/0 is missing"));

  it("counts folders alone, and plain numbers", () =>
    assertEquals(settle([...whole(7), "mess/07", "mess/x", "info/-1"]).split, 7));
});

describe("readHome()", () => {
  it("has the split of control/queuesplit", () => {
    using dir = tempDir();
    Deno.mkdirSync(`${dir.path}/control`);
    Deno.writeTextFileSync(`${dir.path}/control/queuesplit`, "401\n");
    const home = readHome(dir.path);
    assertEquals(home.ok && [home.value.dir, home.value.queueSplit], [dir.path, 401]);
  });
});
