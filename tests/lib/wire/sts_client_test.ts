import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { serveUnix } from "../../../components/lib/wire/server.ts";
import { StsClient } from "../../../components/lib/wire/sts_client.ts";
import { parseStsReply, parseStsRequest } from "../../../components/lib/wire/sts_protocol.ts";
import { ProtocolError } from "../../../components/lib/wire/server.ts";
import { TlsrptClient } from "../../../components/lib/wire/tlsrpt_client.ts";
import { parseTlsrptNote, type TlsrptNote } from "../../../components/lib/wire/tlsrpt_protocol.ts";
import { homeAt } from "../../../config/home.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { waitFor } from "../../support/wait.ts";

const note: TlsrptNote = { domain: "x.example", policyType: "sts", policyStrings: [], mxHost: "mx", ip: "192.0.2.1" };

function homeIn(dir: string) {
  const home = homeAt(dir);
  for (const name of ["mta-sts", "tlsrpt"]) Deno.mkdirSync(home.run(name), { recursive: true });
  return home;
}

function refused(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch (error) {
    return error instanceof ProtocolError;
  }
}

const frame = (head: Readonly<Record<string, unknown>>) => ({ head, body: new Uint8Array(0) });

describe("StsClient", () => {
  it("asks once in a minute for a domain, in any case, and says none where nothing answers", async () => {
    using dir = tempDir();
    const home = homeIn(dir.path);
    const asked: string[] = [];
    let isMute = false;
    const server = serveUnix(home.socket("mta-sts"), {
      onFrame: (frame, pipe) => {
        const { id, domain } = parseStsRequest(frame);
        asked.push(domain);
        const policy = { kind: "policy", mode: "testing", mx: ["a.example"], maxAgeSeconds: 600, leftSeconds: 120 };
        if (!isMute) pipe.send({ id, ...policy });
      },
      onError: () => {},
    });
    const clock = { ms: 0 };
    const client = new StsClient(home, { nowMs: () => clock.ms, timeoutMs: 100 });
    const kindOf = async (domain: string) => (await client.policy(domain)).kind;
    try {
      assertEquals([await kindOf("X.example"), await kindOf("x.EXAMPLE"), asked], ["policy", "policy", ["x.example"]]);
      isMute = true;
      clock.ms = 60_000;
      assertEquals([await kindOf("x.example"), asked.length], ["policy", 2]);
      assertEquals([await kindOf("y.example"), asked.length], ["none", 2]);
      clock.ms = 119_999;
      assertEquals(await kindOf("x.example"), "policy");
      clock.ms = 120_000;
      assertEquals(await kindOf("x.example"), "none");
    } finally {
      client.close();
      server.stop();
      server.closeAll();
    }
  });

  it("keeps to a valid policy that mta-sts has forgotten, not to one that was withdrawn or is over", async () => {
    using dir = tempDir();
    const home = homeIn(dir.path);
    const policy = { kind: "policy", mode: "enforce", mx: ["a.example"], maxAgeSeconds: 600, leftSeconds: 600 };
    let reply: object = policy;
    const server = serveUnix(home.socket("mta-sts"), {
      onFrame: (frame, pipe) => pipe.send({ id: parseStsRequest(frame).id, ...reply }),
      onError: () => {},
    });
    const clock = { ms: 0 };
    const client = new StsClient(home, { nowMs: () => clock.ms });
    const after = async (seconds: number, next: object) => {
      clock.ms += seconds * 1000;
      reply = next;
      return await client.policy("x.example");
    };
    try {
      const known = await after(0, policy);
      assertEquals(known.kind, "policy");
      assertEquals(await after(60, { kind: "none" }), known);
      assertEquals(await after(60, { kind: "none", flaw: "sts-policy-fetch-error" }), known);
      assertEquals(await after(60, { kind: "none", isWithdrawn: true }), { kind: "none" });
      assertEquals(await after(60, policy), known);
      assertEquals(await after(599, { kind: "none" }), known);
      const over = { kind: "none", flaw: "sts-policy-fetch-error" } as const;
      assertEquals(await after(1, over), over);
    } finally {
      client.close();
      server.stop();
      server.closeAll();
    }
  });

  it("says none at once, and TlsrptClient nothing, in a process that was given no such socket", async () => {
    const program = fromFileUrl(new URL("./off_clients.ts", import.meta.url));
    const args = ["run", "--no-prompt", "--cached-only", program];
    const { stdout, stderr, code } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).output();
    const said = new TextDecoder().decode(stdout);
    assertEquals([said, code], ['{"kind":"none"} false\n', 0], new TextDecoder().decode(stderr));
  });
});

describe("TlsrptClient", () => {
  it("tells what it was told, also what came before there was a connection", async () => {
    using dir = tempDir();
    const home = homeIn(dir.path);
    const client = new TlsrptClient(home);
    const told: TlsrptNote[] = [];
    for (const ip of ["1", "2"]) client.note({ ...note, ip });
    const server = serveUnix(home.socket("tlsrpt"), {
      onFrame: (frame) => void told.push(parseTlsrptNote(frame)),
      onError: () => {},
    });
    try {
      await waitFor(() => told.length === 2, "the first notes");
      client.note({ ...note, ip: "3", flaw: "tlsa-invalid", sendingIp: "192.0.2.9" });
      await waitFor(() => told.length === 3, "the last note");
      assertEquals(told.map(({ ip }) => ip), ["1", "2", "3"]);
      assertEquals(told[2], { ...note, ip: "3", flaw: "tlsa-invalid", sendingIp: "192.0.2.9" });
      // A whole certificate in a TLSA record, and more records than anybody wants to read.
      const policyStrings = [`3 0 0 ${"ab".repeat(5000)}`, ...Array(200).fill("3 1 1 ab")];
      client.note({ ...note, policyType: "tlsa", policyStrings });
      await waitFor(() => told.length === 4, "the note with long strings");
      const { policyStrings: cut } = told[3]!;
      assertEquals([cut.length, cut[0]!.length, cut[1]], [110, 1100, "3 1 1 ab"]);
    } finally {
      client.close();
      server.stop();
      server.closeAll();
    }
  });
});

describe("what mta-sts and tlsrpt read", () => {
  const good = { op: "note", ...note };
  const policy = { kind: "policy", mode: "enforce", mx: [], maxAgeSeconds: 1, leftSeconds: 1 };
  const rows: readonly (readonly [string, () => unknown, boolean])[] = [
    ["a question", () => parseStsRequest(frame({ op: "policy", id: 1, domain: "x" })), false],
    ["one without a domain", () => parseStsRequest(frame({ op: "policy", id: 1 })), true],
    [
      "one about a very long domain",
      () => parseStsRequest(frame({ op: "policy", id: 1, domain: "x".repeat(301) })),
      true,
    ],
    ["another question", () => parseStsRequest(frame({ op: "resolve", id: 1, domain: "x" })), true],
    ["a policy", () => parseStsReply(frame(policy)), false],
    ["one in mode none", () => parseStsReply(frame({ ...policy, mode: "none" })), true],
    ["one with numbers in it", () => parseStsReply(frame({ ...policy, mx: [1] })), true],
    ["no policy, and why", () => parseStsReply(frame({ kind: "none", flaw: "sts-policy-invalid" })), false],
    ["no policy, and no reason", () => parseStsReply(frame({ kind: "none", flaw: "x" })), true],
    ["a note", () => parseTlsrptNote(frame(good)), false],
    ["a note of another policy", () => parseTlsrptNote(frame({ ...good, policyType: "x" })), true],
    ["a note of another flaw", () => parseTlsrptNote(frame({ ...good, flaw: "x" })), true],
    ["a note with long strings", () => parseTlsrptNote(frame({ ...good, policyStrings: ["x".repeat(2000)] })), true],
    [
      "a note with very many strings",
      () => parseTlsrptNote(frame({ ...good, policyStrings: Array(200).fill("x") })),
      false,
    ],
  ];
  for (const [what, work, isRefused] of rows) {
    it(`${isRefused ? "is not" : "is"} ${what}`, () => assertEquals(refused(work), isRefused));
  }
});
