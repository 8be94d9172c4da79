/**
 * What an intruder in a component could do: a probe runs in each component's place, started by the very script the
 * supervisor starts, and is refused everything but the grant: the next path, the next port, other sockets, programs.
 * @module
 */
import { assertEquals, assertNotEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { dirname, join } from "@std/path";
import { type Grant, type Manifest, type Rights, rightsOf } from "../../components/lib/permissions/grant.ts";
import { supervised } from "../../components/supervisor/permissions.ts";
import { readConfig } from "../../components/supervisor/config.ts";
import { socketNames } from "../../config/home.ts";
import { manifests } from "../../config/manifests.ts";
import { covers } from "../support/audit.ts";
import { type Attempt, placeProbe, probeScript, runProbe } from "../support/grant_script.ts";
import { everyComponent } from "../support/every_component.ts";
import { startSystem, type System } from "../support/system.ts";

/** Who owns what, said once more and apart from the manifests, so that a manifest that grows is noticed. */
const writers: Readonly<Record<string, readonly string[]>> = {
  "queue/pid": ["qmail-queue"],
  "queue/mess/0": ["qmail-queue", "qmail-clean"],
  "queue/intd": ["qmail-queue", "qmail-clean"],
  "queue/todo": ["qmail-queue", "qmail-clean"],
  "queue/info/0": ["qmail-send"],
  "queue/local/0": ["qmail-send"],
  "queue/remote/0": ["qmail-send"],
  "queue/bounce": ["qmail-send"],
  "queue/options": ["qmail-queue", "qmail-clean"],
  "queue/delayed": ["qmail-send"],
  "queue/lock": [],
  "tally": ["tally"],
  "tlsrpt": ["tlsrpt"],
  "dmarcrpt": ["dmarcrpt"],
  "queue": [],
  "control": [],
  "users": [],
  "alias": [],
  "mail": ["qmail-local", "qmail-pop3d"],
  "mail/localhost/demo/Maildir/new": ["qmail-local", "qmail-pop3d"],
  "run": [],
  "libexec": [],
  "libexec/launch": [],
  "libexec/grants": ["supervisor"],
  "": [],
};
const passwdReaders = ["supervisor"];
const mailboxListReaders = ["qmail-getpw", "auth"];
const starters: Readonly<Record<string, readonly string[]>> = {
  supervisor: supervised,
  "qmail-lspawn": ["qmail-local"],
  "qmail-pop3spawn": ["qmail-pop3d"],
};

describe("grants, tried by a probe under each component's flags", () => {
  let system: System;
  let probe: string;
  let stranger: string;
  let grantOf: (manifest: Manifest) => Grant;

  beforeAll(async () => {
    // All there is: each component is needed, and qmail-smtpd asks whom it can ask.
    system = await startSystem({
      controls: {
        listeners: "smtp 127.0.0.1:0\nsubmission 127.0.0.1:0\nlmtp unix:lmtp/s\npop3 127.0.0.1:0\n" +
          "qmtp 127.0.0.1:0\nqmqp 127.0.0.1:0\nadmin 127.0.0.1:0\n",
        smtpdprocesses: "2\n",
        dnsbllist: "bl.example\n",
        greylist: "1\n",
        ...everyComponent,
      },
    });
    probe = placeProbe(system);
    stranger = join(system.baseDir, "stranger.ts");
    Deno.writeTextFileSync(stranger, "globalThis.postMessage?.(1);\n");
    const config = readConfig(system.home, 0);
    if (!("controls" in config)) throw new Error(config.join("; "));
    grantOf = (manifest) => manifest.permissions(config);
  });

  afterAll(() => system?.stop());

  const path = (below: string) => join(system.home.dir, below);
  const tryAll = (manifest: Manifest, attempts: readonly Attempt[]) =>
    runProbe(manifest, ["/bin/sh", probeScript(system, manifest.name, probe)], attempts);

  async function assertRefused(manifest: Manifest, attempts: readonly Attempt[]): Promise<void> {
    const { results } = await tryAll(manifest, attempts);
    const not = attempts.map((attempt, at) => `${attempt.join(" ")}: ${results[at]}`).filter((line) =>
      !line.endsWith(": refused")
    );
    assertEquals(not, []);
  }

  function fileAttempts({ name }: Manifest, rights: Rights): Attempt[] {
    const folders = Object.keys(writers).filter((folder) => !writers[folder]!.includes(name));
    const [mine] = Object.keys(writers).filter((folder) => writers[folder]!.includes(name)).map(path);
    const nextPaths = rights.read.flatMap((entry): Attempt[] => {
      const [next, parent] = [`${entry.replace(/\/$/, "")}~`, dirname(entry)];
      return [
        ["read", next],
        ...(rights.read.some((own) => covers("read", own, parent)) ? [] : [["list", parent] as const]),
      ];
    });
    return [
      ...(passwdReaders.includes(name) ? [] : [["read", "/etc/passwd"], ["importText", "file:///etc/passwd"]] as const),
      ...(mailboxListReaders.includes(name) ? [] : [["read", system.home.users("passwd")]] as const),
      ["read", "/etc/shadow"],
      ["read", "/proc/self/environ"],
      ["read", "/proc/self/mem"],
      ["read", "/etc/hostname"],
      ["list", "/"],
      ["list", system.home.dir],
      ["stat", system.baseDir],
      ...nextPaths,
      ...folders.map((folder): Attempt => ["write", path(join(folder, "probe"))]),
      ...rights.write.map((entry): Attempt => ["write", `${entry}~`]),
      ...(writers["queue/todo"]!.includes(name) ? [] : [["remove", path("queue/todo/1")]] as const),
      ["write", "/dev/null"],
      ["remove", path("control/me")],
      ["chmod", path("libexec/launch")],
      ["rename", path("control/me"), path("control/you")],
      // Out of what it may write to what it may not, and the other way round.
      ...(mine === undefined ? [] : [
        ["symlink", "/etc/passwd", `${mine}/probe`],
        ["link", "/etc/shadow", `${mine}/probe`],
        ["rename", `${mine}/probe`, path("control/probe")],
      ] as const),
    ];
  }

  function networkAttempts(rights: Rights, grant: Grant): Attempt[] {
    const ports = [...grant.listen ?? [], ...grant.connect ?? []].map((at) =>
      Number(at.slice(at.lastIndexOf(":") + 1))
    );
    const { smtp, admin } = system.ports;
    const others = [`127.0.0.1:${smtp}`, `127.0.0.1:${admin}`, "127.0.0.1:53", "[::1]:25", "127.0.0.1:65535"];
    const mail = ["127.0.0.1:25", "[::ffff:127.0.0.1]:25", "0.0.0.0:25"];
    const next = ports.map((port) => `127.0.0.1:${port + 1}`).filter((at) => !rights.net.includes(at));
    const sockets = socketNames.filter((name) => !grant.serves?.includes(name) && !grant.calls?.includes(name));
    return [
      ...[...others, ...mail, ...next].flatMap((at): Attempt[] => {
        const address = at.replace(/[[\]]/g, "");
        return [["connect", address], ["listen", address]];
      }),
      ["listen", "0.0.0.0:2526"],
      ["listen", ":::0"],
      ["datagram", "127.0.0.1:53"],
      ["dns", "127.0.0.1:53"],
      ["fetch", `http://127.0.0.1:${admin}/`],
      ...sockets.flatMap((name): Attempt[] => [
        ["connectUnix", system.home.socket(name)],
        ["listenUnix", system.home.socket(name)],
      ]),
      ["listenUnix", path("run/probe")],
    ];
  }

  function programAttempts({ name }: Manifest): Attempt[] {
    const mayStart = starters[name] ?? [];
    const launchers = manifests.filter((other) => !mayStart.includes(other.name));
    const deno = /\S+\/deno(?= run )/.exec(Deno.readTextFileSync(system.home.libexec("grants", name)))![0];
    return [
      ["run", "/bin/sh", "-c true"],
      ["run", "sh", "-c true"],
      ["run", "/usr/bin/env", "true"],
      ["run", deno, "--version"],
      ["run", Deno.execPath(), "--version"],
      ["run", probe, "x"],
      ...launchers.map((other): Attempt => ["run", system.home.libexec("launch", other.name), "x"]),
      ...manifests.map((other): Attempt => ["run", system.home.libexec("grants", other.name), "x"]),
      // A variable of the loader would run in the launcher before it clears the environment.
      ...mayStart.map((other): Attempt => ["runWithEnv", system.home.libexec("launch", other), "LD_PRELOAD"]),
    ];
  }

  function otherAttempts(grant: Grant, supervisorPid: number): Attempt[] {
    const sys = ["hostname", "osRelease", "loadavg", "systemMemoryInfo", "uid", "gid", "networkInterfaces"];
    return [
      ["env", "PATH"],
      ["env", "DENO_DIR"],
      ...sys.filter((name) => !grant.sys?.includes(name)).map((name): Attempt => ["sys", name]),
      ["nodeSys", "setuid"],
      ["nodeSys", "setgid"],
      ["kill", String(supervisorPid)],
      ["ffi", "/lib/x86_64-linux-gnu/libc.so.6"],
      ["addon", `${system.baseDir}/probe.node`],
      ["import", `file://${stranger}`],
      ["worker", `file://${stranger}`],
      ["import", "https://127.0.0.1:1/probe.ts"],
      ["import", "npm:probe@1.0.0"],
      ...["read", "write", "net", "run", "env", "sys", "ffi"].map((name): Attempt => ["ask", name]),
    ];
  }

  for (const manifest of manifests) {
    describe(manifest.name, () => {
      it("is refused every file but its own", async () => {
        await assertRefused(manifest, fileAttempts(manifest, rightsOf(grantOf(manifest), system.home)));
      });

      it("is refused every address and socket but its own", async () => {
        const grant = grantOf(manifest);
        await assertRefused(manifest, networkAttempts(rightsOf(grant, system.home), grant));
      });

      it("is refused programs, the environment, code from elsewhere, and more rights", async () => {
        const { pid } = await system.status();
        await assertRefused(manifest, [...programAttempts(manifest), ...otherAttempts(grantOf(manifest), pid)]);
      });

      it("holds what its grant names, so that the refusals mean something", async () => {
        const grant = grantOf(manifest);
        // Deno answers such a question by flags, which it has none of; ipv6_test.ts shows what it may do.
        if (grant.broker !== undefined) return;
        const { read, write, net, run, sys, env } = rightsOf(grant, system.home);
        const attempts: Attempt[] = [
          ...read.map((entry): Attempt => ["hold", "read", entry]),
          ...write.map((entry): Attempt => ["hold", "write", entry]),
          ...net.filter((at) => !at.startsWith("unix:")).map((
            at,
          ): Attempt => ["hold", "net", at.replace("0/0:", "1:").replace("public:", "9.9.9.9:")]),
          ...(manifest.name === "resolver" ? [["datagram", "127.0.0.1:1"] as const] : []),
          ...run.map((entry): Attempt => ["hold", "run", entry]),
          ...sys.map((entry): Attempt => ["hold", "sys", entry]),
          ...env.map((entry): Attempt => ["hold", "env", entry]),
        ];
        const { results } = await tryAll(manifest, attempts);
        assertEquals(results, attempts.map(() => "done"));
      });
    });
  }

  it("a launcher's arguments are the component's, never deno's", async () => {
    for (const manifest of manifests) {
      const script = probeScript(system, manifest.name, probe);
      const launcher = join(system.baseDir, `launch-${manifest.name}`);
      const original = Deno.readTextFileSync(system.home.libexec("launch", manifest.name));
      Deno.writeTextFileSync(launcher, original.replace(system.home.libexec("grants", manifest.name), script));
      Deno.chmodSync(launcher, 0o755);
      const extra = ["--allow-all", "--allow-read", "-A", "--no-config", "; /bin/true"] as const;
      const { args, results } = await runProbe(manifest, [launcher, ...extra], [["read", "/etc/hostname"], [
        "ask",
        "read",
      ]]);
      assertEquals(args, [...extra], manifest.name);
      assertEquals(results, ["refused", "refused"], manifest.name);
    }
  });

  it("launchers and grants belong to the one who starts, and nobody else may write them", () => {
    const owner = Deno.uid();
    for (const folder of ["launch", "grants"]) {
      const paths = [
        path("libexec"),
        path(`libexec/${folder}`),
        ...manifests.map(({ name }) => path(`libexec/${folder}/${name}`)),
      ];
      for (const each of paths) {
        const { uid, mode } = Deno.statSync(each);
        assertEquals([uid, (mode ?? 0) & 0o022], [owner, 0], each);
      }
    }
  });

  // Deno lets every program keep things in its own cache folder (localStorage, caches) and has no flag against it: a plain
  // file in the folder's place is what stops a component.
  it("who speaks with the network cannot keep anything in deno's cache folder", async () => {
    for (const manifest of manifests) {
      const { listen, connect } = grantOf(manifest);
      if ((listen ?? []).length + (connect ?? []).length === 0) continue;
      const { results } = await tryAll(manifest, [["store", ""], ["cache", ""]]);
      for (const result of results) assertNotEquals(result, "done", manifest.name);
    }
  });
});
