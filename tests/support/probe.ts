/**
 * What an intruder could try: run in a component's place, under its flags. Tries each deed of the JSON list in the last
 * argument, `[["read", "/etc/passwd"], …]`, and writes what came of each as a JSON list: "refused" by deno, "done", or
 * why it failed otherwise. It is copied to where the component's user can read it, so it imports nothing of ours.
 * @module
 */
import { createRequire } from "node:module";
import { createSocket } from "node:dgram";
import process from "node:process";

type Deed = (object: string, more: string) => unknown;

const bytes = new Uint8Array([10]);

const deeds: Readonly<Record<string, Deed>> = {
  read: (path) => Deno.readTextFileSync(path),
  list: (path) => Array.from(Deno.readDirSync(path)).length,
  stat: (path) => Deno.lstatSync(path),
  write: (path) => Deno.writeFileSync(path, bytes, { append: true }),
  remove: (path) => Deno.removeSync(path),
  chmod: (path) => Deno.chmodSync(path, 0o777),
  rename: (path, to) => Deno.renameSync(path, to),
  link: (path, to) => Deno.linkSync(path, to),
  symlink: (path, to) => Deno.symlinkSync(path, to),
  connect: async (address) => (await Deno.connect(endpoint(address))).close(),
  listen: (address) => Deno.listen(endpoint(address)).close(),
  datagram: (address) => sendDatagram(address),
  dns: (address) => Deno.resolveDns("probe.example", "A", { nameServer: nameServer(address) }),
  fetch: async (url) => await (await fetch(url)).text(),
  connectUnix: async (path) => (await Deno.connect({ transport: "unix", path })).close(),
  listenUnix: (path) => Deno.listen({ transport: "unix", path }).close(),
  run: (program, args) => new Deno.Command(program, { args: args.split(" "), clearEnv: true }).outputSync(),
  runWithEnv: (program, name) => new Deno.Command(program, { env: { [name]: "/probe" } }).outputSync(),
  env: (name) => Deno.env.get(name),
  sys: (name) => (Deno as unknown as Record<string, () => unknown>)[name]!(),
  nodeSys: (name) => (process as unknown as Record<string, (id: number) => unknown>)[name]!(0),
  kill: (pid) => Deno.kill(Number(pid), "SIGCONT"),
  ffi: (path) => Deno.dlopen(path, {}),
  addon: (path) => createRequire(import.meta.url)(path),
  import: (specifier) => import(specifier),
  importText: (specifier) => import(specifier, { with: { type: "text" } }),
  worker: (specifier) => startWorker(specifier),
  hold: (name, object) => holds(name, object),
  ask: (name) => askFor(name as Deno.PermissionName),
  store: () => globalThis.localStorage.setItem("probe", "x"),
  cache: async () => await (await caches.open("probe")).put("http://probe.example/", new Response("x")),
};

function endpoint(address: string): { hostname: string; port: number } {
  const colon = address.lastIndexOf(":");
  return { hostname: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

function nameServer(address: string): { ipAddr: string; port: number } {
  const { hostname, port } = endpoint(address);
  return { ipAddr: hostname, port };
}

/** From 127.0.0.1, which some may bind: then the address it goes to is what is refused. */
function sendDatagram(address: string): Promise<void> {
  const { hostname, port } = endpoint(address);
  const socket = createSocket("udp4");
  return new Promise<void>((resolve, reject) => {
    // A refused bind is thrown where nobody waits for it.
    globalThis.addEventListener("error", (event) => {
      event.preventDefault();
      reject(event.error);
    }, { once: true });
    socket.on("error", reject);
    socket.bind({ address: "127.0.0.1", port: 0 }, () => {
      socket.send(bytes, port, hostname, (error) => {
        if (error === null) resolve();
        // What node:dgram makes of Deno's refusal; a datagram has no other way to fail on loopback.
        else reject(error.message.includes("UNKNOWN") ? new Deno.errors.NotCapable(error.message) : error);
      });
    });
  });
}

function startWorker(specifier: string): Promise<void> {
  const worker = new Worker(specifier, { type: "module" });
  return new Promise<void>((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
  }).finally(() => worker.terminate());
}

/** Done where the flags grant it: shows that a probe's refusals are not those of a command line gone wrong. */
function holds(name: string, object: string): void {
  const key = { read: "path", write: "path", net: "host", run: "command", sys: "kind", env: "variable" }[name]!;
  const { state } = Deno.permissions.querySync({ name, [key]: object } as unknown as Deno.PermissionDescriptor);
  if (state !== "granted") throw new Error(`not granted: ${state}`);
}

async function askFor(name: Deno.PermissionName): Promise<void> {
  const { state } = await Deno.permissions.request({ name } as Deno.PermissionDescriptor);
  if (state !== "granted") throw new Deno.errors.NotCapable(state);
}

/** Deno's own word, also where an import or a worker wraps it; what is in no cache is not fetched either. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error instanceof Deno.errors.NotCapable ||
    /Requires [a-z]+ access|--(?:cached-only|no-npm|no-remote) is specified/.test(error.message);
}

async function attempt(deed: string, object: string, more: string): Promise<string> {
  try {
    await deeds[deed]!(object, more);
    return "done";
  } catch (error) {
    return isRefusal(error) ? "refused" : String(error);
  }
}

if (import.meta.main) {
  const wanted = JSON.parse(Deno.args.at(-1)!) as readonly (readonly [string, string, string?])[];
  const results: string[] = [];
  for (const [deed, object, more] of wanted) results.push(await attempt(deed, object, more ?? ""));
  console.log(JSON.stringify({ args: Deno.args.slice(0, -1), results }));
  Deno.exit(0);
}
