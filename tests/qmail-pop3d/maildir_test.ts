import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { KnownMaildirs, mostKnown } from "../../components/qmail-pop3d/known_maildirs.ts";
import { Maildir } from "../../components/qmail-pop3d/maildir.ts";
import { seenName, uidOf } from "../../components/qmail-pop3d/names.ts";
import { Session, type Update } from "../../components/qmail-pop3d/session.ts";
import { tempDir } from "../support/temp_dir.ts";

const oldSeconds = 1_700_000_000;

class Mailbox implements Disposable {
  readonly #dir = tempDir();
  readonly home = `${this.#dir.path}/joe`;
  readonly maildir = new Maildir(this.home);
  readonly known = new KnownMaildirs();
  update: Update | undefined;

  constructor(files: readonly string[] = []) {
    for (const part of ["tmp", "new", "cur"]) Deno.mkdirSync(`${this.home}/Maildir/${part}`, { recursive: true });
    for (const [index, file] of files.entries()) this.put(file, `message ${file}\n`, oldSeconds + index);
  }

  get outside(): string {
    return this.#dir.path;
  }

  put(file: string, content: string, seconds = oldSeconds): void {
    Deno.writeTextFileSync(this.path(file), content);
    Deno.utimeSync(this.path(file), seconds, seconds);
  }

  path(file: string): string {
    return `${this.home}/Maildir/${file}`;
  }

  files(): string[] {
    return ["new", "cur"].flatMap((part) =>
      Array.from(Deno.readDirSync(this.path(part)), ({ name }) => `${part}/${name}`)
    )
      .sort();
  }

  async open(nowMs = Date.now()): Promise<Session> {
    assert(this.maildir.isThere());
    const options = { nowMs, breathe: () => Promise.resolve() };
    const { snapshot } = await this.known.read(this.maildir, options);
    return new Session({
      maildir: this.maildir,
      snapshot,
      count: snapshot.countBefore(nowMs),
      breathe: () => Promise.resolve(),
      onUpdate: (update) => {
        this.update = update;
        this.known.changed(this.maildir);
      },
    });
  }

  [Symbol.dispose](): void {
    this.#dir[Symbol.dispose]();
  }
}

async function say(session: Session, line: string): Promise<string> {
  let said = "";
  for await (const { octets } of session.answer(toOctets(line))) said += fromOctets(octets);
  return said;
}

const list = (said: string) => said.split("\r\n").slice(1, -2);

describe("names in a Maildir", () => {
  const table = [
    { name: "1.M2P3Q4.host,S=5:2,FS", uid: "1.M2P3Q4.host,S=5", seen: "1.M2P3Q4.host,S=5:2,FS" },
    { name: "1.2.host", uid: "1.2.host", seen: "1.2.host:2," },
    { name: "a".repeat(200), uid: "a".repeat(200), seen: `${"a".repeat(200)}:2,` },
  ];
  for (const { name, uid, seen } of table) {
    it(`calls ${name.slice(0, 30)} ${uid.slice(0, 30)}`, () => {
      assertEquals([uidOf(name), seenName(name)], [uid, seen]);
    });
  }
  it("calls by a hash what is no unique-id", () => {
    for (const name of ["a b", ":2,S", "\u00fc"]) assert(/^[0-9a-f]{64}$/.test(uidOf(name)), name);
    assertEquals(uidOf("a b:2,S"), uidOf("a b"));
  });
});

describe("a mailbox's session", () => {
  it("orders messages by time, and keeps their unique-ids when flags change and they move", async () => {
    using box = new Mailbox(["cur/3.c:2,", "new/1.a", "new/2.b"]);
    const before = list(await say(await box.open(), "UIDL"));
    assertEquals(before, ["1 3.c", "2 1.a", "3 2.b"]);
    Deno.renameSync(box.path("cur/3.c:2,"), box.path("cur/3.c:2,RS"));
    Deno.renameSync(box.path("new/1.a"), box.path("cur/1.a:2,F"));
    assertEquals(list(await say(await box.open(Date.now() + 5000), "UIDL")), before);
  });

  it("leaves out what is of this second, of the future, hidden, or no file", async () => {
    using box = new Mailbox(["new/1.a", "new/.hidden"]);
    Deno.mkdirSync(box.path("new/folder"));
    Deno.symlinkSync(box.path("new/1.a"), box.path("new/link"));
    box.put("new/now", "x", Math.floor(Date.now() / 1000));
    box.put("new/later", "x", Math.floor(Date.now() / 1000) + 3600);
    assertEquals(list(await say(await box.open(Math.floor(Date.now() / 1000) * 1000), "UIDL")), ["1 1.a"]);
  });

  it("moves what is new to cur at QUIT, seen or not, and removes what is marked only then", async () => {
    using box = new Mailbox(["new/1.a", "new/2.b", "cur/3.c:2,S"]);
    const session = await box.open();
    await say(session, "DELE 2");
    await say(session, "DELE 3");
    assertEquals(box.files(), ["cur/3.c:2,S", "new/1.a", "new/2.b"]);
    assertEquals(await say(session, "QUIT"), "+OK \r\n");
    assertEquals(box.files(), ["cur/1.a:2,"]);
    assertEquals(box.update, { deleted: 2, seen: 1, failed: 0 });
    assertEquals(list(await say(await box.open(), "UIDL")), ["1 1.a"]);
  });

  it("finds a message that another reader has moved, and says that one is gone", async () => {
    using box = new Mailbox(["new/1.a", "new/2.b", "cur/3.c:2,", "cur/4.d:2,"]);
    const session = await box.open();
    Deno.renameSync(box.path("new/1.a"), box.path("cur/1.a:2,"));
    Deno.renameSync(box.path("new/2.b"), box.path("cur/2.b:2,FS"));
    Deno.renameSync(box.path("cur/3.c:2,"), box.path("cur/3.c:2,T"));
    Deno.removeSync(box.path("cur/4.d:2,"));
    assert((await say(session, "RETR 1")).includes("message new/1.a"));
    assert((await say(session, "RETR 2")).includes("message new/2.b"));
    assertEquals(await say(session, "RETR 4"), "-ERR unable to open that message\r\n");
    assertEquals(await say(session, "TOP 4 0"), "-ERR unable to open that message\r\n");
    for (const message of [1, 2, 3, 4]) await say(session, `DELE ${message}`);
    assertEquals(await say(session, "QUIT"), "+OK \r\n");
    assertEquals(box.files(), []);
  });

  it("removes a marked message once where two sessions mark it", async () => {
    using box = new Mailbox(["new/1.a", "new/2.b"]);
    const [one, other] = [await box.open(), await box.open()];
    await say(one, "DELE 1");
    await say(other, "DELE 1");
    assertEquals([await say(one, "QUIT"), await say(other, "QUIT")], ["+OK \r\n", "+OK \r\n"]);
    assertEquals(box.files(), ["cur/2.b:2,"]);
  });

  it("has no part in what is delivered while it lasts", async () => {
    using box = new Mailbox(["new/1.a"]);
    const session = await box.open();
    box.put("new/2.b", "x", oldSeconds - 5);
    assertEquals(await say(session, "STAT"), "+OK 1 16\r\n");
    await say(session, "DELE 1");
    await say(session, "QUIT");
    assertEquals(box.files(), ["new/2.b"]);
  });

  it("sends no file that a symlink or a FIFO has taken the place of", async () => {
    using box = new Mailbox(["new/1.a", "new/2.b"]);
    Deno.writeTextFileSync(`${box.outside}/secret`, "of another user");
    const session = await box.open();
    Deno.removeSync(box.path("new/1.a"));
    Deno.symlinkSync(`${box.outside}/secret`, box.path("new/1.a"));
    Deno.removeSync(box.path("new/2.b"));
    assert((await new Deno.Command("mkfifo", { args: [box.path("new/2.b")] }).output()).success);
    for (const message of [1, 2]) {
      assertEquals(await say(session, `RETR ${message}`), "-ERR unable to open that message\r\n");
      await say(session, `DELE ${message}`);
    }
    await say(session, "QUIT");
    assertEquals(Deno.readTextFileSync(`${box.outside}/secret`), "of another user");
  });

  it("is refused where new or cur leads out of the home", () => {
    for (const part of ["new", "cur"]) {
      using box = new Mailbox();
      Deno.mkdirSync(`${box.outside}/other`);
      Deno.removeSync(box.path(part));
      Deno.symlinkSync(`${box.outside}/other`, box.path(part));
      assertEquals(box.maildir.isThere(), false);
    }
  });

  it("tells the client, and keeps the message, where the disk does not remove it", async () => {
    using box = new Mailbox(["new/1.a", "new/2.b"]);
    const session = await box.open();
    await say(session, "DELE 1");
    box.maildir.remove = () => {
      throw new Error("no space left");
    };
    assertEquals(await say(session, "QUIT"), "-ERR unable to unlink all deleted messages\r\n");
    assertEquals(box.files(), ["cur/2.b:2,", "new/1.a"]);
    assertEquals(box.update?.failed, 1);
  });

  it("holds one piece of a large message at a time", async () => {
    using box = new Mailbox();
    box.put("new/1.a", `Subject: large\n\n${".\n".repeat(2_000_000)}`);
    let [largest, total, pieces] = [0, 0, 0];
    for await (const { octets, last } of (await box.open()).answer(toOctets("RETR 1"))) {
      largest = Math.max(largest, octets.length);
      total += octets.length;
      pieces += last ? 0 : 1;
    }
    assert(largest <= 64 * 1024, `${largest}`);
    assert(pieces > 100);
    assertEquals(total, "+OK \r\nSubject: large\r\n\r\n".length + 4 * 2_000_000 + "\r\n.\r\n".length);
  });
});

describe("Maildir", () => {
  it("removes from tmp what was left for 36 hours, and nothing else", () => {
    using box = new Mailbox();
    const nowMs = Date.now();
    const hours = (count: number) => nowMs / 1000 - count * 3600;
    for (const [name, age] of [["old", 37], ["young", 35]] as const) {
      Deno.writeTextFileSync(box.path(`tmp/${name}`), "x");
      Deno.utimeSync(box.path(`tmp/${name}`), hours(age), hours(age));
    }
    box.maildir.cleanTmp(nowMs);
    assertEquals(Array.from(Deno.readDirSync(box.path("tmp")), ({ name }) => name), ["young"]);
  });
});

describe("a mailbox with 100,000 messages", () => {
  const count = 100_000;

  it("is looked at file by file once, by its names after a change, and not at all without one", async () => {
    using box = new Mailbox();
    for (let at = 0; at < count; at++) {
      // Empty files: what they hold is never read.
      Deno.writeFileSync(
        box.path(`cur/17000${String(at).padStart(5, "0")}.M1P2Q${at}.mx.example.com,S=0:2,S`),
        new Uint8Array(),
      );
    }
    const nowMs = Date.now() + 10_000;
    let breaths = 0;
    const calls = { lstat: 0, readDir: 0 };
    const original = { lstatSync: Deno.lstatSync, readDirSync: Deno.readDirSync };
    Deno.lstatSync = (path) => (calls.lstat++, original.lstatSync(path));
    Deno.readDirSync = (path) => (calls.readDir++, original.readDirSync(path));
    const open = async (atMs: number) => {
      calls.lstat = calls.readDir = 0;
      const beganMs = performance.now();
      const breathe = () => (breaths++, Promise.resolve());
      const { snapshot } = await box.known.read(box.maildir, { nowMs: atMs, breathe });
      return { snapshot, tookMs: Math.round(performance.now() - beganMs), ...calls };
    };
    try {
      const first = await open(nowMs);
      assertEquals([first.snapshot.size, first.lstat, first.readDir], [count, count, 2]);
      assertEquals(breaths, count / 1000);
      const second = await open(nowMs + 5000);
      assertEquals([second.snapshot === first.snapshot, second.lstat, second.readDir], [true, 0, 0]);
      box.put("new/1.new", "x", oldSeconds);
      const third = await open(nowMs + 10_000);
      assertEquals([third.snapshot.size, third.lstat, third.readDir], [count + 1, 1, 2]);
      console.log(`opened in ${first.tookMs} ms, again in ${second.tookMs} ms, after a change in ${third.tookMs} ms`);
    } finally {
      Object.assign(Deno, original);
    }
  });
});

describe("KnownMaildirs", () => {
  it("forgets the mailboxes that were not opened for longest", async () => {
    const known = new KnownMaildirs();
    const boxOf = (path: string, size: number) =>
      ({
        path,
        scan: () => Promise.resolve({ snapshot: { size }, stamps: [], begunMs: 0 }),
      }) as unknown as Maildir;
    const options = { nowMs: 0, breathe: () => Promise.resolve() };
    for (let at = 0; at < 10; at++) await known.read(boxOf(`/${at}`, mostKnown / 4), options);
    assertEquals(known.messages, mostKnown);
  });
});
