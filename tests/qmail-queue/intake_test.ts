import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { Draft } from "../../components/qmail-queue/draft.ts";
import { Intake, type Store } from "../../components/qmail-queue/intake.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { formatTodo } from "../../components/lib/queue/envelope.ts";
import type { EnvelopeFields } from "../../components/lib/wire/queue_protocol.ts";
import { emptyQueue, home, queued } from "../support/queue_disk.ts";

const envelope: EnvelopeFields = { origin: "network", uid: 1, sender: "amy@a.example", recipients: ["bob@b.example"] };
const content = toOctets("Subject: a\n\nhello\n");

/** An intake over a queue in memory. */
function world() {
  const disk = emptyQueue();
  const troubles: string[] = [];
  let qp = 100;
  const begin = (octets: readonly Uint8Array[]) => {
    const born = { serial: ++qp, qp, unixSeconds: 1795333684 };
    return { draft: Draft.begin(disk, home, born, octets), qp };
  };
  const commit: Store["commit"] = (draft, qp, { uid, sender, recipients }) =>
    draft.commit(formatTodo({ uid, qp, sender, recipients }));
  const store: Store = {
    accept: async (envelope, octets) => {
      const { draft, qp } = begin([octets]);
      await commit(draft, qp, envelope);
      return qp;
    },
    begin: () => begin([]),
    write: (draft, octets) => draft.write(octets),
    commit,
    abort: (draft) => draft.abort(),
    onTrouble: (error) => troubles.push(error instanceof Error ? error.message : String(error)),
  };
  return { disk, troubles, intake: new Intake(store) };
}

const open = (id: number) => ({ op: "open", id, origin: "network", uid: 1 }) as const;
const data = (id: number) => ({ op: "data", id, content }) as const;
const close = (id: number) => ({ op: "close", id, envelope }) as const;
const message = (fields: Partial<EnvelopeFields> = {}) =>
  ({ op: "message", id: 1, envelope: { ...envelope, ...fields }, content }) as const;

describe("Intake", () => {
  it("answers 0 and qp for a message in one frame, and it is in todo", async () => {
    const { disk, intake } = world();
    assertEquals(await intake.take(message()), { code: 0, qp: 101 });
    assertEquals(queued(disk).map(({ recipients }) => recipients), [["bob@b.example"]]);
  });

  it("queues pieces of several messages at once, each under its id", async () => {
    const { disk, intake } = world();
    for (const request of [open(1), open(2), data(1), data(2), data(1)]) assertEquals(intake.take(request), undefined);
    assertEquals(await Promise.all([intake.take(close(2)), intake.take(close(1))]), [
      { code: 0, qp: 102 },
      { code: 0, qp: 101 },
    ]);
    assertEquals(queued(disk).map(({ text }) => text?.match(/hello/g)?.length).sort(), [1, 2]);
  });

  const refusals = [
    { claim: "11 for a sender of 1003 octets", fields: { sender: "a".repeat(1003) }, code: 11 },
    { claim: "11 for a recipient of 1003 octets", fields: { recipients: ["b", "a".repeat(1003)] }, code: 11 },
    { claim: "0 for addresses of 1002 octets", fields: { sender: "a".repeat(1002) }, code: 0 },
    { claim: "0 for no recipient at all", fields: { recipients: [] }, code: 0 },
  ];
  for (const { claim, fields, code } of refusals) {
    it(`answers ${claim}`, async () => {
      const { disk, intake } = world();
      assertEquals((await intake.take(message(fields)))?.code, code);
      assertEquals(Object.keys(disk.files()).length, code === 0 ? 3 : 0);
      assertEquals(disk.open, 0);
    });
  }

  const failures = [
    { claim: "53 when the disk is full from the start", at: 0, error: "ENOSPC", code: 53 },
    { claim: "63 when no file can be made", at: 0, error: "EACCES", code: 63 },
    { claim: "53 when the text cannot be written", at: 4, error: "EIO", code: 53 },
    { claim: "53 when the quota ends in the text", at: 4, error: "EDQUOT", code: 53 },
    { claim: "53 when the envelope cannot be written", at: 6, error: "EIO", code: 53 },
  ];
  for (const { claim, at, error, code } of failures) {
    it(`answers ${claim}`, async () => {
      const { disk, intake, troubles } = world();
      disk.failAt(at, error);
      for (const request of [open(1), data(1), data(1)]) assertEquals(intake.take(request), undefined);
      assertEquals((await intake.take(close(1)))?.code, code);
      assertEquals([troubles.length, disk.open, disk.files()], [1, 0, {}]);
    });
  }

  it("answers 81 for the end of a message that never began", async () => {
    assertEquals(await world().intake.take(close(7)), { code: 81, qp: 0 });
  });

  it("answers 71 for a message more than a thousand at once", async () => {
    const { disk, intake } = world();
    for (let id = 1; id <= 1001; id++) intake.take(open(id));
    assertEquals((await intake.take(close(1001)))?.code, 71);
    intake.end();
    assertEquals([disk.open, disk.files()], [0, {}]);
  });

  it("drops what is aborted and ignores what follows of it", async () => {
    const { disk, intake } = world();
    for (const request of [open(1), data(1), { op: "abort", id: 1 } as const, data(1)]) intake.take(request);
    assertEquals([disk.open, disk.files()], [0, {}]);
    assertEquals((await intake.take(close(1)))?.code, 81);
  });

  it("drops what was not closed when the connection ends, and keeps what was", async () => {
    const { disk, intake } = world();
    for (const request of [open(1), data(1), open(2), data(2)]) intake.take(request);
    const closed = intake.take(close(2));
    intake.end();
    assertEquals((await closed)?.code, 0);
    assertEquals([queued(disk).length, Object.keys(disk.files()).length, disk.open], [1, 3, 0]);
  });

  it("drops the first of two messages opened under one id", async () => {
    const { disk, intake } = world();
    for (const request of [open(1), data(1), open(1), data(1)]) intake.take(request);
    assertEquals((await intake.take(close(1)))?.code, 0);
    assertEquals([queued(disk).length, Object.keys(disk.files()).length, disk.open], [1, 3, 0]);
  });
});
