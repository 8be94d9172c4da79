/** Delivery to an LMTP server over a real socket: servers that are good, slow, gone or hostile. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { MessageBody } from "../../components/lib/delivery/message_body.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { Lmtp, type LmtpLimits } from "../../components/qmail-local/lmtp.ts";
import { captureLog } from "../support/captured_log.ts";
import { tempDir } from "../support/temp_dir.ts";
import { goodStory, serveLmtp, type Story, type Taken } from "./lmtp_server.ts";

const message = "Subject: a\n\n.dot\nhello\n";
const head = "Delivered-To: joe@b.example\n";
/** A server that does nothing is given up after so long. */
const short: Partial<LmtpLimits> = { connectMs: 20, replyMs: 60, storedMs: 60 };

function bodyOf(text: string, pieceBytes = text.length): MessageBody {
  const octets = toOctets(text);
  return new MessageBody(
    octets.length,
    octets.subarray(0, pieceBytes),
    (offset) => Promise.resolve(octets.subarray(offset, offset + pieceBytes)),
  );
}

function world(limits: Partial<LmtpLimits> = {}) {
  const dir = tempDir();
  const lmtp = new Lmtp(limits);
  const socket = `${dir.path}/s`;
  return {
    socket,
    lmtp,
    deliver: (text = message, { body = bodyOf(text), recipient = "joe@b.example" } = {}) =>
      lmtp.deliver({ socket, hostName: "mx.example", sender: "amy@a.example", recipient, head, body }),
    [Symbol.dispose]() {
      lmtp.endAll();
      dir[Symbol.dispose]();
    },
  };
}

const noConnection = "Sorry, I wasn't able to establish an LMTP connection. (#4.4.1)\n";

describe("Lmtp", () => {
  it("brings sender, mailbox and content through, and tells what the server said", async () => {
    using world_ = world();
    const taken: Taken[] = [];
    await using _server = serveLmtp(world_.socket, goodStory(taken));
    assertEquals(await world_.deliver(), {
      verdict: "K",
      text: "LMTP server accepted message.\nLMTP server said: 250 2.0.0 stored\n",
    });
    const content = "Delivered-To: joe@b.example\r\nSubject: a\r\n\r\n..dot\r\nhello\r\n";
    const sender = `<amy@a.example> SIZE=${head.length + message.length} BODY=8BITMIME`;
    assertEquals(taken, [{ sender, recipient: "<joe@b.example>", content }]);
  });

  it("brings a message of many pieces, a line of 10 MB and one without a line end through", async () => {
    using world_ = world();
    const taken: Taken[] = [];
    await using _server = serveLmtp(world_.socket, goodStory(taken));
    const long = `Subject: a\n\n${"x".repeat(10_000_000)}`;
    for (const text of ["", "no header", long]) {
      const { verdict } = await world_.deliver(text, { body: bodyOf(text, 100_000) });
      assertEquals(verdict, "K");
      const { content } = taken.pop()!;
      assert(content === `${head}${text}\n`.replace(/\n\n$/, text === "" ? "\n" : "\n\n").replaceAll("\n", "\r\n"));
    }
  });

  it("keeps a connection for the next message, and as many as are needed at once", async () => {
    using world_ = world();
    const taken: Taken[] = [];
    await using server = serveLmtp(world_.socket, goodStory(taken));
    for (let count = 0; count < 5; count++) assertEquals((await world_.deliver()).verdict, "K");
    assertEquals([server.connections, taken.length], [1, 5]);
    const many = await Promise.all(Array.from({ length: 20 }, () => world_.deliver()));
    assert(many.every(({ verdict }) => verdict === "K"));
    assertEquals(taken.length, 25);
    assert(server.connections <= 20);
  });

  it("keeps it after a refusal, which is this mailbox's alone", async () => {
    using world_ = world();
    const taken: Taken[] = [];
    const rcpt = (to: string) => to.startsWith("<no") ? "550 5.1.1 User doesn't exist" : "250 ok";
    await using server = serveLmtp(world_.socket, goodStory(taken, { rcpt }));
    const refused = await world_.deliver(message, { recipient: "nobody@b.example" });
    assertEquals(refused, {
      verdict: "D",
      text: "LMTP server does not like recipient.\nLMTP server said: 550 5.1.1 User doesn't exist\n",
    });
    assertEquals([(await world_.deliver()).verdict, server.connections, taken.length], ["K", 1, 1]);
  });

  it("takes a new connection where the kept one ends or falls silent, as after the server's restart", async () => {
    const ends: readonly Story[] = [
      // It reads the next transaction's commands and closes.
      async ({ line }) => void await line(),
      async ({ line, send }) => {
        await line();
        await send("421 4.3.2 bye\r\n");
      },
    ];
    for (const end of ends) {
      using world_ = world();
      const taken: Taken[] = [];
      const once: Story = async (caller) => {
        let isOver = false;
        const { line } = caller;
        const first = goodStory(taken, { stored: () => (isOver = true, "250 stored") });
        await first({ ...caller, line: async () => isOver ? (await end(caller), undefined) : await line() });
      };
      await using server = serveLmtp(world_.socket, once, goodStory(taken));
      assertEquals((await world_.deliver()).verdict, "K");
      assertEquals((await world_.deliver()).verdict, "K");
      assertEquals([server.connections, taken.length], [2, 2]);
    }
  });

  it("waits for a server that is just being restarted, and defers where none comes", async () => {
    using world_ = world({ connectMs: 30_000 });
    const delivered = world_.deliver();
    const taken: Taken[] = [];
    await using _server = serveLmtp(world_.socket, goodStory(taken));
    assertEquals((await delivered).verdict, "K");
    using alone = world(short);
    using _log = captureLog();
    assertEquals(await alone.deliver(), { verdict: "Z", text: noConnection });
  });

  it("does not knock again for a while at a server that did not answer", async () => {
    using world_ = world({ ...short, awayMs: 60_000 });
    const silent: Story = async ({ line }) => void await line();
    await using server = serveLmtp(world_.socket, silent);
    using _log = captureLog();
    assertEquals((await world_.deliver()).verdict, "Z");
    assertEquals(await world_.deliver(), { verdict: "Z", text: noConnection });
    assertEquals(server.connections, 1);
  });

  it("gives back the message it cannot read to the end, and sends no dot behind a part of it", async () => {
    using world_ = world();
    const ended = Promise.withResolvers<string | undefined>();
    const story: Story = async (caller) => {
      const content = async () => {
        const text = await caller.content();
        ended.resolve(text);
        return text;
      };
      await goodStory([])({ ...caller, content });
    };
    await using _server = serveLmtp(world_.socket, story);
    const body = new MessageBody(1000, toOctets("A: b\n\n"), () => Promise.reject(new Error("gone")));
    assertEquals(await world_.deliver("", { body }), { verdict: "Z", text: "Unable to read message. (#4.3.0)\n" });
    assertEquals(await ended.promise, undefined);
  });

  it("ends what is under way when it is told to, with a deferral", async () => {
    using world_ = world();
    const asked = Promise.withResolvers<void>();
    const hold = Promise.withResolvers<string>();
    const stored = () => (asked.resolve(), hold.promise);
    await using _server = serveLmtp(world_.socket, goodStory([], { stored }));
    const delivered = world_.deliver();
    await asked.promise;
    world_.lmtp.endAll();
    assertStringIncludes((await delivered).text, "Possible duplicate!");
    hold.resolve("250 stored");
  });
});

/** After `354`, with the content read. */
const afterDot = (then: Story): Story => async (caller) => {
  const { send, line, content } = caller;
  await send("220 x\r\n");
  await line();
  await send("250-x\r\n250 PIPELINING\r\n");
  for (let count = 0; count < 3; count++) await line();
  await send("250 ok\r\n250 ok\r\n354 go\r\n");
  await content();
  await then(caller);
};

const died = "Connected to LMTP server but connection died.";
interface Hostile {
  readonly what: string;
  readonly story: Story;
  readonly text: string;
  /** Where nothing comes, the test need not wait for it. */
  readonly limits?: Partial<LmtpLimits>;
}

const hostile: readonly Hostile[] = [
  { what: "never says a word", story: async ({ line }) => void await line(), text: died, limits: short },
  { what: "closes at once", story: () => Promise.resolve(), text: died },
  {
    what: "sends a greeting without end",
    story: async ({ send }) => {
      // Bounded, should nobody hang up.
      for (let count = 0; count < 2000; count++) await send("220-x\r\n".repeat(100));
    },
    text: "its reply was malformed",
  },
  {
    what: "sends a line of 10 MB",
    story: async ({ send, line }) => {
      await send(`220 ${"x".repeat(10_000_000)}`);
      await line();
    },
    // Its beginning is a greeting; what follows never ends.
    text: died,
    limits: short,
  },
  { what: "sends octets at random", story: ({ send }) => send("\0\xff\x1b[2J\r\n\r\n"), text: "malformed" },
  {
    what: "answers before it is asked",
    story: async ({ send, line }) => {
      await send("220 x\r\n250 x\r\n250 ok\r\n250 ok\r\n354 go\r\n250 stored\r\n");
      while (await line() !== undefined);
    },
    text: "LMTP server failed while I was sending the message.\nLMTP server said: 250 stored\n",
  },
  {
    what: "stops reading amid the message",
    story: async ({ send, line, stopped }) => {
      await send("220 x\r\n");
      await line();
      await send("250 x\r\n");
      for (const answer of ["250 ok", "250 ok", "354 go"]) {
        await line();
        await send(`${answer}\r\n`);
      }
      await stopped;
    },
    text: `${died} (#4.4.2)`,
    limits: short,
  },
  {
    what: "never answers the dot",
    story: afterDot(async ({ line }) => void await line()),
    text: "Possible duplicate!",
    limits: { storedMs: 60 },
  },
  { what: "closes after the dot", story: afterDot(() => Promise.resolve()), text: "Possible duplicate!" },
  {
    what: "talks nonsense after the dot",
    story: afterDot(({ send }) => send("stored\r\n")),
    text: "malformed. Possible duplicate! (#4.5.0)",
  },
  { what: "says 421 after the dot", story: afterDot(({ send }) => send("421 bye\r\n")), text: "said: 421 bye\n" },
];

describe("Lmtp, with a server that", () => {
  for (const { what, story, text, limits } of hostile) {
    it(`${what}, defers`, async () => {
      using world_ = world(limits);
      await using _server = serveLmtp(world_.socket, story);
      using _log = captureLog();
      const report = await world_.deliver(`A: b\n\n${"x\n".repeat(500_000)}`);
      assertEquals(report.verdict, "Z", report.text);
      assertStringIncludes(report.text, text);
    });
  }

  it("replies with control characters, passes none of them on", async () => {
    using world_ = world();
    await using _server = serveLmtp(world_.socket, afterDot(({ send }) => send("550 a\x1b[31m\tb\0\x7fc\rd\r\n")));
    const { verdict, text } = await world_.deliver();
    assertEquals([verdict, text.split("\n")[1]], ["D", "LMTP server said: 550 a?[31m?b??c?d"]);
  });
});
