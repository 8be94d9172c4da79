import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { concat, encodeFrame, type Frame, FrameReader } from "../../../components/lib/wire/frame.ts";
import { Pipe, type Streams } from "../../../components/lib/wire/pipe.ts";
import { bytes } from "../octets.ts";
import { microtasks } from "../../support/wait.ts";

const mebibyte = 1024 * 1024;

/** A peer that takes octets only when it is let, and sends what it is told to. */
class Peer implements Streams {
  readonly written: number[] = [];
  closed = false;
  fails = false;
  #gates: (() => void)[] = [];
  #open = false;
  #ended = Promise.withResolvers<null>();

  async write(octets: Uint8Array): Promise<number> {
    if (!this.#open) await new Promise<void>((resolve) => this.#gates.push(resolve));
    if (this.fails) throw new Deno.errors.BrokenPipe("gone");
    this.written.push(octets.length);
    return octets.length;
  }

  read(): Promise<number | null> {
    return this.#ended.promise;
  }

  close(): void {
    this.closed = true;
    this.#ended.resolve(null);
  }

  letAll(): void {
    this.#open = true;
    this.#gates.forEach((open) => open());
  }
}

/** Whether `promise` has settled by now. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  const no = Symbol();
  await microtasks();
  return await Promise.race([promise, Promise.resolve(no)]) !== no;
}

describe("Pipe", () => {
  it("sends what one turn wrote in one write", async () => {
    const peer = new Peer();
    peer.letAll();
    const pipe = new Pipe(peer);
    for (let n = 0; n < 10; n++) pipe.send({ n });
    await pipe.flushed();
    assertEquals(peer.written, [10 * ('{"n":1}'.length + 8)]);
  });

  it("sends every frame whole and in order, however large and however many at a time", async () => {
    const sizes = fc.array(fc.oneof(fc.nat(200), fc.nat(200_000)), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(70_000), async (bodies, mostAtOnce) => {
        const reader = new FrameReader(16 * mebibyte);
        const got: Frame[] = [];
        const pipe = new Pipe({
          write: (octets) => {
            const taken = octets.slice(0, 1 + mostAtOnce);
            got.push(...reader.push(taken));
            return Promise.resolve(taken.length);
          },
          read: () => Promise.resolve(null),
          close: () => {},
        });
        for (const [n, size] of bodies.entries()) {
          const body = new Uint8Array(size).fill(n);
          // In pieces: as it is when it leaves. As a whole: its memory may be used again.
          pipe.send({ n }, n % 2 === 0 ? body : [body.subarray(0, size >> 1), body.subarray(size >> 1)]);
          if (n % 2 === 0) body.fill(0xff);
        }
        await pipe.flushed();
        assertEquals(got.map(({ head, body }) => [head["n"], body.length]), bodies.map((size, n) => [n, size]));
        assert(got.every(({ body }, n) => body.every((octet) => octet === n)));
      }),
      { numRuns: 40 },
    );
  });

  it("sends what comes while a write is under way behind it, in order", async () => {
    const peer = new Peer();
    const pipe = new Pipe(peer);
    const frame = encodeFrame({ n: 1 }).length;
    pipe.send({ n: 1 });
    await settled(pipe.flushed());
    for (let n = 2; n < 5; n++) pipe.send({ n });
    peer.letAll();
    await pipe.flushed();
    assertEquals(peer.written, [frame, 3 * frame]);
  });

  it("takes the frames of one read in one turn, and those behind one that takes its time after it", async () => {
    const chunks = [["a", "b", "slow", "c"], ["d"]].map((heads) => heads.map((n) => encodeFrame({ n })));
    const pipe = new Pipe({
      read: (buffer) => {
        const next = chunks.shift();
        if (next === undefined) return Promise.resolve(null);
        const octets = concat(next, next.reduce((sum, { length }) => sum + length, 0));
        buffer.set(octets);
        return Promise.resolve(octets.length);
      },
      write: (octets) => Promise.resolve(octets.length),
      close: () => {},
    });
    const seen: unknown[] = [];
    const end = Promise.withResolvers<void>();
    const done = pipe.each((frame) => {
      const n = frame.head["n"];
      if (n === "a") queueMicrotask(() => seen.push("a turn later"));
      seen.push(n);
      return n === "slow" ? end.promise : undefined;
    });
    await settled(done);
    assertEquals(seen, ["a", "b", "slow", "a turn later"]);
    end.resolve();
    await done;
    assertEquals(seen, ["a", "b", "slow", "a turn later", "c", "d"]);
    assert(pipe.closed);
  });

  it("rejects with what the taker of a frame throws, and is closed then", async () => {
    const frame = encodeFrame({ n: 1 });
    const pipe = new Pipe({
      read: (buffer) => Promise.resolve((buffer.set(frame), frame.length)),
      write: (octets) => Promise.resolve(octets.length),
      close: () => {},
    });
    const surprise = () => {
      throw new Error("no such frame");
    };
    const error = await assertRejects(() => pipe.each(surprise));
    assertEquals((error as Error).message, "no such frame");
    assert(pipe.closed);
  });

  it("lets drained() wait while more than a mebibyte does, until the peer has read", async () => {
    const peer = new Peer();
    const pipe = new Pipe(peer);
    pipe.send({}, new Uint8Array(mebibyte / 2));
    assert(await settled(pipe.drained()));
    pipe.send({}, new Uint8Array(mebibyte));
    const drained = pipe.drained();
    assert(!await settled(drained));
    assert(!await settled(pipe.flushed()));
    peer.letAll();
    await drained;
    await pipe.flushed();
  });

  it("lets drained() and flushed() settle when the peer is gone, and closes", async () => {
    const peer = new Peer();
    peer.fails = true;
    const pipe = new Pipe(peer);
    pipe.send({}, new Uint8Array(2 * mebibyte));
    peer.letAll();
    await Promise.all([pipe.drained(), pipe.flushed()]);
    assert(pipe.closed && peer.closed);
  });

  it("sends nothing after close(), which may be called twice", async () => {
    const peer = new Peer();
    peer.letAll();
    const pipe = new Pipe(peer);
    pipe.close();
    pipe.close();
    pipe.send({}, bytes("x"));
    await pipe.flushed();
    assertEquals(peer.written, []);
  });

  it("ends its frames when the peer closes, and is closed then", async () => {
    const peer = new Peer();
    const pipe = new Pipe(peer);
    const frames = Array.fromAsync(pipe.frames());
    peer.close();
    assertEquals(await frames, []);
    assert(pipe.closed);
  });

  it("keeps a fast writer's memory bounded over a real socket", async () => {
    const dir = Deno.makeTempDirSync({ prefix: "dq" });
    const listener = Deno.listen({ transport: "unix", path: `${dir}/s` });
    const accepted = listener.accept();
    const sender = new Pipe(await Deno.connect({ transport: "unix", path: `${dir}/s` }));
    const receiver = new Pipe(await accepted);
    const sent = (async () => {
      for (let n = 0; n < 64; n++) {
        sender.send({ n }, new Uint8Array(mebibyte / 4));
        await sender.drained();
      }
      await sender.flushed();
      sender.close();
    })();
    let next = 0;
    for await (const frame of receiver.frames()) assertEquals(frame.head["n"], next++);
    assertEquals(next, 64);
    await sent;
    listener.close();
    Deno.removeSync(dir, { recursive: true });
  });
});
