/**
 * Bounces as they reach qmail-queue, from files of a real queue.
 * @module
 */
import { dirname } from "@std/path";
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Asked } from "../../components/qmail-send/asked.ts";
import { sendBounce } from "../../components/qmail-send/bouncer.ts";
import { formatParagraph } from "../../components/lib/dsn/qsbmf.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { JournalReader } from "../../components/lib/queue/journal/reader.ts";
import { putRecord, recordBytes } from "../../components/lib/queue/journal/record.ts";
import { journalSegment, queueFile } from "../../components/lib/queue/layout.ts";
import { formatMessageOptions, type MessageOptions } from "../../components/lib/queue/message_options.ts";
import { Client } from "../../components/lib/wire/client.ts";
import { type EnvelopeFields, type JournalPlace, parseQueueRequest } from "../../components/lib/wire/queue_protocol.ts";
import { type Home, homeAt } from "../../config/home.ts";
import type { Controls } from "../../config/schema.ts";
import { place } from "../lib/wire/support.ts";
import { captureLog } from "../support/captured_log.ts";
import { tempDir } from "../support/temp_dir.ts";

const id = 2189625;
const header = "Received: from client.example\nMessage-ID: <m.1@client.example>\n";
const message = `${header}\nhello\n`;
const paragraphs = formatParagraph("noat@mx.example.com", "Sorry, no mailbox here by that name. (#5.1.1)\n");

const text = `Hi. This is the qmail-send program at mx.example.com.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

${paragraphs}--- Below this line is a copy of the message.
`;

interface Options {
  readonly sender?: string;
  readonly content?: string;
  /** Where it stands in the journal; in mess, when not given. */
  readonly place?: JournalPlace;
  readonly paragraphs?: string;
  readonly controls?: Partial<Controls>;
  /** What its client asked for. */
  readonly options?: MessageOptions;
  /** What qmail-queue answers. */
  readonly code?: number;
  /** "own": as in a real run. */
  readonly random?: "own";
}

interface Sent {
  readonly done: boolean;
  readonly envelope: EnvelopeFields | undefined;
  /** Octet string. */
  readonly content: string;
  readonly ops: readonly string[];
  readonly log: readonly string[];
}

/** `random1`, `random2`, ... */
function counter(): () => string {
  let count = 0;
  return () => `random${++count}`;
}

/** Sends the bounce of a message in a queue of its own. */
async function bounceOf(options: Options = {}): Promise<Sent> {
  using dir = tempDir();
  using here = place();
  using log = captureLog();
  const home = homeAt(dir.path);
  const given = options.paragraphs ?? paragraphs;
  if (options.place === undefined) putInMess(home, options.content ?? message);
  else putInJournal(home, options.place, options.content ?? message);
  let content = "";
  let envelope: EnvelopeFields | undefined;
  const ops: string[] = [];
  here.serve({
    onFrame: (frame, pipe) => {
      const request = parseQueueRequest(frame);
      ops.push(request.op);
      if ("content" in request) content += fromOctets(request.content);
      if (!("envelope" in request)) return;
      envelope = request.envelope;
      pipe.send({ id: request.id, code: options.code ?? 0, qp: 4896 });
    },
  });
  const client = new Client(here.path);
  const controls = {
    me: "mx.example.com",
    bouncefrom: "MAILER-DAEMON",
    bouncehost: "mx.example.com",
    doublebounceto: "postmaster",
    doublebouncehost: "mx.example.com",
    bounceformat: "dsn",
    bouncemaxbytes: "by format",
    ...options.controls,
  } as Controls;
  const journal = new JournalReader(home);
  const asked = options.options && new Asked(
    formatMessageOptions(options.options, ["noat@mx.example.com"]),
    options.sender ?? "joe@localhost",
    { envnoathost: "x", percenthack: [], locals: [], virtualdomains: new Map() },
  );
  const bounce = {
    ...{ id, place: options.place, sender: options.sender ?? "joe@localhost", paragraphs: given, asked },
    ...{ arrivalSeconds: 1795332051, failureSeconds: 1795332081 },
  };
  const random = options.random === "own" ? {} : { random: counter() };
  try {
    const done = await sendBounce(
      { home, queue: client, controls, journal, nowSeconds: 1795332082, ...random },
      bounce,
    );
    return { done, envelope, content, ops, log: log.lines() };
  } finally {
    client.close();
    journal.close();
  }
}

function putInMess(home: Home, content: string): void {
  const path = queueFile(home, "mess", id);
  Deno.mkdirSync(dirname(path), { recursive: true });
  Deno.writeFileSync(path, toOctets(content));
}

/** One record at `place` in a segment. */
function putInJournal(home: Home, { serial, segment, offset }: JournalPlace, content: string): void {
  Deno.mkdirSync(home.queue("journal"), { recursive: true });
  const envelope = toOctets("u0\0");
  const octets = new Uint8Array(offset + recordBytes(envelope, [toOctets(content)]));
  putRecord(octets, offset, { generation: 1, serial, id, birthSeconds: 0 }, envelope, [toOctets(content)]);
  Deno.writeFileSync(journalSegment(home, segment), octets);
}

const inJournal: JournalPlace = {
  ...{ serial: 5, segment: 1, offset: 77 },
  bytes: recordBytes(toOctets("u0\0"), [toOctets(message)]),
};

/** What stands in the third part of a report. */
function copyIn(content: string): string {
  const part = content.split("\n--=_random2")[3]!;
  return part.slice(part.indexOf("\n\n") + 2);
}

describe("sendBounce()", () => {
  it("sends a report, to the letter", async () => {
    const sent = await bounceOf();
    assertEquals(
      sent.content,
      `Date: 22 Nov 2026 07:21:22 +0000
From: Mail Delivery System <MAILER-DAEMON@mx.example.com>
To: joe@localhost
Subject: failure notice
Message-ID: <1795332082.random1@mx.example.com>
In-Reply-To: <m.1@client.example>
References: <m.1@client.example>
MIME-Version: 1.0
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status;
 boundary="=_random2"

--=_random2
Content-Type: text/plain; charset=us-ascii

${text}
--=_random2
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com
Arrival-Date: 22 Nov 2026 07:20:51 +0000

Final-Recipient: rfc822; noat@mx.example.com
Action: failed
Status: 5.1.1
Last-Attempt-Date: 22 Nov 2026 07:21:21 +0000

--=_random2
Content-Type: message/rfc822

Return-Path: <joe@localhost>
${message}
--=_random2--
`,
    );
    assertEquals(sent.envelope, { origin: "bounce", uid: 0, sender: "", recipients: ["joe@localhost"] });
    assertEquals([sent.done, sent.log], [true, [`bounce msg ${id} qp 4896`]]);
  });

  it("sends qmail's form where control/bounceformat asks for it, to the letter", async () => {
    const { content } = await bounceOf({ controls: { bounceformat: "qsbmf" } });
    assertEquals(
      content,
      "Date: 22 Nov 2026 07:21:22 -0000\nFrom: MAILER-DAEMON@mx.example.com\nTo: joe@localhost\n" +
        `Subject: failure notice\n\n${text}\nReturn-Path: <joe@localhost>\n${message}`,
    );
  });

  it("sends the same of a message that stands in the journal", async () => {
    assertEquals((await bounceOf({ place: inJournal })).content, (await bounceOf()).content);
  });

  it("sends a bounce file that names nobody as it is", async () => {
    const { content, done } = await bounceOf({ paragraphs: "<noat@mx.exa" });
    assertStringIncludes(content, "<noat@mx.exa--- Below this line");
    assert(done && !content.includes("multipart"));
  });

  it("draws ids and boundaries at random", async () => {
    const drawn = new Set<string>();
    for (let time = 0; time < 2; time++) {
      const { content } = await bounceOf({ random: "own" });
      drawn.add(/\nMessage-ID: <1795332082\.([0-9a-f]{32})@/.exec(content)![1]!);
      drawn.add(/ boundary="=_([0-9a-f]{32})"/.exec(content)![1]!);
    }
    assertEquals(drawn.size, 4);
  });

  it("throws when the message cannot be read", async () => {
    using dir = tempDir();
    using here = place();
    const home = homeAt(dir.path);
    const queue = new Client(here.path);
    const ways = { home, queue, controls: {} as Controls, journal: new JournalReader(home), nowSeconds: 0 };
    for (const place of [undefined, inJournal]) {
      const bounce = { id, place, sender: "joe@localhost", paragraphs, arrivalSeconds: 0, failureSeconds: 0 };
      await assertRejects(() => sendBounce(ways, bounce));
    }
    queue.close();
  });

  it("is not done when qmail-queue does not take it", async () => {
    const { done, log } = await bounceOf({ code: 53 });
    assertEquals([done, log], [false, ["warning: trouble injecting bounce message, will try later"]]);
  });
});

describe("sendBounce() tells back", () => {
  it("the envelope identifier and the original recipient", async () => {
    const recipients = new Map([[0, { orcpt: "rfc822;No+At@x" }]]);
    const { content } = await bounceOf({ options: { envid: "QQ314159", recipients } });
    assertStringIncludes(content, "\n\nOriginal-Envelope-Id: QQ314159\nReporting-MTA: dns; mx.example.com\n");
    const fields =
      "Original-Recipient: rfc822; No+At@x\nFinal-Recipient: rfc822; noat@mx.example.com\nAction: failed\n";
    assertStringIncludes(content, `\n\n${fields}`);
  });

  it("no octet of them that could begin a field or a line: those as xtext", async () => {
    for (
      const evil of ["a\r\nBcc: eve@e.example", "\n\n--=_random2--\n", "\0", " x", "x\t", "\xe4", "z".repeat(5000)]
    ) {
      const recipients = new Map([[0, { orcpt: `rfc822;${evil}` }]]);
      const { content } = await bounceOf({ options: { envid: evil, recipients } });
      const [, status = ""] = content.split("Content-Type: message/delivery-status\n\n");
      const [whole, one, ...more] = status.slice(0, status.indexOf("\n--=_random2\n")).split("\n\n");
      assertEquals(more, []);
      const name = (line: string) => line.slice(0, line.indexOf(":"));
      assertEquals(whole!.split("\n").map(name), ["Original-Envelope-Id", "Reporting-MTA", "Arrival-Date"]);
      assertEquals(one!.trimEnd().split("\n").map(name), [
        ...["Original-Recipient", "Final-Recipient", "Action", "Status", "Last-Attempt-Date"],
      ]);
      assert(status.split("\n").every((line) => line.length <= 998 && /^[ -~]*$/.test(line)));
    }
  });

  it("an address type that is none as unknown", async () => {
    for (const orcpt of ["", "x", ";y", "a b;y", "rfc822\n;y"]) {
      const { content } = await bounceOf({ options: { recipients: new Map([[0, { orcpt }]]) } });
      assertStringIncludes(content, "\nOriginal-Recipient: unknown; ");
    }
  });
});

describe("sendBounce() to whom", () => {
  const rows = [
    { sender: "joe@localhost", from: "", to: "joe@localhost", returnPath: "joe@localhost" },
    { sender: "list-@lists.example-@[]", from: "", to: "list-@lists.example", returnPath: "list-@lists.example" },
    { sender: "a b@c.example", from: "", to: "a b@c.example", returnPath: '"a b"@c.example' },
    {
      sender: "j\xc3\xb6@b\xc3\xbc.example",
      from: "",
      to: "j\xc3\xb6@b\xc3\xbc.example",
      returnPath: "j\xc3\xb6@b\xc3\xbc.example",
    },
    { sender: "", from: "#@[]", to: "postmaster@mx.example.com", returnPath: "" },
  ];
  for (const { sender, from, to, returnPath } of rows) {
    for (const bounceformat of ["dsn", "qsbmf"] as const) {
      it(`a message from <${sender}> bounces to ${to} (${bounceformat})`, async () => {
        const { envelope, content } = await bounceOf({ sender, controls: { bounceformat } });
        assertEquals([envelope?.sender, envelope?.recipients], [from, [to]]);
        assertStringIncludes(content, `\nReturn-Path: <${returnPath}>\n${message}`);
        assertEquals(content.includes("but the bounce bounced!"), sender === "");
        assertEquals(content.includes("--- Below this line is the original bounce.\n"), sender === "");
      });
    }
  }

  it("a double bounce bounces to nobody, which is logged", async () => {
    const { done, ops, log } = await bounceOf({ sender: "#@[]" });
    assertEquals([done, ops, log], [true, [], [`triple bounce: discarding bounce/${id}`]]);
  });

  it("a double bounce goes to nobody where control/doublebounceto is empty", async () => {
    const { done, ops, log } = await bounceOf({ sender: "", controls: { doublebounceto: "" } });
    assertEquals([done, ops, log], [true, [], [`double bounce: discarding bounce/${id}`]]);
  });

  for (const bounceformat of ["dsn", "qsbmf"] as const) {
    it(`a ${bounceformat} says what control/custombouncetext has`, async () => {
      const { content } = await bounceOf({ controls: { bounceformat, custombouncetext: "Ask us.\n" } });
      assertStringIncludes(content, "Sorry it didn't work out.\n\nAsk us.\n\n<noat@mx.example.com>:\n");
    });
  }
});

describe("sendBounce() copies", () => {
  const large = `${header}\n${"a line of the body\n".repeat(3000)}`;

  it("a message of up to control/bouncemaxbytes whole, of a larger one the header", async () => {
    const at = await bounceOf({ controls: { bouncemaxbytes: message.length } });
    assertEquals(copyIn(at.content), `Return-Path: <joe@localhost>\n${message}`);
    const below = await bounceOf({ controls: { bouncemaxbytes: message.length - 1 } });
    assertEquals(copyIn(below.content), `Return-Path: <joe@localhost>\n${header}`);
    assertStringIncludes(below.content, "Content-Type: text/rfc822-headers\n");
  });

  it("no more than 50000 octets where there is no such file", async () => {
    const body = "x".repeat(50_000 - header.length - 1);
    assertEquals(copyIn((await bounceOf({ content: `${header}\n${body}` })).content).length, 50_000 + 29);
    const { content } = await bounceOf({ content: `${header}\n${body}x` });
    assertEquals(copyIn(content), `Return-Path: <joe@localhost>\n${header}`);
    assertStringIncludes(content, "\nIn-Reply-To: <m.1@client.example>\n");
  });

  it("of a header larger than that the fields that fit", async () => {
    const content = `A: b\n${"X: y\n z\n".repeat(50_000)}\nbody\n`;
    for (const bouncemaxbytes of [1000, 200_000]) {
      const copy = copyIn((await bounceOf({ content, controls: { bouncemaxbytes } })).content);
      assert(copy.length > 990 && copy.length <= Math.min(bouncemaxbytes, 131_072) + 29, `${copy.length}`);
      assert(copy.endsWith("X: y\n z\n"), copy.slice(-20));
    }
  });

  it("a message of any size where control/bouncemaxbytes is 0, in pieces", async () => {
    const content = `${header}\n${"\xe9 line of the body\n".repeat(30_000)}`;
    const sent = await bounceOf({ content, controls: { bouncemaxbytes: 0 } });
    assertEquals(copyIn(sent.content), `Return-Path: <joe@localhost>\n${content}`);
    assertStringIncludes(
      sent.content,
      "Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\nReturn-Path: ",
    );
    assert(sent.ops[0] === "open" && sent.ops.at(-1) === "close", `${sent.ops}`);
  });

  it("the whole message in qmail's form, or as much as control/bouncemaxbytes allows", async () => {
    const qsbmf = { bounceformat: "qsbmf" as const };
    const whole = await bounceOf({ content: large, controls: qsbmf });
    assert(whole.content.endsWith(`\nReturn-Path: <joe@localhost>\n${large}`));
    const cut = await bounceOf({ content: large, controls: { ...qsbmf, bouncemaxbytes: 100 } });
    const end = `\nReturn-Path: <joe@localhost>\n${large.slice(0, 100)}\n\n--- End of message stripped.\n`;
    assert(cut.content.endsWith(end), cut.content);
  });

  describe("as much as the message's client asked for", () => {
    const recipients = new Map();
    const [returnPath, of100k] = ["Return-Path: <joe@localhost>\n", `${header}\n${"x".repeat(99_999)}\n`];

    it("HDRS: the header", async () => {
      const sent = await bounceOf({ options: { ret: "HDRS", recipients }, controls: { bouncemaxbytes: 0 } });
      assertEquals(copyIn(sent.content), `${returnPath}${header}`);
      assertStringIncludes(sent.content, "Content-Type: text/rfc822-headers\n");
      const inQmails = await bounceOf({ options: { ret: "HDRS", recipients }, controls: { bounceformat: "qsbmf" } });
      assert(inQmails.content.endsWith(`\n${returnPath}${header}`), inQmails.content);
    });

    it("FULL: the whole message, also where it would be too large, but for what control/bouncemaxbytes says", async () => {
      const options = { ret: "FULL" as const, recipients };
      assertEquals(copyIn((await bounceOf({ options, content: of100k })).content), returnPath + of100k);
      const limited = await bounceOf({ options, content: of100k, controls: { bouncemaxbytes: 50_000 } });
      assertEquals(copyIn(limited.content), `${returnPath}${header}`);
    });

    it("a message that requires TLS: the header, for the bounce does not require it (RFC 8689 §5)", async () => {
      const { content } = await bounceOf({ options: { ret: "FULL", requireTls: true, recipients } });
      assertEquals(copyIn(content), `${returnPath}${header}`);
    });
  });

  it("the same under another boundary when the first one stands in it, at any place", async () => {
    for (const at of [0, 131_072 - header.length - 1 - 5, 131_072 - header.length - 1 + 3]) {
      const content = `${header}\n${"-".repeat(at)}=_random2\n`;
      const sent = await bounceOf({ content, controls: { bouncemaxbytes: 0 } });
      assertStringIncludes(sent.content, '\n boundary="=_random3"\n');
      assert(sent.content.endsWith(`${content}\n--=_random3--\n`));
    }
    const named = await bounceOf({ paragraphs: formatParagraph("a@b.example", "no =_random2") });
    assertStringIncludes(named.content, '\n boundary="=_random3"\n');
  });
});
