/**
 * A local client's SMTP session without a process: transcripts, cuts, and clients that fall silent.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import type { IntoQueue } from "../../../components/lib/smtp/incoming_message.ts";
import { type LocalService, serveLocalClient, type SessionEnd } from "../../../components/tools/support/local_smtp.ts";
import { qp } from "../../qmail-smtpd/fake_queue.ts";
import { play } from "../../support/transcript.ts";
import { within } from "../../support/wait.ts";
import { localTranscripts, me } from "./local_transcripts.ts";

interface Message {
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly content: string;
}

/** A queue that keeps what it gets, and answers `code`. */
function fakeQueue(code = 0): { readonly messages: Message[]; readonly log: string[]; begin(): IntoQueue } {
  const [messages, log]: [Message[], string[]] = [[], []];
  const begin = (): IntoQueue => {
    let content = "";
    log.push("begun");
    return {
      write: (chunk) => {
        content += fromOctets(chunk);
        return undefined;
      },
      commit: ({ sender, recipients }) => {
        log.push("committed");
        if (code === 0) messages.push({ sender, recipients, content });
        return Promise.resolve({ code, qp });
      },
      abort: () => void log.push("aborted"),
    };
  };
  return { messages, log, begin };
}

const service = (begin: () => IntoQueue, idleMs = 20_000): LocalService => ({
  ...{ me, begin, idleMs },
  now: () => 1_795_333_684_000,
});

/** A whole session with all its input known: replies, and how it ended. */
async function session(chunks: readonly string[], begin: () => IntoQueue): Promise<{ text: string; end: SessionEnd }> {
  const left = [...chunks];
  let text = "";
  const end = await serveLocalClient({
    read: () => Promise.resolve(left.length === 0 ? undefined : toOctets(left.shift()!)),
    write: (replies) => {
      text += replies;
      return Promise.resolve();
    },
  }, service(begin));
  return { text, end };
}

/** {@link serveLocalClient} as a transcript's peer. */
function purePeer(code: number) {
  const queue = fakeQueue(code);
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const [reader, writer] = [readable.getReader(), writable.getWriter()];
  let text = "";
  let hear = () => {};
  let ended = false;
  const served = serveLocalClient({
    read: async () => (await reader.read()).value,
    write: (replies) => {
      text += replies;
      hear();
      return Promise.resolve();
    },
  }, service(queue.begin)).finally(() => {
    ended = true;
    reader.cancel();
    hear();
  });
  const line = async () => {
    for (;;) {
      const end = text.indexOf("\r\n");
      if (end >= 0) {
        const found = text.slice(0, end);
        text = text.slice(end + 2);
        return found;
      }
      if (ended) return undefined;
      await within(new Promise<void>((resolve) => hear = resolve), 20_000, () => "a reply");
    }
  };
  return {
    line,
    send: (octets: string) => {
      void writer.write(toOctets(octets)).catch(() => {});
      return Promise.resolve();
    },
    finish: async () => {
      await writer.close().catch(() => {});
      await served;
      return text.split("\r\n").slice(0, -1);
    },
    queued: () => queue.messages,
  };
}

describe("transcripts against a local client's session", () => {
  for (const transcript of localTranscripts) {
    it(`${transcript.file}: ${transcript.claim}`, () =>
      play(transcript, purePeer(Number(transcript.settings.get("queue") ?? 0))));
  }
});

describe("serveLocalClient()", () => {
  it("answers and queues the same wherever the octets are cut", async () => {
    const begin = "EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n";
    const parts = fc.constantFrom(...[begin, "\r\n.\r\n", "RSET\r\n", "x\r\n", ".", "\n", "\r", "\0", "QUIT\r\n"]);
    await fc.assert(fc.asyncProperty(fc.array(parts, { maxLength: 20 }), fc.array(fc.nat(40)), async (all, cuts) => {
      const input = all.join("");
      const chunks: string[] = [];
      let at = 0;
      for (const cut of cuts) chunks.push(input.slice(at, at += cut));
      chunks.push(input.slice(at));
      const [whole, cut] = [fakeQueue(), fakeQueue()];
      assertEquals(
        await session(chunks.filter((chunk) => chunk !== ""), cut.begin),
        await session([input], whole.begin),
      );
      assertEquals(cut.messages, whole.messages);
      // Each message that was begun was given its end, one way or the other.
      assertEquals(cut.log.length, 2 * cut.log.filter((word) => word === "begun").length);
    }));
  });

  it("gives up a message when the client is silent, and says so", async () => {
    const queue = fakeQueue();
    const chunks = ["MAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nx\r\n"];
    let text = "";
    const end = await serveLocalClient({
      read: () => chunks.length > 0 ? Promise.resolve(toOctets(chunks.shift()!)) : new Promise(() => {}),
      write: (replies) => {
        text += replies;
        return Promise.resolve();
      },
    }, service(queue.begin, 1));
    assertEquals([end, queue.log], ["silent", ["begun", "aborted"]]);
    assert(text.endsWith("354 go ahead\r\n421 4.4.2 timeout\r\n"), text);
  });

  it("does not wait for ever for a client that does not read", async () => {
    const stuck = { read: () => Promise.resolve(undefined), write: () => new Promise<void>(() => {}) };
    assertEquals(await serveLocalClient(stuck, service(fakeQueue().begin, 1)), "silent");
  });

  it("ends where the client reads no more", async () => {
    const queue = fakeQueue();
    const deaf = {
      read: () => Promise.resolve(toOctets("MAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nx\r\n")),
      write: (replies: string) => replies.startsWith("220") ? Promise.resolve() : Promise.reject(new Error("EPIPE")),
    };
    assertEquals(await serveLocalClient(deaf, service(queue.begin)), "gone");
    assertEquals(queue.log, ["begun", "aborted"]);
  });

  it("names the way in, and makes HELO harmless", async () => {
    const queue = fakeQueue();
    await session(["HELO evil) by (\r\nMAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n\r\n.\r\n"], queue.begin);
    assertEquals(
      queue.messages[0]!.content,
      "Received: from evil??by?? (sendmail-bs@localhost [127.0.0.1])\n" +
        "  by mx.example.com with SMTP; 22 Nov 2026 07:48:04 +0000\n\n",
    );
  });
});
