import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { FromQuoter } from "../../components/lib/message/mbox_lines.ts";
import { deliverToMbox, type MboxFile, openMbox } from "../../components/qmail-local/mbox.ts";
import { tempDir } from "../support/temp_dir.ts";

/** What stands in the file for a message that comes in these pieces. */
function quoted(pieces: readonly string[]): string {
  const quoter = new FromQuoter();
  const out = pieces.flatMap((piece) => quoter.push(toOctets(piece)).map(fromOctets));
  return [...out, ...quoter.finish().map(fromOctets)].join("");
}

/** The rule, said another way. */
function model(text: string): string {
  const ended = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  return `${ended.replace(/^(>*From )/gm, ">$1")}\n`;
}

describe("FromQuoter", () => {
  const rows = [
    { text: "From here\n>From there\n", want: ">From here\n>>From there\n\n" },
    { text: "From: a\nFrom\nfrom x\n From y\n", want: "From: a\nFrom\nfrom x\n From y\n\n" },
    { text: "a From b\n>>>From c", want: "a From b\n>>>>From c\n\n" },
    { text: "", want: "\n" },
    { text: "Fro", want: "Fro\n\n" },
    { text: ">", want: ">\n\n" },
  ];
  for (const { text, want } of rows) it(`of ${JSON.stringify(text)}`, () => assertEquals(quoted([text]), want));

  it("does the same wherever the message is cut", () => {
    const text = fc.string({ unit: fc.constantFrom(">", "F", "From ", "From", "\n", "x", "r", " ") });
    fc.assert(fc.property(fc.array(text), (pieces) => assertEquals(quoted(pieces), model(pieces.join("")))));
    fc.assert(fc.property(text, (whole) => assertEquals(quoted([...whole]), model(whole))));
  });

  it("holds nothing of a line of a million >", () => {
    const quoter = new FromQuoter();
    const line = toOctets(">".repeat(1_000_000));
    assertEquals(quoter.push(line).reduce((sum, { length }) => sum + length, 0), line.length);
  });
});

async function* one(text: string) {
  yield await Promise.resolve(toOctets(text));
}
const head = toOctets("From eve@e Thu Jan 01 00:00:00 1970\n");

describe("deliverToMbox()", () => {
  it("appends, and makes the file for its owner alone", async () => {
    using dir = tempDir();
    const path = `${dir.path}/box`;
    for (const text of ["a\n", "From b"]) assert(await deliverToMbox(await openMbox(path, true), head, one(text)));
    const line = fromOctets(head);
    assertEquals(Deno.readTextFileSync(path), `${line}a\n\n${line}>From b\n\n`);
    assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
  });

  it("waits for the lock, and gives up when its time is over", async () => {
    using dir = tempDir();
    const path = `${dir.path}/box`;
    using other = Deno.openSync(path, { write: true, create: true });
    other.lockSync(true);
    const waits: number[] = [];
    const sleep = (ms: number) => {
      waits.push(ms);
      if (waits.length === 5) other.unlockSync();
      return Promise.resolve();
    };
    assert(await deliverToMbox(await openMbox(path, true), head, one("a\n"), { sleep }));
    assertEquals(waits.length, 5);
    other.lockSync(true);
    const before = Deno.readTextFileSync(path);
    assert(!await deliverToMbox(await openMbox(path, true), head, one("b\n"), { sleep: () => Promise.resolve() }));
    assertEquals(Deno.readTextFileSync(path), before);
  });

  it("lets concurrent deliveries stand behind each other, none mixed with another", async () => {
    using dir = tempDir();
    const path = `${dir.path}/box`;
    const slow = async function* (text: string) {
      for (const octet of text) yield await Promise.resolve(toOctets(octet));
    };
    const texts = Array.from({ length: 8 }, (_, at) => `${at}`.repeat(50) + "\n");
    await Promise.all(texts.map(async (text) => await deliverToMbox(await openMbox(path, true), head, slow(text))));
    const found = Deno.readTextFileSync(path).split(fromOctets(head)).slice(1).map((text) => text.trimEnd() + "\n");
    assertEquals(found.sort(), texts);
  });

  it("cuts the file back to where it ended when the message or the disk fails, at any step", async () => {
    using dir = tempDir();
    const path = `${dir.path}/box`;
    Deno.writeTextFileSync(path, "before\n");
    const failing = async function* () {
      yield await Promise.resolve(toOctets("half\n"));
      throw new Error("the spawner is gone");
    };
    await assertRejects(async () => await deliverToMbox(await openMbox(path, true), head, failing()));
    assertEquals(Deno.readTextFileSync(path), "before\n");
    for (let failAt = 0; failAt < 4; failAt++) {
      const file = await openMbox(path, true);
      let writes = 0;
      const full: MboxFile = {
        ...file,
        write: (octets) => {
          if (writes++ === failAt) throw new Error("disk full");
          file.write(octets);
        },
        sync: () => failAt === 3 ? Promise.reject(new Error("disk full")) : file.sync(),
      };
      await assertRejects(() => deliverToMbox(full, head, one("text\n")));
      assertEquals(Deno.readTextFileSync(path), "before\n");
    }
  });

  it("goes on without a lock where there are none, and cuts nothing back then", async () => {
    using dir = tempDir();
    const path = `${dir.path}/box`;
    const file = await openMbox(path, true);
    const unlocked: MboxFile = { ...file, tryLock: () => Promise.reject(new Error("not supported")) };
    assert(await deliverToMbox(unlocked, head, one("a\n")));
  });
});

describe("openMbox()", () => {
  it("takes no symlink where none may be followed, no folder and no FIFO", async () => {
    using dir = tempDir();
    Deno.writeTextFileSync(`${dir.path}/there`, "");
    Deno.symlinkSync(`${dir.path}/there`, `${dir.path}/link`);
    new Deno.Command("mkfifo", { args: [`${dir.path}/fifo`] }).outputSync();
    await assertRejects(() => openMbox(`${dir.path}/link`, false));
    await assertRejects(() => openMbox(`${dir.path}/fifo`, true));
    await assertRejects(() => openMbox(dir.path, true));
    (await openMbox(`${dir.path}/link`, true)).close();
  });
});
