/** What is no request ends its connection and nothing else. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseHooksRequest, parsePluginAnswer, parseRcptcheckReply } from "../../components/lib/wire/hooks_protocol.ts";
import { encodeFrame } from "../../components/lib/wire/frame.ts";
import { ProtocolError } from "../../components/lib/wire/server.ts";
import { captureLog } from "../support/captured_log.ts";
import { within } from "../support/wait.ts";
import { ignore, note, world } from "./world.ts";

const frame = (head: object) => ({ head: head as Record<string, unknown>, body: new Uint8Array(0) });

const bad: readonly object[] = [
  {},
  { op: "run", id: 1 },
  { op: "rcptcheck", id: -1, program: "/a", environment: [] },
  { op: "rcptcheck", id: 1, environment: [] },
  { op: "rcptcheck", id: 1, program: 5, environment: [] },
  { op: "rcptcheck", id: 1, program: "/a" },
  { op: "rcptcheck", id: 1, program: "/a", environment: { A: "b" } },
  { op: "rcptcheck", id: 1, program: "/a", environment: [["A"]] },
  { op: "rcptcheck", id: 1, program: "/a", environment: [["A", "b", "c"]] },
  { op: "rcptcheck", id: 1, program: "/a", environment: [["A", "\u0100"]] },
  { op: "rcptcheck", id: 1, program: "/a", environment: [["A", "x".repeat(20_000)]] },
  { op: "rcptcheck", id: 1, program: "/a", environment: Array.from({ length: 1001 }, (_, at) => [`A${at}`, ""]) },
  { op: "spp", id: 1, stage: "pass", environment: [] },
  { op: "spp", id: 1, stage: "__proto__", environment: [] },
  { op: "program", program: "x".repeat(2000), environment: [] },
  { op: "message", id: 1, origin: "nobody", uid: 7, sender: "", recipients: [] },
];

describe("hooks' protocol", () => {
  for (const head of bad) {
    it(`has no request ${JSON.stringify(head).slice(0, 100)}`, () => {
      try {
        parseHooksRequest(frame(head));
      } catch (error) {
        return assert(error instanceof ProtocolError, String(error));
      }
      throw new Error("it was taken");
    });
  }

  it("keeps a variable's octets, and a name like __proto__ is only a name", () => {
    const environment = [["__proto__", "x"], ["A", "\xff\0\n"]];
    const request = parseHooksRequest(frame({ op: "spp", id: 1, stage: "mail", environment }));
    assert(request.op === "spp");
    assertEquals([...request.environment], environment as [string, string][]);
  });

  it("has answers that are what they should be, or an error", () => {
    assertEquals(parseRcptcheckReply(frame({ kind: "exited", code: 100 })), { kind: "exited", code: 100 });
    assertEquals(parsePluginAnswer(frame({ kind: "lines", lines: ["A"] })), { kind: "lines", lines: ["A"] });
    for (
      const head of [{}, { kind: "exited" }, { kind: "exited", code: -1 }, { kind: "lines", lines: [1] }, {
        kind: "lines",
      }]
    ) {
      for (const parse of [parseRcptcheckReply, parsePluginAnswer]) {
        let thrown: unknown;
        try {
          parse(frame(head));
        } catch (error) {
          thrown = error;
        }
        assert(thrown instanceof ProtocolError, JSON.stringify(head));
      }
    }
  });

  it("meets any object with a request or a ProtocolError", () => {
    const ops = fc.constantFrom("rcptcheck", "spp", "program", "message", "open", "data", "close", "abort", "x");
    const head = fc.tuple(ops, fc.dictionary(fc.constantFrom("id", "program", "stage", "environment"), fc.jsonValue()));
    fc.assert(fc.property(head, ([op, rest]) => {
      try {
        parseHooksRequest(frame({ op, ...rest }));
        return true;
      } catch (error) {
        return error instanceof ProtocolError;
      }
    }));
  });
});

describe(`hooks' socket${note}`, { ignore }, () => {
  it("ends a connection that brings garbage, is told so in the log, and answers the others", async () => {
    using log = captureLog();
    await using here = world();
    here.configure({ smtpplugins: "[mail]\n:echo N\n" });
    here.start();
    const pieces = [
      new Uint8Array([255, 255, 255, 255, 0, 0]),
      new Uint8Array(64),
      new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"),
      ...bad.map((head) => encodeFrame(head)),
    ];
    for (const piece of pieces) {
      using connection = await Deno.connect({ transport: "unix", path: here.home.socket("hooks") });
      await connection.write(piece);
      const count = await within(connection.read(new Uint8Array(10)).catch(() => null), 10_000, () => "its end");
      assertEquals(count, null);
    }
    assertEquals(await here.client.spp("mail", new Map()), { kind: "lines", lines: ["N"] });
    assertEquals(log.lines().filter((line) => line.startsWith("garbage socket=hooks")).length, pieces.length);
  });

  it("takes back what a connection began that breaks off", async () => {
    await using here = world();
    const program = here.program("queue", "cat > /dev/null; cat <&1 > envelope; touch over");
    here.configure({ "tcp.smtp": `:allow,QMAILQUEUE="${program}"\n` });
    here.start({ queues: 1 });
    {
      using connection = await Deno.connect({ transport: "unix", path: here.home.socket("hooks") });
      await connection.write(encodeFrame({ op: "program", program, environment: [] }));
      await connection.write(encodeFrame({ op: "open", id: 1, origin: "network", uid: 7 }));
      await connection.write(encodeFrame({ op: "data", id: 1 }, new Uint8Array(1000)));
    }
    // There is room for one: the next is taken once that one is gone.
    for (let round = 0; round < 500; round++) {
      const submission = here.client.begin(program, new Map(), "network", 7);
      const { code } = await submission.commit({ sender: "", recipients: ["a@b"] });
      if (code === 0) return assertEquals(here.read("envelope"), "F\0Ta@b\0\0");
      assertEquals(code, 71);
    }
    throw new Error("the first message still has its program");
  });
});
