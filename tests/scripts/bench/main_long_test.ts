import net from "node:net";
import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { existsSync } from "@std/fs";
import { startSink } from "../../../scripts/bench/sink.ts";
import { beginSession, feed } from "../../../scripts/bench/sink_session.ts";
import { freePort } from "../../support/free_port.ts";

const program = new URL("../../../scripts/bench.ts", import.meta.url).pathname;

async function bench(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", program, ...argv],
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

const small = ["--messages", "30", "--warmup", "5", "--runs", "2", "--sessions", "3", "--settle", "0"];

const hasOpenSmtpd = existsSync("/usr/sbin/smtpd");

describe("bench", () => {
  it("measures a server that runs already and prints one JSON object", async () => {
    await using sink = await startSink({ port: 0, delayMs: 0 });
    const { code, stdout } = await bench("accept", "--against", `127.0.0.1:${sink.port}`, ...small, "--json");
    const report = JSON.parse(stdout);
    assertEquals([code, report.failedRuns, report.runs.length], [0, 0, 2]);
    assertEquals(report.runs.map((run: { load: { accepted: number } }) => run.load.accepted), [30, 30]);
    assertEquals([sink.report().messages, sink.report().duplicates], [65, 0]);
  });

  it("prints a table with median and range", async () => {
    await using sink = await startSink({ port: 0, delayMs: 0 });
    const pid = ["--pid", String(Deno.pid)];
    const { code, stdout } = await bench("accept", "--against", `127.0.0.1:${sink.port}`, ...small, ...pid);
    assertEquals(code, 0);
    for (const text of ["median", "messages/s", "latency p99 ms", "server CPU ms/message", "memory at rest"]) {
      assertStringIncludes(stdout, text);
    }
  });

  it("follows mail into the Maildirs of a server that runs already", async () => {
    const root = await Deno.makeTempDir();
    try {
      for (const user of ["u0", "u1"]) await Deno.mkdir(`${root}/${user}/new`, { recursive: true });
      await using server = await deliverInto(root);
      const argv = [
        "local",
        "--against",
        `127.0.0.1:${server.port}`,
        "--users",
        "2",
        "--maildir",
        `${root}/u%d`,
        "--json",
      ];
      const { code, stdout } = await bench(...argv, ...small);
      const runs: { delivered: number; duplicates: number }[] = JSON.parse(stdout).runs;
      assertEquals([code, runs.map((run) => [run.delivered, run.duplicates])], [0, [[30, 0], [30, 0]]]);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });

  for (const filter of ["sign", "verify"]) {
    it(`measures a private server that has the filter ${filter}, and sees that it has worked`, async () => {
      const { code, stdout, stderr } = await bench("accept", `--${filter}`, ...small, "--json");
      assertEquals([code, stderr], [0, ""]);
      const report = JSON.parse(stdout);
      const all = { looked: 30, shown: 30, isEnough: true };
      assertEquals(report.runs.map((run: { evidence: unknown }) => run.evidence), [all, all]);
      assertEquals([report.options.filter, report.failedRuns], [filter, 0]);
    });
  }

  it("reports mail that never arrives as a failed run", async () => {
    await using server = await startSink({ port: 0, delayMs: 0 }); // takes all and relays nothing
    const free = freePort();
    const argv = ["relay", "--against", `127.0.0.1:${server.port}`, "--sink", String(free), "--limit", "1"];
    const { code, stdout } = await bench(...argv, ...small, "--warmup", "0", "--runs", "1");
    assertEquals(code, 1);
    assertStringIncludes(
      stdout,
      "run 1 failed: 30 accepted, 0 refused, 0 errors, 0 unfinished, 0 recipients refused, 30 not delivered",
    );
  });

  it("refuses other machines before anything is sent", async () => {
    const { code, stderr } = await bench("accept", "--against", "192.0.2.1:25");
    assertEquals(code, 2);
    assertStringIncludes(stderr, "127.0.0.0/8");
  });

  it("says what installs a peer that is missing, and starts nothing", { ignore: hasOpenSmtpd }, async () => {
    const { code, stdout, stderr } = await bench("compare", "--peers", "opensmtpd", "--programs", "/nonexistent");
    assertEquals([code, stdout], [111, ""]);
    assertStringIncludes(stderr, "bench: Cannot start OpenSMTPD: ");
  });

  it("explains itself", async () => {
    const { code, stdout } = await bench("--help");
    assertEquals(code, 0);
    assertStringIncludes(stdout, "Examples");
  });
});

/** A server that writes the head of each message into the Maildirs `u0`, `u1` and so on below `root`. */
async function deliverInto(root: string): Promise<AsyncDisposable & { port: number }> {
  const server = net.createServer((socket) => {
    const { session, greeting } = beginSession();
    socket.on("error", () => {}); // the generator may go first
    socket.on("data", (chunk: Uint8Array) => {
      const { replies, received, closing } = feed(session, chunk);
      for (const { running, recipients } of received) {
        const text = `X-Bench-Number: ${String(running).padStart(10, "0")}\n\n`;
        for (const path of recipients) {
          Deno.writeTextFileSync(`${root}/${path.split("@")[0]}/new/${crypto.randomUUID()}`, text);
        }
      }
      if (closing) socket.end(replies);
      else if (replies !== "") socket.write(replies);
    });
    socket.write(greeting);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
