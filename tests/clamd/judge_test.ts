import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { clamdJudge } from "../../components/clamd/judge.ts";
import type { Verdict } from "../../components/lib/filters/filter.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { ScannerError } from "../../components/lib/scanners/failure.ts";
import { captureLog } from "../support/captured_log.ts";
import { filterMessage } from "../support/filter_message.ts";
import { scriptedServer, untilClosed, untilGone } from "../support/scripted_server.ts";
import { tempDir } from "../support/temp_dir.ts";
import { within } from "../support/wait.ts";

const never = new AbortController().signal;

/** Reads until the length of 0 that ends a message; all that was read. */
async function readAll(conn: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(64 * 1024);
  let text = "";
  while (!text.endsWith("\0\0\0\0")) {
    const length = await conn.read(buffer);
    if (length === null) return text;
    text += fromOctets(buffer.subarray(0, length));
  }
  return text;
}

/** Asks a clamd that answers so. */
async function judged(
  serve: (conn: Deno.Conn) => Promise<void>,
  { content = "Subject: hi\n\nhello\n", signal = never, whenTooLarge = "pass" as "pass" | "refuse" } = {},
): Promise<Verdict> {
  await using server = scriptedServer(serve);
  const address = { kind: "tcp", host: "127.0.0.1", port: server.port } as const;
  return await within(
    clamdJudge(() => ({ address, whenTooLarge }))(filterMessage(content), signal),
    10_000,
    () => "the verdict",
  );
}

const answers = (octets: string) => async (conn: Deno.Conn) => {
  await readAll(conn);
  await conn.write(toOctets(octets));
};

describe("clamdJudge()", () => {
  it("passes what is clean, and has told clamd every octet", async () => {
    let heard = "";
    const verdict = await judged(async (conn) => {
      heard = await readAll(conn);
      await conn.write(toOctets("stream: OK\0"));
    });
    assertEquals(verdict, { kind: "pass" });
    assertEquals(heard, "zINSTREAM\0\0\0\0\x13Subject: hi\n\nhello\n\0\0\0\0");
  });

  it("refuses what has a virus, by its name", async () => {
    assertEquals(await judged(answers("stream: Win.Test.EICAR_HDB-1 FOUND\0")), {
      kind: "refuse",
      code: 31,
      text: "Dmessage contains Win.Test.EICAR_HDB-1 (#5.7.1)",
    });
  });

  for (const whenTooLarge of ["pass", "refuse"] as const) {
    it(`${whenTooLarge}es what is too large for clamd, which answers, reads no further and does not hang up`, async () => {
      using log = captureLog();
      const verdict = await judged(async (conn) => {
        await conn.read(new Uint8Array(10));
        await conn.write(toOctets("INSTREAM size limit exceeded. ERROR\0"));
        await untilClosed(conn);
      }, { content: `\n${"x".repeat(8 * 1024 * 1024)}\n`, whenTooLarge }).catch((error) => error);
      if (whenTooLarge === "refuse") {
        assertEquals(verdict, { kind: "refuse", code: 31, text: "Dmessage is too large to be scanned (#5.3.4)" });
      } else {
        assert(verdict.kind === "pass" && verdict.header !== undefined);
        assertEquals(fromOctets(verdict.header), "X-Virus-Scanned: no, larger than the scanner takes\n");
      }
      assertEquals(log.lines(), [`clamd_too_large bytes=8388610 from=s@x.example then=${whenTooLarge}`]);
    });
  }

  const breaches: readonly (readonly [string, (conn: Deno.Conn) => Promise<void>])[] = [
    ["hangs up at once", () => Promise.resolve()],
    ["hangs up behind the message", async (conn) => void await readAll(conn)],
    ["hangs up within its answer", answers("stream: OK")],
    ["has trouble of its own", answers("Can't allocate memory ERROR\0")],
    ["talks without end", async (conn) => {
      for (;;) await conn.write(new Uint8Array(8192).fill(120));
    }],
    ["is a web server", answers("HTTP/1.1 400 Bad Request\r\n\r\n\0")],
  ];
  for (const [what, serve] of breaches) {
    it(`gives up on a clamd that ${what}`, async () => {
      assert(await assertRejects(() => judged(serve)) instanceof ScannerError);
    });
  }

  it("ends with the time there is, whether clamd answers nothing, reads nothing, or is not there", async () => {
    for (const serve of [untilGone, untilClosed]) {
      const over = new AbortController();
      const verdict = judged(async (conn) => {
        over.abort();
        await serve(conn);
      }, { content: "x".repeat(8 * 1024 * 1024), signal: over.signal });
      assert(await assertRejects(() => verdict) instanceof ScannerError);
    }
    using dir = tempDir();
    const address = { kind: "unix", path: `${dir.path}/none` } as const;
    const judge = clamdJudge(() => ({ address, whenTooLarge: "pass" }));
    assert(await assertRejects(() => judge(filterMessage(""), never)) instanceof ScannerError);
    assert(await assertRejects(() => judge(filterMessage(""), AbortSignal.abort())) instanceof ScannerError);
  });

  it("asks at a Unix socket, too", async () => {
    using dir = tempDir();
    const path = `${dir.path}/clamd.ctl`;
    await using _server = scriptedServer(answers("stream: OK\0"), { path });
    const judge = clamdJudge(() => ({ address: { kind: "unix", path }, whenTooLarge: "pass" }));
    assertEquals(await judge(filterMessage("x\n"), never), { kind: "pass" });
  });
});
