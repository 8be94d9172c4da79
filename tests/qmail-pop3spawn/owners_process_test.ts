import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { encodeFrame, type Frame, FrameReader } from "../../components/lib/wire/frame.ts";
import { Pipe } from "../../components/lib/wire/pipe.ts";
import { ProtocolError } from "../../components/lib/wire/server.ts";
import { OwnersProcess } from "../../components/qmail-pop3spawn/owners_process.ts";
import { microtasks } from "../support/wait.ts";

/** The other end of a pipe: what was written to it, and a way to say something. */
function wire() {
  const chunks: Uint8Array[] = [];
  const written: Frame[] = [];
  const reader = new FrameReader(1_000_000);
  let wake = () => {};
  let ended = false;
  const pipe = new Pipe({
    read: async (buffer) => {
      while (chunks.length === 0 && !ended) await new Promise<void>((resolve) => wake = resolve);
      const chunk = chunks.shift();
      if (chunk === undefined) return null;
      buffer.set(chunk);
      return chunk.length;
    },
    write: (octets) => {
      written.push(...reader.push(octets));
      return Promise.resolve(octets.length);
    },
    close: () => {},
  });
  const end = () => {
    ended = true;
    wake();
  };
  const say = (octets: Uint8Array) => {
    chunks.push(octets);
    wake();
  };
  return { pipe, end, say, heads: () => written.map(({ head }) => head) };
}

const whose = { login: "amy@mx.example", home: "/home/amy" };

function world() {
  const child = wire();
  const errors: unknown[] = [];
  const process = new OwnersProcess(child.pipe, (error) => errors.push(error));
  const [one, other] = [wire(), wire()];
  return { child, errors, process, one, other };
}

describe("OwnersProcess", () => {
  it("keeps sessions apart, and counts those under way", async () => {
    const { child, process, one, other } = world();
    const first = process.begin(one.pipe, 7, whose);
    process.begin(other.pipe, 7, whose);
    assertEquals(process.underWay, 2);
    child.say(encodeFrame({ kind: "opened", id: 7, session: 2, count: 1, bytes: 2 }));
    child.say(encodeFrame({ kind: "opened", id: 7, session: 1, count: 3, bytes: 4 }));
    await microtasks();
    assertEquals(one.heads(), [{ kind: "opened", id: 7, count: 3, bytes: 4 }]);
    assertEquals(other.heads(), [{ kind: "opened", id: 7, count: 1, bytes: 2 }]);
    process.end(one.pipe);
    await first.over;
    assertEquals(process.underWay, 1);
    await microtasks();
    assertEquals(child.heads().map(({ op, session }) => `${op} ${session}`), ["open 1", "open 2", "close 1"]);
  });

  it("hands on one request at a time", async () => {
    const { child, process, one } = world();
    const { relay } = process.begin(one.pipe, 1, whose);
    const assertRefused = (id: number) =>
      assert(assertThrows(() => relay.send({ op: "more", id })) instanceof ProtocolError);
    assertRefused(2);
    child.say(encodeFrame({ kind: "opened", id: 1, session: 1, count: 1, bytes: 2 }));
    await microtasks();
    relay.send({ op: "command", id: 2, line: new Uint8Array(4) });
    assertRefused(3);
  });

  it("ends the sessions of one that dies, and one that is broken off", async () => {
    const { child, process, one, other } = world();
    const sessions = [process.begin(one.pipe, 1, whose), process.begin(other.pipe, 1, whose)];
    child.say(encodeFrame({ kind: "closed", session: 2 }));
    await sessions[1]!.over;
    assert(other.pipe.closed && !one.pipe.closed);
    child.end();
    await Promise.all([sessions[0]!.over, process.ended]);
    assert(one.pipe.closed && process.closed);
    assertEquals(process.underWay, 0);
    const late = wire();
    await process.begin(late.pipe, 1, whose).over;
    assert(late.pipe.closed);
  });

  it("gives up one that talks garbage", async () => {
    for (const said of [encodeFrame({ kind: "piece" }), new Uint8Array(16).fill(255)]) {
      const { child, process, one, errors } = world();
      const { over } = process.begin(one.pipe, 1, whose);
      child.say(said);
      await Promise.all([over, process.ended]);
      assertEquals([errors.length, one.pipe.closed], [1, true]);
    }
  });

  it("takes an answer to a session that has just ended for nothing", async () => {
    const { child, process, one, errors } = world();
    process.begin(one.pipe, 1, whose);
    process.end(one.pipe);
    child.say(encodeFrame({ kind: "opened", id: 1, session: 1, count: 1, bytes: 2 }));
    await microtasks();
    assertEquals([one.heads(), errors], [[], []]);
  });
});
