/**
 * The real admin process under its own grant, and status sockets that answer what a test says.
 * @module
 */
import { fromFileUrl } from "@std/path";
import { manifest } from "../../components/admin/permissions.ts";
import type { SocketName } from "../../config/home.ts";
import { type Home, homeAt } from "../../config/home.ts";
import { readControlsOf } from "../../config/read.ts";
import { flagsOf, type Rights, rightsOf } from "../../components/lib/permissions/grant.ts";
import { formatTokenFile } from "../../components/lib/admin_token/token_file.ts";
import { serveUnix } from "../../components/lib/wire/server.ts";

/** A qmail home in a temporary folder; goes away with the test. */
export interface TestHome extends Disposable {
  readonly home: Home;
}

/** The token of such a home. */
export const token = "dqa_test-token";

/** A home with control/me, a token and these listeners. */
export function makeHome(listeners: string): TestHome {
  const home = homeAt(Deno.makeTempDirSync({ prefix: "admin" }));
  Deno.mkdirSync(home.control("."), { recursive: true });
  Deno.writeTextFileSync(home.control("me"), "mx.example.org\n");
  Deno.writeTextFileSync(home.control("listeners"), listeners);
  Deno.writeTextFileSync(home.control("admintoken"), formatTokenFile(token));
  return { home, [Symbol.dispose]: () => Deno.removeSync(home.dir, { recursive: true }) };
}

/** Listens where a component would; `reply` answers a status request, or undefined to leave it without an answer. */
export function answerStatus(home: Home, name: SocketName, reply: () => object | undefined): Disposable {
  Deno.mkdirSync(home.run(name), { recursive: true });
  const server = serveUnix(home.socket(name), {
    onFrame: ({ head }, pipe) => {
      const status = head["op"] === "status" ? reply() : undefined;
      if (status !== undefined) pipe.send({ ...status, id: head["id"] });
    },
    onError: () => {},
  });
  return {
    [Symbol.dispose]: () => {
      server.stop();
      server.closeAll();
    },
  };
}

/** What the process may do, computed as the supervisor does. */
export function adminRights(home: Home): { readonly flags: readonly string[]; readonly rights: Rights } {
  const controls = readControlsOf(home, "admin");
  if (!controls.ok) throw new Error(controls.error.join("; "));
  const grant = manifest.permissions({ home, portOffset: 0, controls: controls.value, nameservers: [] });
  return { flags: flagsOf(grant, home), rights: rightsOf(grant, home) };
}

const root = fromFileUrl(new URL("../..", import.meta.url));

function command(home: Home, env: Record<string, string> = {}): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--cached-only",
      "--frozen",
      ...adminRights(home).flags,
      `${root}/components/admin/main.ts`,
      "--home",
      home.dir,
      "--supervised",
    ],
    cwd: root,
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs a process that ends by itself. */
export async function runToEnd(home: Home): Promise<{ code: number; log: string }> {
  const child = command(home).spawn();
  const [{ code }, , log] = await Promise.all([child.status, child.stdout.cancel(), new Response(child.stderr).text()]);
  await child.stdin.close().catch(() => {});
  return { code, log };
}

export interface Admin extends AsyncDisposable {
  readonly ports: Readonly<Record<string, number>>;
  readonly pid: number;
  signal(name: Deno.Signal): void;
  /** Ends its standard input, as the supervisor's end would; answers exit code and log. */
  stop(): Promise<{ code: number; log: string }>;
}

/** Starts the process and waits until it is ready. */
export async function startAdmin(home: Home, env: Record<string, string> = {}): Promise<Admin> {
  const child = command(home, env).spawn();
  const log = new Response(child.stderr).text();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`admin ended before it was ready: ${await log}`);
    text += value;
  }
  const { ports } = JSON.parse(text.slice(0, text.indexOf("\n"))) as { ports: Record<string, number> };
  let stopped: Promise<{ code: number; log: string }> | undefined;
  const stop = () =>
    stopped ??= (async () => {
      await child.stdin.close();
      const { code } = await child.status;
      await reader.cancel();
      return { code, log: await log };
    })();
  return {
    ports,
    pid: child.pid,
    signal: (name) => child.kill(name),
    stop,
    [Symbol.asyncDispose]: async () => void await stop(),
  };
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

/** One request as written here, octet for octet: fetch() would mend the Host header. */
export async function exchange(hostname: string, port: number, request: string): Promise<HttpAnswer> {
  using conn = await Deno.connect({ hostname, port });
  await conn.write(new TextEncoder().encode(request));
  const answer = await new Response(conn.readable).text();
  const end = answer.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = answer.slice(0, end).split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(statusLine.split(" ")[1]), headers: new Map(headers), text: answer.slice(end + 4) };
}

/** GET on IPv4 loopback. */
export function get(port: number, path: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
  const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...headers, Connection: "close" }).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  return exchange("127.0.0.1", port, `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
}

/** Logs in; answers the cookie. */
export async function logIn(port: number): Promise<string> {
  const body = `token=${token}`;
  const host = `127.0.0.1:${port}`;
  const request = `POST /login HTTP/1.1\r\nHost: ${host}\r\nOrigin: http://${host}\r\nConnection: close\r\n` +
    `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const { headers } = await exchange("127.0.0.1", port, request);
  return (headers.get("set-cookie") ?? "").split(";")[0]!;
}
