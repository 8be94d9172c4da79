/**
 * qmail-tcpto and qmail-tcpok as an administrator runs them, beside a system that sends mail to a host that is silent.
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { ask, NoAnswer } from "../../components/lib/wire/ask.ts";
import { ProtocolError, serveUnix } from "../../components/lib/wire/server.ts";
import { parseRemoteStatus, parseTcpokRequest } from "../../components/lib/wire/tcpto_protocol.ts";
import { formatTcpto } from "../../components/tools/qmail-tcpto.ts";
import { type Blackhole, blackhole } from "../../scripts/bench/fairness/blackhole.ts";
import { sendMail } from "../support/smtp_client.ts";
import { startSystem, type System } from "../support/system.ts";
import { tempDir } from "../support/temp_dir.ts";

const isRoot = Deno.uid() === 0;
const body = new Uint8Array();
/** As a status comes from the socket. */
const statusOf = (tcpTimeouts: unknown) => ({ head: { id: 1, tcpTimeouts }, body });
const record = { address: "192.0.2.1", ageSeconds: 23, timeouts: 2 };

describe("formatTcpto()", () => {
  it("writes qmail's words", () => {
    assertEquals(formatTcpto(record), "192.0.2.1 timed out 23 seconds ago; # recent timeouts: 2\n");
    const ipv6 = { address: "2001:db8::1", ageSeconds: 0, timeouts: 10 };
    assertEquals(formatTcpto(ipv6), "2001:db8::1 timed out 0 seconds ago; # recent timeouts: 10\n");
  });
});

function assertRefuses(parse: () => unknown): void {
  assertProtocolError(assertThrows(parse));
}

function assertProtocolError(error: unknown): void {
  assert(error instanceof ProtocolError, String(error));
}

describe("parseRemoteStatus()", () => {
  it("takes records in their order", () => {
    const tcpTimeouts = [record, { ...record, address: "fe80::1%eth0" }];
    assertEquals(parseRemoteStatus(statusOf(tcpTimeouts)), { tcpTimeouts });
    assertEquals(parseRemoteStatus(statusOf([])), { tcpTimeouts: [] });
  });

  const refused: readonly { readonly name: string; readonly value: unknown }[] = [
    { name: "no list", value: undefined },
    { name: "a record that is no object", value: [null] },
    { name: "an address that would speak to the terminal", value: [{ ...record, address: "\x1b[2J" }] },
    { name: "an address without end", value: [{ ...record, address: "1".repeat(65) }] },
    { name: "no address", value: [{ ...record, address: "" }] },
    { name: "a negative age", value: [{ ...record, ageSeconds: -1 }] },
    { name: "half a timeout", value: [{ ...record, timeouts: 0.5 }] },
  ];
  for (const { name, value } of refused) {
    it(`refuses ${name}`, () => assertRefuses(() => parseRemoteStatus(statusOf(value))));
  }

  it("throws nothing but ProtocolError, whatever comes", () => {
    const records = fc.array(fc.oneof(
      fc.jsonValue(),
      fc.record({ address: fc.jsonValue(), ageSeconds: fc.jsonValue(), timeouts: fc.jsonValue() }),
    ));
    fc.assert(fc.property(fc.oneof(fc.jsonValue(), records), (value) => {
      try {
        parseRemoteStatus(statusOf(value));
      } catch (error) {
        assertProtocolError(error);
      }
    }));
  });
});

describe("parseTcpokRequest()", () => {
  it("takes the request, refuses any other", () => {
    assertEquals(parseTcpokRequest({ head: { op: "tcpok", id: 7 }, body }), { op: "tcpok", id: 7 });
    for (const head of [{ op: "tcpok" }, { op: "status", id: 7 }, {}]) {
      assertRefuses(() => parseTcpokRequest({ head, body }));
    }
  });
});

describe("ask()", () => {
  it("says what is wrong where nobody listens, and where nobody answers", async () => {
    using dir = tempDir();
    const path = `${dir.path}/s`;
    const why = async (limitMs: number): Promise<string> => {
      const error = await assertRejects(() => ask(path, { op: "status" }, limitMs));
      assert(error instanceof NoAnswer, String(error));
      return error.message;
    };
    assertEquals(await why(1000), `cannot connect to ${path}: nobody listens`);
    const server = serveUnix(path, { onFrame: () => {}, onError: () => {} });
    assertEquals(await why(1), `${path} gave no answer`);
    server.stop();
  });
});

describe("qmail-tcpto and qmail-tcpok", () => {
  let system: System;
  let hole: Blackhole;

  /** Runs one of the two as root, or as whoever `ids` name. */
  async function run(name: string, ids: { uid?: number; gid?: number } = {}) {
    const output = await new Deno.Command(system.home.bin(name), { cwd: "/", stdin: "null", ...ids }).output();
    const [stdout, stderr] = [output.stdout, output.stderr].map((octets) => new TextDecoder().decode(octets));
    return { code: output.code, stdout: stdout!, stderr: stderr! };
  }

  const silent = { code: 0, stdout: "", stderr: "" };
  const nobody = { uid: 65534, gid: 65534 };

  beforeAll(async () => {
    hole = await blackhole("127.0.0.2");
    system = await startSystem({
      controls: { timeoutconnect: "1\n", smtproutes: `dead.example:127.0.0.2:${hole.port}\n` },
    });
  });
  afterAll(async () => {
    await system?.stop();
    hole?.[Symbol.dispose]();
  });

  it("show nothing, and clear nothing, where no host timed out", async () => {
    assertEquals(await run("qmail-tcpto"), silent);
    assertEquals(await run("qmail-tcpok"), silent);
  });

  it("show a host that timed out", async () => {
    await sendMail(system.ports["smtp"]!, { from: "", to: ["a@dead.example"], content: "x\n" });
    await system.waitForLog((line) => line.includes("deferral: Sorry,_I_wasn't_able_to_establish_an_SMTP_connection."));
    const { code, stdout, stderr } = await run("qmail-tcpto");
    assertMatch(stdout, /^127\.0\.0\.2 timed out [0-9]+ seconds ago; # recent timeouts: 1\n$/);
    assertEquals([code, stderr], [0, ""]);
  });

  it(
    `show it to anybody, and let nobody else clear it${isRoot ? "" : " (skipped: not root)"}`,
    { ignore: !isRoot },
    async () => {
      assertMatch((await run("qmail-tcpto", nobody)).stdout, /^127\.0\.0\.2 timed out /);
      assertEquals(await run("qmail-tcpok", nobody), {
        code: 111,
        stdout: "",
        stderr: `qmail-tcpok: fatal: NoAnswer: cannot connect to ${system.home.socket("qmail-remote")}: ` +
          "permission denied\n",
      });
      assertMatch((await run("qmail-tcpto")).stdout, /^127\.0\.0\.2 timed out /);
    },
  );

  it("clear it, which the log tells", async () => {
    assertEquals(await run("qmail-tcpok"), silent);
    assertEquals(await run("qmail-tcpto"), silent);
    await system.waitForLog((line) => line === "qmail-remote: tcpok records=1");
  });

  it("find nothing remembered where qmail-remote does not run", async () => {
    await system.end();
    for (const name of ["qmail-tcpto", "qmail-tcpok"]) assertEquals(await run(name), silent);
  });
});
