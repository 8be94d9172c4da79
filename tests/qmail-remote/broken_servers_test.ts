import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Outcome } from "../../components/qmail-remote/outcome.ts";
import { makeCertificate, opensslIsInstalled, opensslNote } from "../lib/tls/openssl.ts";
import { brokenServers } from "./support/broken_servers.ts";
import type { BrokenServer } from "./support/broken_steps.ts";
import { converse, reportsOf } from "./support/conversation.ts";
import { acceptEverything, ScriptedServer, type Taken, type Talk } from "./support/scripted_server.ts";
import { TlsGate } from "./support/tls_gate.ts";

/** For servers that make the client wait, and for all others, whom it is never to be reached with. */
const [shortMs, longMs] = [2000, 60_000];

interface Play {
  /** Messages that the server had as a whole, and what the client said otherwise than expected. */
  readonly taken: string[];
  readonly wrong: string[];
  readonly outcome: Promise<Outcome>;
}

/** Does what a script says, until it ends or the client is gone. */
async function act(start: Talk, script: readonly string[], gate: TlsGate | undefined, play: Omit<Play, "outcome">) {
  let talk = start;
  const inner: Talk[] = [];
  for (const line of script) {
    const text = line.slice(line.indexOf(" ") + 1);
    if (line.startsWith("> ")) await talk.say(`${text}\r\n`);
    else if (line.startsWith(">> ")) await talk.say(text);
    else if (line.startsWith("< ")) {
      const got = await talk.line();
      if (got?.startsWith(text) !== true) play.wrong.push(`expected ${text}, got ${got}`);
      if (got === undefined) break;
    } else if (line === "<any") await talk.line();
    else if (line === "<raw") await talk.some();
    else if (line === "<.") {
      const content = await talk.content();
      if (content !== undefined && content !== ".\r\n") play.taken.push(content);
    } else if (line === "<#") {
      const words = (await talk.line())?.split(" ") ?? [];
      if (words[0] !== "BDAT") play.wrong.push(`expected BDAT, got ${words.join(" ")}`);
      const content = await talk.octets(Number(words[1]));
      if (words[2] === "LAST" && content !== undefined) play.taken.push(content);
    } else if (line === "<end" || line === "silence") await talk.remainder();
    else if (line === "reset") await talk.reset();
    else if (line === "flood") await talk.say(`554 ${"x".repeat(10_000_000)}\r\n`);
    else if (line === "lines") await talk.say("250-x\r\n".repeat(1_000_000));
    else if (line === "slowly") {
      for (;;) {
        await talk.say("2");
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    } else if (line === "tls") {
      const secured = await talk.secured(gate!);
      if (secured === undefined) break;
      talk = secured;
      inner.push(talk);
    } else throw new Error(`unknown: ${line}`);
  }
  for (const one of inner) await one.end();
}

describe(`qmail-remote with a broken server${opensslNote}`, { ignore: !opensslIsInstalled }, () => {
  let gate: TlsGate;
  const slow = new Map<BrokenServer, Play>();

  function play(row: BrokenServer): Play {
    const server = new ScriptedServer();
    const [taken, wrong]: [string[], string[]] = [[], []];
    const second: Taken[] = [];
    server.script = async (talk) => {
      // A second connection is one without TLS; it meets a server that is well.
      if (server.connections === 1) return await act(talk, row.script, gate, { taken, wrong });
      await acceptEverything(second)(talk);
      taken.push(...second.map(({ content }) => content));
    };
    const outcome = converse(server.port, { ...row, timeoutMs: row.isSlow === true ? shortMs : longMs });
    const over = async (): Promise<void> => {
      await server.quiet();
      await server.stop();
    };
    return { taken, wrong, outcome: outcome.finally(over) };
  }

  beforeAll(() => {
    gate = new TlsGate(makeCertificate({ name: "mx.example" }));
    for (const row of brokenServers) if (row.isSlow === true) slow.set(row, play(row));
  });

  afterAll(async () => {
    await Promise.all(Array.from(slow.values(), ({ outcome }) => outcome));
    gate.close();
  });

  for (const row of brokenServers) {
    it(`that ${row.name}: ${row.want.map(([start]) => start[0]).join("")}`, async () => {
      const { taken, wrong, outcome } = slow.get(row) ?? play(row);
      const ended = await outcome;
      const reports = reportsOf(ended, row.recipients?.length ?? 1);
      assertEquals(reports.length, row.want.length);
      row.want.forEach(([start, within = ""], at) => {
        assertEquals(reports[at]!.slice(0, start.length), start);
        assertStringIncludes(reports[at]!, within);
        // deno-lint-ignore no-control-regex
        assert(!/[\x00-\x09\x0b-\x1f]/.test(reports[at]!) && reports[at]!.endsWith("\n"), "a report is lines of text");
      });
      if (row.code !== undefined) assertEquals(ended.seen.code, row.code);
      assertEquals(wrong, []);
      const good = reports.filter((report) => report.startsWith("K")).length;
      const isDoubtful = reports.some((report) =>
        report.includes("Possible duplicate") || report.includes("after I sent")
      );
      assert(taken.length <= Math.max(good, isDoubtful ? 1 : 0), "no message was left with the server in silence");
    });
  }

  it("are at least sixty", () => assert(brokenServers.length >= 60, String(brokenServers.length)));
});
