import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Verdict } from "../../components/lib/filters/filter.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { ScannerError } from "../../components/lib/scanners/failure.ts";
import { rspamdJudge } from "../../components/rspamd/judge.ts";
import { captureLog } from "../support/captured_log.ts";
import { filterMessage } from "../support/filter_message.ts";
import { scriptedServer, untilClosed, untilGone } from "../support/scripted_server.ts";
import { tempDir } from "../support/temp_dir.ts";
import { within } from "../support/wait.ts";

const never = new AbortController().signal;
const content = "Subject: hi\n\nhello\n";

/** Reads a request with a Content-Length. */
async function readRequest(conn: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  for (;;) {
    const length = await conn.read(buffer);
    if (length === null) return text;
    text += fromOctets(buffer.subarray(0, length));
    const [head, size] = /^.*?\r\nContent-Length: ([0-9]+)\r\n.*?\r\n\r\n/s.exec(text) ?? [];
    if (head !== undefined && text.length >= head.length + Number(size)) return text;
  }
}

const answers = (octets: string) => async (conn: Deno.Conn) => {
  await readRequest(conn);
  await conn.write(toOctets(octets));
};
const json = (value: unknown) => {
  const body = JSON.stringify(value);
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

async function judged(serve: (conn: Deno.Conn) => Promise<void>, signal = never): Promise<Verdict> {
  await using server = scriptedServer(serve);
  const address = { kind: "tcp", host: "127.0.0.1", port: server.port } as const;
  const judge = rspamdJudge({ address: () => address, newId: () => "id-1" });
  return await within(judge(filterMessage(content), signal), 10_000, () => "the verdict");
}

const verdicts: readonly (readonly [unknown, Verdict | string])[] = [
  [{ action: "no action", score: 1.5 }, { kind: "pass" }],
  [{ action: "greylist", score: 4 }, { kind: "pass" }],
  [{ action: "reject", score: 20 }, { kind: "refuse", code: 31, text: "Dmessage looks like spam (#5.7.1)" }],
  [
    { action: "reject", messages: { smtp_message: "Gtube pattern\r\n250 ok" } },
    { kind: "refuse", code: 31, text: "DGtube pattern 250 ok (#5.7.1)" },
  ],
  [
    { action: "soft reject", messages: { smtp_message: "Greylisted" } },
    { kind: "refuse", code: 71, text: "ZGreylisted (#4.7.1)" },
  ],
  [{ action: "soft reject" }, { kind: "refuse", code: 71, text: "Ztry again later (#4.7.1)" }],
  [{ action: "discard" }, { kind: "discard" }],
  [{ action: "add header" }, "Subject: hi\nX-Spam: Yes\n\nhello\n"],
  [{ action: "rewrite subject", subject: "spam: hi" }, "Subject: spam: hi\nX-Spam: Yes\n\nhello\n"],
  [
    { action: "no action", milter: { add_headers: { "X-Spamd-Bar": { value: "/", order: 0 } } } },
    "X-Spamd-Bar: /\nSubject: hi\n\nhello\n",
  ],
];

describe("rspamdJudge()", () => {
  it("posts the message with all that is known of it", async () => {
    using log = captureLog();
    let heard = "";
    await judged(async (conn) => {
      heard = await readRequest(conn);
      await conn.write(toOctets(json({ action: "no action", score: 1.5 })));
    });
    const [head = "", body] = heard.split("\r\n\r\n");
    assertEquals(body, content);
    assertEquals(head.split("\r\n").filter((line) => !/^(Host|Connection):/i.test(line)), [
      "POST /checkv2 HTTP/1.1",
      "Content-Length: 19",
      "Content-Type: application/octet-stream",
      "Queue-Id: id-1",
      "From: <s@x.example>",
      "Rcpt: <a@y.example>",
      "Rcpt: <b@y.example>",
      "IP: 192.0.2.7",
      "Helo: client.example",
      "Hostname: host.example",
    ]);
    assertEquals(log.lines(), ["rspamd id=id-1 action=no_action score=1.5 from=s@x.example ip=192.0.2.7"]);
  });

  for (const [answer, want] of verdicts) {
    it(`carries out ${JSON.stringify(answer).slice(0, 70)}`, async () => {
      using _log = captureLog();
      const verdict = await judged(answers(json(answer)));
      if (typeof want !== "string") return assertEquals(verdict, want);
      assert(verdict.kind === "pass" && verdict.content !== undefined);
      assertEquals(fromOctets(verdict.content), want);
    });
  }

  it("takes an answer in chunks", async () => {
    using _log = captureLog();
    const octets =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"actio\r\n10\r\nn":"no action"}\n\r\n0\r\n\r\n';
    assertEquals(await judged(answers(octets)), { kind: "pass" });
  });

  const ok = "HTTP/1.1 200 OK\r\n";
  const breaches: readonly (readonly [string, (conn: Deno.Conn) => Promise<void>])[] = [
    ["hangs up at once", () => Promise.resolve()],
    ["hangs up behind the message", async (conn) => void await readRequest(conn)],
    ["hangs up within its answer", answers(`${ok}Content-Length: 500\r\n\r\n{"action":"no action"}`)],
    ["answers 500", answers('HTTP/1.1 500 Oops\r\nContent-Length: 22\r\n\r\n{"action":"no action"}')],
    ["sends elsewhere", answers("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")],
    ["is no web server", answers("220 mail.example ESMTP\r\n")],
    ["damages a chunk", answers(`${ok}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}`)],
    ["says nothing", answers(`${ok}Content-Length: 0\r\n\r\n`)],
    ["speaks no JSON", answers(`${ok}Content-Length: 2\r\n\r\nok`)],
    ["slips a field in", answers(json({ action: "no action", milter: { add_headers: { A: "1\nBcc: x@y.example" } } }))],
    ["has a header without end", async (conn) => {
      await conn.write(toOctets(ok));
      for (;;) await conn.write(toOctets("X: y\r\n".repeat(1000)));
    }],
    ["has a body without end", async (conn) => {
      await conn.write(toOctets(`${ok}\r\n`));
      for (;;) await conn.write(new Uint8Array(8192).fill(32));
    }],
  ];
  for (const [what, serve] of breaches) {
    it(`gives up on an rspamd that ${what}`, async () => {
      using _log = captureLog();
      const error = await assertRejects(() => judged(serve));
      assert(error instanceof ScannerError, String(error));
    });
  }

  it("ends with the time there is, or where nobody listens", async () => {
    for (const serve of [untilGone, untilClosed]) {
      const over = new AbortController();
      const verdict = judged(async (conn) => {
        over.abort();
        await serve(conn);
      }, over.signal);
      assert(await assertRejects(() => verdict) instanceof ScannerError);
    }
    using dir = tempDir();
    const judge = rspamdJudge({ address: () => ({ kind: "unix", path: `${dir.path}/none` }), newId: () => "id" });
    assert(await assertRejects(() => judge(filterMessage(content), never)) instanceof ScannerError);
    assert(await assertRejects(() => judge(filterMessage(content), AbortSignal.abort())) instanceof ScannerError);
  });

  it("asks at a Unix socket, too", async () => {
    using _log = captureLog();
    using dir = tempDir();
    const path = `${dir.path}/rspamd.sock`;
    await using _server = scriptedServer(answers(json({ action: "no action" })), { path });
    const judge = rspamdJudge({ address: () => ({ kind: "unix", path }), newId: () => "id" });
    assertEquals(await judge(filterMessage(content), never), { kind: "pass" });
  });
});
