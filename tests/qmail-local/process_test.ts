/** The real qmail-local, with its grant, over its standard streams. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { world } from "./world.ts";

const kibibyte = 1024;

const delivered = "Delivered-To: joe@localhost\n";
const manyLines = (bytes: number) => `X-Line: ${"a".repeat(92)}\n`.repeat(Math.ceil(bytes / 101));

describe("qmail-local", () => {
  it("puts Return-Path and Delivered-To in front and leaves the message as it is", async () => {
    await using world_ = world();
    const text = "Subject: a\n\nhello\n";
    const report = await world_.deliver(text, { sender: "amy@a.example" });
    assertEquals(report, { verdict: "K", text: "did 1+0+0\n" });
    assertEquals(world_.files(), [`Return-Path: <amy@a.example>\n${delivered}${text}`]);
  });

  it("delivers a message of many pieces whole", async () => {
    await using world_ = world();
    const text = `Subject: a\n\n${manyLines(700 * kibibyte)}`;
    assertEquals((await world_.deliver(text)).verdict, "K");
    assertEquals(world_.files(), [`Return-Path: <>\n${delivered}${text}`]);
  });

  const loops = [
    { claim: "among its header's first lines", text: `${delivered}\nhello\n`, verdict: "D" },
    { claim: "behind 200 KiB of header", text: `${manyLines(200 * kibibyte)}${delivered}\nhello\n`, verdict: "D" },
    { claim: "as the last line of a message without body", text: `A: b\n${delivered}`, verdict: "D" },
    { claim: "only in the body", text: `A: b\n\n${delivered}`, verdict: "K" },
    {
      claim: "only in a body behind 200 KiB of header",
      text: `${manyLines(200 * kibibyte)}\n${delivered}`,
      verdict: "K",
    },
    { claim: "for another recipient", text: "Delivered-To: amy@localhost\n\nhello\n", verdict: "K" },
  ];
  it("refuses a message that has its Delivered-To in the header, however long that is, and no other", async () => {
    await using world_ = world();
    for (const { claim, text, verdict } of loops) {
      const report = await world_.deliver(text);
      assertEquals(report.verdict, verdict, claim);
      if (verdict === "D") assert(report.text.startsWith("This message is looping:"), claim);
    }
    assertEquals(world_.files().length, 3);
  });

  it("defers when there is no Maildir, or a home outside its grant", async () => {
    await using world_ = world();
    const absent = await world_.deliver("A: b\n\n", { home: `${world_.userHome}/absent` });
    assertEquals(absent, { verdict: "Z", text: "Unable to chdir to maildir. (#4.2.1)\n" });
    const outside = await world_.deliver("A: b\n\n", { home: "/tmp" });
    assertEquals(outside.verdict, "Z");
    assertEquals((await world_.deliver("A: b\n\n")).verdict, "K");
  });

  it("is told apart from an answer when it dies", async () => {
    await using world_ = world();
    assertEquals((await world_.deliver("A: b\n\n")).verdict, "K");
    world_.child.kill("SIGKILL");
    await world_.child.status;
    const error = await assertRejects(() => world_.deliver("A: b\n\n")) as Error;
    assertEquals(error.name, "ConnectionLost");
  });
});
