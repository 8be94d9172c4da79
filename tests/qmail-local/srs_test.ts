/** From whom the real qmail-local sends on, where qmail-getpw has a say. */
import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { world } from "./world.ts";

describe("qmail-local, asked to go by SRS", () => {
  const sentOn = (sender: string) => `SRS0=h=d=${sender.replace(/(.*)@(.*)/, "$2=$1")}@srs.example`;

  it("forwards from whom qmail-getpw says, for all addresses of the file at once", async () => {
    const asked: string[] = [];
    await using w = world({
      forwardSender: (sender, recipients) => {
        asked.push(`${sender} ${recipients.join(" ")}`);
        return sentOn(sender);
      },
    });
    w.write(".qmail", "&amy@a.example\n&bob@localhost\n./Maildir/\n");
    assertEquals((await w.deliver("A: b\n\n", { sender: "eve@e.example", srs: true })).verdict, "K");
    assertEquals(asked, ["eve@e.example amy@a.example bob@localhost"]);
    const { sender, recipients } = w.queued[0]!.envelope;
    assertEquals([sender, ...recipients], ["SRS0=h=d=e.example=eve@srs.example", "amy@a.example", "bob@localhost"]);
    // What stays here is from the one it is from.
    assertEquals(w.files()[0]!.split("\n")[0], "Return-Path: <eve@e.example>");
  });

  it("asks nothing for bounces, for lists with an owner, and where SRS is off", async () => {
    await using w = world({ forwardSender: () => "asked@srs.example" });
    w.write(".qmail", "&amy@a.example\n");
    w.write(".qmail-list", "&amy@a.example\n");
    w.write(".qmail-list-owner", "&joe@localhost\n");
    const list = { recipient: "joe-list@localhost", dash: "-", extension: "list" };
    await w.deliver("A: b\n\n", { sender: "", srs: true });
    await w.deliver("A: b\n\n", { sender: "#@[]", srs: true });
    await w.deliver("A: b\n\n", { sender: "eve@e.example", srs: true, ...list });
    await w.deliver("A: b\n\n", { sender: "eve@e.example" });
    const senders = w.queued.map(({ envelope }) => envelope.sender);
    assertEquals(senders, ["", "#@[]", "joe-list-owner@localhost", "eve@e.example"]);
  });

  it("defers while qmail-getpw is away, and forwards nothing", async () => {
    await using w = world();
    w.write(".qmail", "&amy@a.example\n");
    const report = await w.deliver("A: b\n\n", { sender: "eve@e.example", srs: true });
    assertEquals(report, { verdict: "Z", text: "Unable to find the sender to forward from. (#4.3.0)\n" });
    assertEquals(w.queued, []);
  });
});
