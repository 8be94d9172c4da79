import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { FilterMessage, Verdict } from "../../components/lib/filters/filter.ts";
import type { Milter } from "../../components/lib/milter/milters_file.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { ScannerError } from "../../components/lib/scanners/failure.ts";
import { milterJudge } from "../../components/milter/judge.ts";
import { answer, number, type Script, script } from "../lib/milter/scripted_milter.ts";
import { captureLog } from "../support/captured_log.ts";
import { filterMessage } from "../support/filter_message.ts";
import { scriptedServer, untilClosed, untilGone } from "../support/scripted_server.ts";
import { tempDir } from "../support/temp_dir.ts";
import { waitFor, within } from "../support/wait.ts";
import { milterServer } from "./server.ts";

const never = new AbortController().signal;
const content = "Subject: hi\nX-A: 1\n\nhello\n";

const at = (port: number, onTrouble: Milter["onTrouble"] = "fail"): Milter => ({
  address: { kind: "tcp", host: "127.0.0.1", port },
  onTrouble,
});

interface Asking {
  readonly message?: FilterMessage;
  readonly signal?: AbortSignal;
  readonly limitMs?: number;
}

function judged(
  milters: readonly Milter[],
  { message = filterMessage(content), signal = never, limitMs = 20_000 }: Asking = {},
): Promise<Verdict> {
  const judge = milterJudge({ milters: () => milters, me: () => "mx.example", newId: () => "id-1", limitMs });
  return within(judge(message, signal), 10_000, () => "the verdict");
}

const ends = (...said: readonly string[]): Script => script({ E: said.join("") + answer("c") });

function contentOf(verdict: Verdict): string | undefined {
  assert(verdict.kind === "pass");
  return verdict.content === undefined ? undefined : fromOctets(verdict.content);
}

describe("milterJudge()", () => {
  it("passes what every milter passes, as it is", async () => {
    const milter = milterServer(script());
    await using _server = milter.server;
    assertEquals(await judged([at(milter.server.port)]), { kind: "pass" });
    await waitFor(() => milter.sessions[0]?.letters === "OCHMRRTLLNBEQ", "all that a milter is told, and a goodbye");
  });

  it("shows each milter what those before it made of the message and its envelope", async () => {
    const first = milterServer(ends(
      answer("h", "X-B\0 folded\n\tvalue\0"),
      answer("m", `${number(1)}Subject\0[list] hi\0`),
      answer("m", `${number(1)}x-a\0\0`),
      answer("b", "changed\r\n"),
      answer("-", "<a@y.example>\0"),
      answer("+", "<c@y.example>\0"),
      answer("e", "<bounces@x.example>\0"),
    ));
    const second = milterServer(ends(answer("i", `${number(0)}X-Seen\0yes\0`)));
    await using one = first.server;
    await using two = second.server;
    const verdict = await judged([at(one.port), at(two.port)]);
    assert(verdict.kind === "pass");
    assertEquals(contentOf(verdict), "X-Seen: yes\nSubject: [list] hi\nX-B:  folded\n\tvalue\n\nchanged\n");
    assertEquals([verdict.sender, verdict.recipients], ["bounces@x.example", ["b@y.example", "c@y.example"]]);
    assertEquals(second.sessions[0]!.heard.filter(([letter]) => "MRLB".includes(letter)), [
      ["M", "<bounces@x.example>\0"],
      ["R", "<b@y.example>\0"],
      ["R", "<c@y.example>\0"],
      ["L", "Subject\0[list] hi\0"],
      ["L", "X-B\0 folded\n\tvalue\0"],
      ["B", "changed\r\n"],
    ]);
  });

  it("changes no octet that no milter has changed", async () => {
    const odd = "From a Mon\nA : \xff\0\r\n\n\r\n.\nb\r\n\x80\n";
    const milter = milterServer(ends(answer("h", "X\x001\0")));
    await using server = milter.server;
    const verdict = await judged([at(server.port)], { message: filterMessage(odd) });
    assertEquals(contentOf(verdict), odd.replace("\n\n", "\nX: 1\n\n"));
  });

  it("asks nobody behind the one that refuses, and says so in the log", async () => {
    using log = captureLog();
    const first = milterServer(script({ R: answer("y", "550 5.1.1 nobody of that name\0") }));
    const second = milterServer(script());
    await using one = first.server;
    await using two = second.server;
    const text = "Dnobody of that name (#5.1.1)";
    assertEquals(await judged([at(one.port), at(two.port)]), { kind: "refuse", code: 31, text });
    assertEquals(two.count, 0);
    assertEquals(log.lines(), [`milter milter=127.0.0.1:${one.port} id=id-1 said=Dnobody_of_that_name_(#5.1.1)`]);
  });

  it("discards what a milter discards, or takes every recipient of", async () => {
    using _log = captureLog();
    for (
      const special of [answer("d"), answer("-", "<a@y.example>\0") + answer("-", "<b@y.example>\0") + answer("a")]
    ) {
      const milter = milterServer(script({ E: special }));
      await using server = milter.server;
      assertEquals(await judged([at(server.port)]), { kind: "discard" });
    }
  });

  it("refuses a header that would keep it busy, and asks nobody", async () => {
    const message = filterMessage("A: 1\n".repeat(20_000));
    assertEquals(await judged([at(1)], { message }), {
      kind: "refuse",
      code: 31,
      text: "Dmessage header is too long (#5.6.0)",
    });
  });

  it("brings a large message there, and a large body back", async () => {
    const body = "x".repeat(78).concat("\n").repeat(40_000);
    const said = Array.from({ length: 50 }, () => answer("b", "y\r\n".repeat(20_000)));
    const milter = milterServer(ends(...said));
    await using server = milter.server;
    const verdict = await judged([at(server.port)], { message: filterMessage(`A: 1\n\n${body}`) });
    assertEquals(contentOf(verdict), `A: 1\n\n${"y\n".repeat(1_000_000)}`);
    const heard = milter.sessions[0]!.heard.filter(([letter]) => letter === "B").map(([, data]) => data).join("");
    assertEquals(heard.replaceAll("\r\n", "\n"), body);
  });

  const troubles: readonly (readonly [string, (conn: Deno.Conn) => Promise<void>])[] = [
    ["hangs up at once", () => Promise.resolve()],
    ["sends garbage", async (conn) => {
      await conn.write(toOctets("220 mail.example ESMTP\r\n"));
      await untilGone(conn);
    }],
    ["sends without end", async (conn) => {
      for (;;) await conn.write(toOctets(answer("p").repeat(1000)));
    }],
    ["says nothing", untilGone],
    ["reads nothing", untilClosed],
  ];
  for (const [what, serve] of troubles) {
    it(`gives up on a milter that ${what}, or goes on without it where mail may`, async () => {
      using log = captureLog();
      await using bad = scriptedServer(serve);
      const good = milterServer(ends(answer("h", "X-B\x001\0")));
      await using server = good.server;
      const error = await assertRejects(() => judged([at(bad.port)], { limitMs: 200 }));
      assert(error instanceof ScannerError, String(error));
      assertEquals(log.lines(), []);
      const verdict = await judged([at(bad.port, "pass"), at(server.port)], { limitMs: 3000 });
      assertEquals(contentOf(verdict), "Subject: hi\nX-A: 1\nX-B: 1\n\nhello\n");
      assertEquals(log.lines().map((line) => line.split(" reason=")[0]), [
        `milter_passed_over milter=127.0.0.1:${bad.port} id=id-1`,
      ]);
    });
  }

  it("ends when nobody waits any more", async () => {
    const over = new AbortController();
    await using server = scriptedServer(async (conn) => {
      over.abort();
      await untilGone(conn);
    });
    const error = await assertRejects(() => judged([at(server.port)], { signal: over.signal }));
    assert(error instanceof ScannerError, String(error));
  });

  it("asks at a Unix socket, too", async () => {
    using dir = tempDir();
    const path = `${dir.path}/milter.sock`;
    const milter = milterServer(script(), { path });
    await using _server = milter.server;
    assertEquals(await judged([{ address: { kind: "unix", path }, onTrouble: "fail" }]), { kind: "pass" });
  });
});
