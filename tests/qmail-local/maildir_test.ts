import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { deliverToMaildir, uniqueName } from "../../components/qmail-local/maildir.ts";
import { realDisk } from "../../components/lib/disk/disk.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { FakeDisk, type Keeps } from "../support/fake_disk.ts";
import { tempDir } from "../support/temp_dir.ts";

const name = "1795353563.M25000P20594Q3.localhost";
const text = "Return-Path: <>\nDelivered-To: joe@localhost\n\nhello\n";

async function* pieces() {
  for (let at = 0; at < text.length; at += 20) yield await Promise.resolve(toOctets(text.slice(at, at + 20)));
}

const deliver = (disk: FakeDisk) => deliverToMaildir(disk, "/m", name, pieces());
const settles = (disk: FakeDisk) => deliver(disk).then(() => true, () => false);
const empty = () => new FakeDisk(["/m/tmp", "/m/new"]);

/** Whole in new, or not in new. */
function check(disk: FakeDisk, settled: boolean, what: string): void {
  const found = disk.files()[`/m/new/${name}`];
  assert(found === text || (found === undefined && !settled), `${what}: ${found}`);
}

describe("uniqueName()", () => {
  const fields = { unixSeconds: 1795353563, microseconds: 25000, pid: 20594, serial: 3 };
  const rows = [
    { hostName: "localhost", want: name },
    { hostName: "a/b:c", want: "1795353563.M25000P20594Q3.a\\057b\\072c" },
    { hostName: "../../etc", want: "1795353563.M25000P20594Q3...\\057..\\057etc" },
  ];
  for (const { hostName, want } of rows) {
    it(`on ${hostName} is ${want}`, () => assertEquals(uniqueName({ ...fields, hostName }), want));
  }
});

describe("deliverToMaildir()", () => {
  it("leaves the message in new, for its owner alone, and nothing in tmp", async () => {
    using dir = tempDir();
    for (const folder of ["tmp", "new", "cur"]) Deno.mkdirSync(`${dir.path}/${folder}`);
    await deliverToMaildir(realDisk(), dir.path, name, pieces());
    assertEquals(fromOctets(Deno.readFileSync(`${dir.path}/new/${name}`)), text);
    assertEquals(Deno.statSync(`${dir.path}/new/${name}`).mode! & 0o777, 0o600);
    assertEquals([...Deno.readDirSync(`${dir.path}/tmp`)], []);
  });

  it("rejects with NotFound when there is no Maildir", async () => {
    using dir = tempDir();
    const error = await assertRejects(() => deliverToMaildir(realDisk(), `${dir.path}/absent`, name, pieces()));
    assert(error instanceof Deno.errors.NotFound);
  });

  it("writes through no symlink that waits under its name in tmp", async () => {
    using dir = tempDir();
    for (const folder of ["tmp", "new"]) Deno.mkdirSync(`${dir.path}/${folder}`);
    Deno.writeTextFileSync(`${dir.path}/target`, "untouched");
    Deno.symlinkSync(`${dir.path}/target`, `${dir.path}/tmp/${name}`);
    const error = await assertRejects(() => deliverToMaildir(realDisk(), dir.path, name, pieces()));
    assert(error instanceof Deno.errors.AlreadyExists);
    assertEquals(Deno.readTextFileSync(`${dir.path}/target`), "untouched");
  });

  it("leaves the message whole in new or not at all, when it is killed or the power fails at any operation", async () => {
    const whole = empty();
    await deliver(whole);
    const anyKeeps = fc.func(fc.constantFrom<"old" | "new" | "torn">("old", "new", "torn"));
    const extremes: Keeps[] = [() => "old", () => "new", () => "torn"];
    for (let n = 0; n <= whole.operations.length; n++) {
      const disk = empty();
      disk.stopAt(n);
      const settled = await settles(disk);
      assertEquals(settled, n === whole.operations.length);
      check(disk.afterCrash(), settled, `killed at ${n}`);
      for (const keeps of extremes) check(disk.afterPowerLoss(keeps), settled, `power lost at ${n}`);
      fc.assert(fc.property(anyKeeps, (keeps) => check(disk.afterPowerLoss(keeps), settled, `power lost at ${n}`)), {
        numRuns: 30,
      });
    }
  });

  it("rejects and leaves nothing when the disk fails at any operation", async () => {
    const whole = empty();
    await deliver(whole);
    for (const [n, operation] of whole.operations.entries()) {
      const disk = empty();
      disk.failAt(n, "ENOSPC");
      const error = await assertRejects(() => deliver(disk)) as { code?: string };
      assertEquals([error.code, disk.files(), disk.open], ["ENOSPC", {}, 0], operation);
    }
  });

  it("rejects and leaves nothing when the message ends early", async () => {
    const disk = empty();
    const broken = async function* () {
      yield await Promise.resolve(toOctets("half"));
      throw new Error("the spawner is gone");
    };
    await assertRejects(() => deliverToMaildir(disk, "/m", name, broken()));
    assertEquals([disk.files(), disk.open], [{}, 0]);
  });
});
