/** The real qmail-local for virtual mailboxes: what their `.qmail` files may say, and what they may not. */
import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { world } from "./world.ts";

const message = "Subject: a\n\nhello\n";

describe("qmail-local for virtual mailboxes", () => {
  it("follows a .qmail with forwards and Maildirs of its home", async () => {
    await using world_ = world();
    world_.write(".qmail", "&amy@a.example\n./Maildir/\n");
    assertEquals(await world_.deliver(message), { verdict: "K", text: "did 1+1+0\nqp 4711\n" });
    assertEquals(world_.queued[0]?.envelope.recipients, ["amy@a.example"]);
  });

  it("delivers every extension without a file to the Maildir, and one with a file by it", async () => {
    await using world_ = world();
    const shop = { recipient: "joe-shop@localhost", dash: "-", extension: "shop" };
    assertEquals((await world_.deliver(message, shop)).text, "did 1+0+0\n");
    world_.write(".qmail-list", "amy@a.example\n");
    assertEquals((await world_.deliver(message, { ...shop, extension: "list" })).text, "did 0+1+0\nqp 4711\n");
    assertEquals(world_.files().length, 1);
  });

  const unfollowed = [
    { what: "a program", text: "|cat > stolen\n" },
    { what: "a program behind forwards", text: "amy@a.example\n|true\n" },
    { what: "a path above the home", text: "./../amy/Maildir/\n" },
    { what: "an absolute path elsewhere", text: "/etc/mbox\n" },
    { what: "the home itself", text: "./\n" },
  ];
  it("follows no line of a file with a program or a path out of its home, and keeps the mail in the Maildir", async () => {
    await using world_ = world();
    for (const { what, text } of unfollowed) {
      world_.write(".qmail", text);
      assertEquals(await world_.deliver(message), { verdict: "K", text: "did 1+0+0\n" }, what);
    }
    assertEquals([world_.files().length, world_.queued], [unfollowed.length, []]);
  });

  it("delivers to the Maildir where the default delivery is a program", async () => {
    await using world_ = world();
    assertEquals((await world_.deliver(message, { defaultDelivery: "|preline procmail\n" })).text, "did 1+0+0\n");
  });

  it("writes through no symlink that leads out of the home, be it Maildir, new, tmp or an mbox", async () => {
    for (const name of ["Maildir", "Maildir/new", "Maildir/tmp"]) {
      await using world_ = world();
      const amy = world_.home.mail("localhost", "amy");
      for (const folder of ["tmp", "new", "cur"]) Deno.mkdirSync(`${amy}/${folder}`, { recursive: true });
      Deno.removeSync(`${world_.userHome}/${name}`, { recursive: true });
      Deno.symlinkSync(name === "Maildir" ? amy : `${amy}/${name.slice(8)}`, `${world_.userHome}/${name}`);
      assertEquals((await world_.deliver(message)).text, "Temporary error on maildir delivery. (#4.3.0)\n", name);
      assertEquals([...Deno.readDirSync(`${amy}/new`), ...Deno.readDirSync(`${amy}/tmp`)], [], name);
    }
    await using world_ = world();
    Deno.writeTextFileSync(world_.home.mail("amy"), "untouched");
    Deno.symlinkSync(world_.home.mail("amy"), `${world_.userHome}/box`);
    world_.write(".qmail", "./box\n");
    assertEquals((await world_.deliver(message)).verdict, "Z");
    assertEquals(Deno.readTextFileSync(world_.home.mail("amy")), "untouched");
  });

  it("takes no symlink for a .qmail file", async () => {
    await using world_ = world();
    Deno.writeTextFileSync(world_.home.mail("theirs"), "amy@a.example\n");
    Deno.symlinkSync(world_.home.mail("theirs"), `${world_.userHome}/.qmail`);
    assertEquals([(await world_.deliver(message)).text, world_.queued], ["did 1+0+0\n", []]);
  });

  it("leaves everything outside the home as it was, whatever recipient, extension and .qmail are", async () => {
    await using world_ = world();
    const amy = world_.home.mail("localhost", "amy", "Maildir");
    for (const folder of ["tmp", "new", "cur"]) Deno.mkdirSync(`${amy}/${folder}`, { recursive: true });
    const octets = fc.string({
      unit: fc.constantFrom("a", "/", ".", "..", "-", "amy", "\n", "\xff", "|", "$", "`", "Maildir/", "default"),
    });
    const outside = () =>
      [amy, `${amy}/new`, `${amy}/tmp`, world_.home.mail(), world_.home.mail("localhost")]
        .map((folder) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort());
    const before = outside();
    await fc.assert(
      fc.asyncProperty(octets, octets, octets, async (recipient, extension, text) => {
        world_.write(".qmail", `${text}\n./Maildir/\n`);
        const fields = { recipient: `${recipient}@localhost`, extension, dash: "-" };
        await world_.deliver(message, fields);
        await world_.deliver(message, { recipient: `${recipient}@localhost` });
        assertEquals(outside(), before);
      }),
      { numRuns: 60 },
    );
  });
});
