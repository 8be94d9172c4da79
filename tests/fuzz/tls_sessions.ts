/**
 * `deno run -A tests/fuzz/tls_sessions.ts [--sessions 3000] [--parallel 50]`: TLS sessions of OpenSSL clients (Python's)
 * against a server made of ClientSocket, with STARTTLS and then with TLS from the first octet. Says how many ended well, how
 * long they took and what memory the server had; ends with status 1 where one of them hung or failed.
 *
 * By hand, after an update of Deno: this is where a new version of the runtime is most likely to differ.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { fromFileUrl } from "@std/path";
import { makeContexts, TlsServer } from "../qmail-smtpd/tls_server.ts";

const clients = fromFileUrl(new URL("../qmail-smtpd/tls_clients.py", import.meta.url));

function mebibytes(octets: number): string {
  return `${Math.round(octets / 1024 / 1024)} MiB`;
}

async function round(kind: "starttls" | "implicit", sessions: number, parallel: number): Promise<boolean> {
  const { contexts } = await makeContexts(["a.test", "b.test"]);
  await using server = new TlsServer({ contexts, implicit: kind === "implicit", forget: true });
  const started = performance.now();
  const rss: number[] = [];
  const timer = setInterval(() => rss.push(Deno.memoryUsage().rss), 100);
  const { success, stdout } = await new Deno.Command("python3", {
    args: [clients, String(server.port), String(sessions), String(parallel), kind],
    stdout: "piped",
    stderr: "inherit",
  }).output();
  clearInterval(timer);
  if (!success) return false;
  const { done, trouble } = JSON.parse(new TextDecoder().decode(stdout)) as { done: number; trouble: object };
  const seconds = (performance.now() - started) / 1000;
  const at = (part: number) => mebibytes(rss[Math.floor((rss.length - 1) * part)] ?? 0);
  console.log(
    `${kind}: ${done} of ${sessions} sessions, ${Math.round(done / seconds)}/s; memory after a quarter ${at(0.25)}, ` +
      `half ${at(0.5)}, all ${at(1)}; ${server.open} connections left; trouble: ${JSON.stringify(trouble)}`,
  );
  return done === sessions && server.open === 0;
}

const args = parseArgs(Deno.args, { string: ["sessions", "parallel"] });
const [sessions, parallel] = [Number(args["sessions"] ?? 3000), Number(args["parallel"] ?? 50)];
let good = true;
for (const kind of ["starttls", "implicit"] as const) good = await round(kind, sessions, parallel) && good;
Deno.exit(good ? 0 : 1);
