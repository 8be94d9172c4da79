import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { Submission } from "../../../components/lib/queue/submission.ts";
import { Client } from "../../../components/lib/wire/client.ts";
import type { Pipe } from "../../../components/lib/wire/pipe.ts";
import type { MessageOptions } from "../../../components/lib/queue/message_options.ts";
import {
  dataBytes,
  longestOptions,
  parseQueueRequest,
  type QueueRequest,
} from "../../../components/lib/wire/queue_protocol.ts";
import { end, type Place, place } from "../wire/support.ts";

const kibibyte = 1024;
const envelope = { sender: "amy@a.example", recipients: ["bob@b.example"] };

/** A qmail-queue that notes what it is asked and answers code 0. */
function fakeQueue(here: Place, onRequest: (request: QueueRequest, pipe: Pipe) => void = () => {}) {
  const requests: QueueRequest[] = [];
  const aborted = Promise.withResolvers<void>();
  const server = here.serve({
    onFrame: (frame, pipe) => {
      const request = parseQueueRequest(frame);
      requests.push(request);
      onRequest(request, pipe);
      if (request.op === "message" || request.op === "close") pipe.send({ id: request.id, code: 0, qp: 4896 });
      if (request.op === "abort") aborted.resolve();
    },
  });
  const ops = () => requests.map((request) => request.op);
  const content = () => requests.reduce((sum, request) => sum + ("content" in request ? request.content.length : 0), 0);
  return { server, requests, aborted: aborted.promise, ops, content };
}

describe("Submission", () => {
  it("sends a small message as one frame", async () => {
    using here = place();
    const queue = fakeQueue(here);
    const client = new Client(here.path);
    const submission = new Submission(client, "network", 7);
    assertEquals(submission.write(new Uint8Array(100 * kibibyte)), undefined);
    assertEquals(submission.write(new Uint8Array()), undefined);
    assertEquals(submission.write(new Uint8Array(28 * kibibyte)), undefined);
    assertEquals(await submission.commit(envelope), { code: 0, qp: 4896 });
    const [request] = queue.requests;
    assert(request?.op === "message");
    assertEquals(request.envelope, { ...envelope, origin: "network", uid: 7 });
    assertEquals(request.content.length, 128 * kibibyte);
    client.close();
  });

  it("sends what the client asked for beside the envelope, whatever the size, and nothing where that says nothing", async () => {
    using here = place();
    const queue = fakeQueue(here);
    const client = new Client(here.path);
    const asked: MessageOptions = {
      envid: "QQ\n",
      body: "8BITMIME",
      recipients: new Map([[0, { orcpt: "rfc822;b" }]]),
    };
    for (const sizeBytes of [10, 200 * kibibyte]) {
      for (const options of [asked, { body: "8BITMIME" as const, recipients: new Map() }]) {
        const submission = new Submission(client, "network", 7);
        await submission.write(new Uint8Array(sizeBytes));
        assertEquals((await submission.commit({ ...envelope, options })).code, 0);
      }
    }
    const sent = queue.requests.flatMap((request) => "envelope" in request ? [request.envelope.options] : []);
    const octets = "dqo1\nENVID=QQ+0A\nBODY=8BITMIME\nRCPT 0 bob@b.example ORCPT=rfc822;b\n";
    assertEquals(sent, [octets, undefined, octets, undefined]);
    client.close();
  });

  it("refuses more of that than a frame is to hold, and takes the message back", async () => {
    using here = place();
    const queue = fakeQueue(here);
    const client = new Client(here.path);
    const submission = new Submission(client, "network", 7);
    await submission.write(new Uint8Array(200 * kibibyte));
    const options = { envid: "x".repeat(longestOptions), recipients: new Map() };
    assertEquals((await submission.commit({ ...envelope, options })).code, 31);
    await queue.aborted;
    client.close();
  });

  it("sends an empty message, too", async () => {
    using here = place();
    const queue = fakeQueue(here);
    const client = new Client(here.path);
    assertEquals((await new Submission(client, "uid", 7).commit(envelope)).code, 0);
    assertEquals([queue.ops(), queue.content()], [["message"], 0]);
    client.close();
  });

  it("sends a larger one as it comes: open, data of at most 256 KiB, close", async () => {
    using here = place();
    const queue = fakeQueue(here);
    const client = new Client(here.path);
    const submission = new Submission(client, "bounce", 0);
    for (let piece = 0; piece < 40; piece++) await submission.write(new Uint8Array(64 * kibibyte).fill(piece));
    await submission.write(new Uint8Array(600 * kibibyte));
    assertEquals(await submission.commit(envelope), { code: 0, qp: 4896 });
    const ops = queue.ops();
    assertEquals([ops[0], ops.at(-1), queue.content()], ["open", "close", (40 * 64 + 600) * kibibyte]);
    assert(ops.slice(1, -1).every((op) => op === "data"));
    assert(queue.requests.every((request) => request.op !== "data" || request.content.length <= dataBytes));
    const firsts = queue.requests.flatMap((request) => request.op === "data" ? [request.content[0]!] : []);
    assertEquals(firsts.slice(0, -3), firsts.slice(0, -3).toSorted((a, b) => a - b));
    client.close();
  });

  it("waits in write() while the queue does not read, so that nobody holds a large message", async () => {
    using here = place();
    const held = Promise.withResolvers<void>();
    const listening = here.serve({ onFrame: () => held.promise });
    const client = new Client(here.path);
    const submission = new Submission(client, "network", 7);
    let passed = 0;
    const writing = (async () => {
      for (let piece = 0; piece < 64; piece++) {
        await submission.write(new Uint8Array(256 * kibibyte));
        passed++;
      }
    })();
    // All that can go goes while these round trips of another connection are made.
    for (let turn = 0; turn < 20; turn++) (await Deno.connect({ transport: "unix", path: here.path })).close();
    assert(passed < 12, `${passed} pieces of 256 KiB went on without a reader`);
    held.resolve();
    await writing;
    end(listening);
    client.close();
  });

  it("takes back with abort() what has been sent", async () => {
    using here = place();
    const queue = fakeQueue(here);
    const client = new Client(here.path);
    const submission = new Submission(client, "network", 7);
    await submission.write(new Uint8Array(200 * kibibyte));
    submission.abort();
    await queue.aborted;
    assertEquals(queue.ops(), ["open", "data", "abort"]);
    client.close();
  });

  it("sends nothing at all when a small message is aborted", async () => {
    using here = place();
    const queue = fakeQueue(here);
    const client = new Client(here.path);
    const submission = new Submission(client, "network", 7);
    submission.write(new Uint8Array(kibibyte));
    submission.abort();
    assertEquals((await submission.commit(envelope)).code, 74);
    assertEquals(queue.ops(), []);
    client.close();
  });

  it("answers 74 when the queue is away", async () => {
    using here = place();
    const client = new Client(here.path, { connectMs: 10 });
    assertEquals(await new Submission(client, "network", 7).commit(envelope), { code: 74, qp: 0 });
    const large = new Submission(client, "network", 7);
    await large.write(new Uint8Array(200 * kibibyte));
    assertEquals(await large.commit(envelope), { code: 74, qp: 0 });
  });

  it("answers 74 when the queue dies before it has answered", async () => {
    using here = place();
    const queue = fakeQueue(here, () => end(queue.server));
    const client = new Client(here.path);
    const submission = new Submission(client, "network", 7);
    submission.write(new Uint8Array(kibibyte));
    assertEquals(await submission.commit(envelope), { code: 74, qp: 0 });
    client.close();
  });

  it("answers 74 when the queue was restarted in the middle of a message: its half is not carried on", async () => {
    using here = place();
    const lost = Promise.withResolvers<void>();
    const first = fakeQueue(here, (request) => request.op === "data" ? end(first.server) : undefined);
    const client = new Client(here.path, { onClose: lost.resolve });
    const submission = new Submission(client, "network", 7);
    await submission.write(new Uint8Array(200 * kibibyte));
    await lost.promise;
    const second = fakeQueue(here);
    await client.connect();
    await submission.write(new Uint8Array(300 * kibibyte));
    assertEquals(await submission.commit(envelope), { code: 74, qp: 0 });
    assertEquals(second.ops(), []);
    client.close();
  });
});
