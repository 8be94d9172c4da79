/**
 * `deno run -A tests/fuzz/tls_client_sessions.ts [--sessions 4000] [--parallel 12] [--seed 1]`: handshakes of secure() with
 * OpenSSL servers of TLS 1.2 and 1.3, under every kind of policy, right and wrong, each followed by lines there and back.
 * Says how many came to what they had to, how fast, and what memory it took; ends with status 1 where one did not.
 *
 * By hand, after an update of Deno: this is where a new version of the runtime is most likely to differ.
 * @module
 */
import type { Duplex } from "node:stream";
import { parseArgs } from "@std/cli/parse-args";
import { tlsaOf } from "../../components/lib/dane/tlsa.ts";
import { secure } from "../../components/lib/tls/client_handshake.ts";
import type { Proof, TlsFlaw, TlsPolicy } from "../../components/lib/tls/client_policy.ts";
import { connected, fingerprint, issue, OpensslServer, tlsa } from "../lib/tls/issued.ts";
import { Random } from "./random.ts";

const root = issue({ name: "root", authority: true });
const inter = issue({ name: "inter", authority: true, by: root });
const leaf = issue({ name: "mx.test", by: inter });
const other = issue({ name: "other.test", authority: true });

const dane = (...records: readonly string[]): Proof => ({
  kind: "dane",
  records: tlsaOf(records.map((value) => ({ value }))),
  names: ["mx.test"],
});
const authority = (ca: string, name: string): Proof => ({ kind: "authority", names: [name], authorities: [ca] });

/** A proof, and what it has to come to. */
const cases: readonly (readonly [Proof | undefined, TlsFlaw | undefined])[] = [
  [undefined, undefined],
  [{ kind: "fingerprint", fingerprints: [fingerprint(leaf)] }, undefined],
  [{ kind: "fingerprint", fingerprints: [fingerprint(other)] }, "validation-failure"],
  [dane(tlsa(leaf, 3, 1, 1)), undefined],
  [dane(tlsa(other, 3, 1, 1)), "validation-failure"],
  [dane(tlsa(root, 2, 0, 1)), undefined],
  [dane(tlsa(other, 2, 0, 1)), "certificate-not-trusted"],
  [authority(root.cert, "mx.test"), undefined],
  [authority(root.cert, "other.test"), "certificate-host-mismatch"],
  [authority(other.cert, "mx.test"), "certificate-not-trusted"],
];

/** What came back, as far as it is as long as what was sent. */
function echo(stream: Duplex, sent: string): Promise<string> {
  let heard = "";
  return new Promise((resolve) => {
    stream.on("data", (chunk: Uint8Array) => {
      heard += new TextDecoder().decode(chunk);
      if (heard.length >= sent.length) resolve(heard);
    });
    stream.on("error", (error: Error) => resolve(error.message));
    stream.on("close", () => resolve("closed"));
    stream.write(sent);
  });
}

async function session(port: number, random: Random): Promise<string | undefined> {
  const [proof, want] = random.pick(cases);
  const enforced = !random.oneIn(3);
  const policy: TlsPolicy = {
    tls: "may",
    implicit: false,
    proof,
    enforced,
    source: "default",
    requireTls: false,
  };
  const result = await secure(await connected(port), policy, "mx.test", 60_000);
  if (result.kind === "failed") {
    return enforced && result.flaw === want ? undefined : `${result.flaw}: ${result.text}`;
  }
  const { facts, socket } = result;
  const isRight = facts.proved === (proof !== undefined && want === undefined) && facts.flaw === want;
  const line = "x".repeat(random.below(1000)) + "y";
  const heard = await echo(socket, `${line}\n`);
  socket.destroy();
  if (!isRight || (enforced && want !== undefined)) return `secured, proved ${facts.proved}, flaw ${facts.flaw}`;
  return heard === `${[...line].reverse().join("")}\n` ? undefined : `heard ${heard.slice(0, 100)}`;
}

const args = parseArgs(Deno.args, { string: ["sessions", "parallel", "seed"] });
const [sessions, parallel] = [Number(args["sessions"] ?? 4000), Number(args["parallel"] ?? 12)];
const seed = Number(args["seed"] ?? 1);
let good = true;
for (const version of ["-tls1_2", "-tls1_3"]) {
  const random = new Random(seed);
  // Each serves one client at a time.
  const servers = await Promise.all(
    Array.from({ length: 4 }, () => OpensslServer.start(leaf, [inter, root], [version])),
  );
  const started = performance.now();
  const trouble = new Map<string, number>();
  const rss: number[] = [];
  let begun = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (begun < sessions) {
      begun++;
      const wrong = await session(random.pick(servers).port, random);
      if (wrong !== undefined) trouble.set(wrong, (trouble.get(wrong) ?? 0) + 1);
      if (++done % 100 === 0) rss.push(Math.round(Deno.memoryUsage().rss / 1024 / 1024));
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  const seconds = (performance.now() - started) / 1000;
  const at = (part: number) => `${rss[Math.floor((rss.length - 1) * part)] ?? 0} MiB`;
  console.log(
    `${version.slice(1)}: ${done} sessions, ${Math.round(done / seconds)}/s; memory after a quarter ${
      at(0.25)
    }, half ` +
      `${at(0.5)}, all ${at(1)}; trouble: ${JSON.stringify(Object.fromEntries(trouble))}`,
  );
  good &&= trouble.size === 0;
  for (const server of servers) await server[Symbol.asyncDispose]();
}
Deno.exit(good ? 0 : 1);
