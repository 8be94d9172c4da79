/** The real auth with its real flags, asked over its socket as servers ask it. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { manifest } from "../../components/auth/permissions.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { flagsOf, rightsOf } from "../../components/lib/permissions/grant.ts";
import type { AuthClient, Authenticator, AuthStep } from "../../components/lib/sasl/authenticator.ts";
import { authenticatorOver } from "../../components/lib/sasl/auth_client.ts";
import { cramDigest } from "../../components/lib/sasl/cram_md5.ts";
import { Client } from "../../components/lib/wire/client.ts";
import { encodeFrame } from "../../components/lib/wire/frame.ts";
import { hashPassword, scramSecretOf } from "../../scripts/home/password.ts";
import { ScramClient } from "../lib/sasl/scram_client.ts";
import { outside, readAudit, unused } from "../support/audit.ts";
import { isRunning } from "../support/processes.ts";
import { waitFor, within } from "../support/wait.ts";
import { type AuthHome, authHome, type AuthHomeOptions, type AuthProcess, startAuth } from "./auth_process.ts";

const amyHash = await hashPassword("s\u00eas\u00e4me");
const amyScram = await scramSecretOf("s\u00eas\u00e4me");
const password = "s\xc3\xaas\xc3\xa4me";
const passwd = [
  `amy@mx.example:${amyHash}:1:1::::scram=${amyScram}`,
  "bob@b.example:{SHA256-CRYPT}$5$5xsb47aDiUprkwaM$UDcH2H880xArnvgXgr.CTLBDdWE6GUkn1beX9f9cT67:1:1::::",
  "cleo@mx.example:{PLAIN}tanstaaftanstaaf:1:1::::quota_rule=*:storage=1G",
  "dora@mx.example::1:1::::",
  "",
].join("\n");

const facts: AuthClient = { ip: "192.0.2.1", entrance: "submission", tls: true };
const endPoint = new Uint8Array(32).fill(9);

interface World extends AsyncDisposable {
  readonly home: AuthHome;
  readonly auth: Authenticator;
  readonly client: Client;
  process: AuthProcess;
}

async function world(options: Partial<AuthHomeOptions> = {}, audit?: string): Promise<World> {
  const home = authHome({ passwd, ...options });
  const client = new Client(home.home.socket("auth"));
  const auth = authenticatorOver(client, { mechanisms: () => ["PLAIN"] });
  const here: World = {
    home,
    auth,
    client,
    process: await startAuth(home, audit),
    [Symbol.asyncDispose]: async () => {
      client.close();
      await here.process.end("SIGKILL");
      home[Symbol.dispose]();
    },
  };
  return here;
}

/** As they come off a socket. */
const octets = (text: string) => new TextEncoder().encode(text);
const answerMs = 30_000;
const soon = <T>(promise: Promise<T>): Promise<T> => within(promise, answerMs, () => "an answer of auth");

const plain = ({ auth }: World, login: string, secret: string, ip = facts.ip): Promise<AuthStep> =>
  soon(auth.start("PLAIN", { ...facts, ip }).next(toOctets(`\0${login}\0${secret}`)));

async function scram({ auth }: World, ours: ScramClient, plus = false): Promise<AuthStep> {
  const mechanism = plus ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256";
  const exchange = auth.start(mechanism, plus ? { ...facts, endPoint } : facts);
  const step = await soon(exchange.next(toOctets(ours.first())));
  return step.kind === "challenge" ? await soon(exchange.next(toOctets(ours.final(fromOctets(step.challenge))))) : step;
}

describe("auth", () => {
  it("lets in by every mechanism who has the password, and nobody else", async () => {
    await using here = await world({
      controls: { smtpauth: "plain login cram-md5 scram-sha-256 scram-sha-256-plus\n" },
    });
    assertEquals(await plain(here, "amy", password), { kind: "success", login: "amy@mx.example" });
    assertEquals(await plain(here, "Bob@B.example", "sesame"), { kind: "success", login: "bob@b.example" });

    const login = here.auth.start("LOGIN", facts);
    assertEquals(await soon(login.next(undefined)), { kind: "challenge", challenge: octets("Username:") });
    assertEquals(await soon(login.next(toOctets("cleo"))), { kind: "challenge", challenge: octets("Password:") });
    assertEquals(await soon(login.next(toOctets("tanstaaftanstaaf"))), { kind: "success", login: "cleo@mx.example" });

    for (const [name, want] of [["cleo", "success"], ["bob@b.example", "failure"]] as const) {
      const cram = here.auth.start("CRAM-MD5", facts);
      const challenge = await soon(cram.next(undefined));
      assert(challenge.kind === "challenge");
      const digest = cramDigest("tanstaaftanstaaf", fromOctets(challenge.challenge));
      assertEquals((await soon(cram.next(toOctets(`${name} ${digest}`)))).kind, want);
    }

    const ours = new ScramClient("amy", password);
    assertEquals(await scram(here, ours), {
      kind: "success",
      login: "amy@mx.example",
      final: octets(ours.serverFinal),
    });
    const bound = new ScramClient("amy@mx.example", password, { gs2Header: "p=tls-server-end-point,,", endPoint });
    assertEquals((await scram(here, bound, true)).kind, "success");

    const refused: readonly (readonly [string, string])[] = [
      ["amy", "wrong"],
      ["amy@b.example", password],
      ["dora", "x"],
      ["nobody", "x"],
    ];
    for (const [name, secret] of refused) {
      const step = await plain(here, name, secret, "192.0.2.2");
      assertEquals(step.kind === "failure" && step.reason, "credentials", name);
    }
    for (const name of ["amy", "bob@b.example", "nobody"]) {
      const step = await scram(here, new ScramClient(name, "wrong"));
      assertEquals(step.kind === "failure" && step.reason, "credentials", name);
    }
  });

  it("refuses a SCRAM client that was told there is no channel binding, where there is", async () => {
    await using here = await world({ controls: { smtpauth: "scram-sha-256 scram-sha-256-plus\n" } });
    const ours = new ScramClient("amy", password, { gs2Header: "y,," });
    const exchange = here.auth.start("SCRAM-SHA-256", { ...facts, endPoint });
    const step = await soon(exchange.next(toOctets(ours.first())));
    assertEquals(step.kind === "failure" && step.reason, "credentials");
    await here.process.log.waitFor((line) => line.includes("reason=downgrade"), 5000);
  });

  it("lets it in where -PLUS is not on offer", async () => {
    await using here = await world();
    const ours = new ScramClient("amy", password, { gs2Header: "y,," });
    const exchange = here.auth.start("SCRAM-SHA-256", { ...facts, endPoint });
    const step = await soon(exchange.next(toOctets(ours.first())));
    assert(step.kind === "challenge");
    assertEquals((await soon(exchange.next(toOctets(ours.final(fromOctets(step.challenge)))))).kind, "success");
  });

  it("asks nobody by a mechanism that control/smtpauth does not name", async () => {
    await using here = await world({ controls: { smtpauth: "plain\n" } });
    const step = await soon(here.auth.start("LOGIN", facts).next(undefined));
    assertEquals(step, { kind: "failure", reason: "unavailable" });
  });

  it("reads users/passwd as it stands, and knows nobody while it is malformed", async () => {
    await using here = await world();
    assertEquals((await plain(here, "new", "x")).kind, "failure");
    here.home.writePasswd(`${passwd}new@mx.example:{PLAIN}x:1:1::::\n`);
    assertEquals((await plain(here, "new", "x")).kind, "success");
    here.home.writePasswd(`${passwd}nonsense\n`);
    assertEquals(await plain(here, "amy", password), { kind: "failure", reason: "unavailable" });
    here.home.writePasswd("amy@mx.example:{PLAIN}another:1:1::::\n");
    assertEquals((await plain(here, "amy", password)).kind, "failure");
    assertEquals((await plain(here, "amy", "another")).kind, "success");
  });

  it("throttles who guesses: of 50 wrong passwords it compares 20, and answers others meanwhile", async () => {
    await using here = await world();
    const guesses = Array.from({ length: 50 }, (_, n) => plain(here, "amy", `guess${n}`));
    const login = here.auth.start("LOGIN", { ...facts, ip: "192.0.2.9" });
    assertEquals((await soon(login.next(undefined))).kind, "challenge");
    const steps = await Promise.all(guesses);
    const reasons = steps.map((step) => step.kind === "failure" ? step.reason : step.kind);
    const compared = reasons.filter((reason) => reason === "credentials").length;
    // Those that found too many waiting were not compared either.
    assert(compared >= 10 && compared <= 20, String(compared));
    assertEquals(reasons.filter((reason) => reason === "throttled").length, 50 - compared);
    const delays = steps.flatMap((step) =>
      step.kind === "failure" && step.reason === "credentials" ? step.delayMs! : []
    );
    assertEquals(delays.slice(0, 5), [500, 1000, 2000, 4000, 8000]);
    for (let n = compared; n < 20; n++) await plain(here, "amy", "wrong");
    assertEquals(await plain(here, "amy", password), { kind: "failure", reason: "throttled", delayMs: 15_000 });
    assertEquals((await plain(here, "amy", password, "198.51.100.1")).kind, "success");
  });

  it("grows by no more than a little for ten thousand names that nobody has, and exchanges nobody ends", async () => {
    await using here = await world({ passwd: "amy@mx.example:{PLAIN}x:1:1::::\n" });
    const round = (from: number) =>
      Promise.all(Array.from({ length: 500 }, async (_, n) => {
        const ip = `10.${(from + n) >> 8 & 255}.${(from + n) & 255}.1`;
        here.auth.start("LOGIN", { ...facts, ip }).next(undefined);
        await plain(here, `nobody${from + n}${"x".repeat(200)}`, "x", ip);
      }));
    const residentMiB = () => {
      const status = Deno.readTextFileSync(`/proc/${here.process.pid}/status`);
      return Number(/VmRSS:\s+([0-9]+)/.exec(status)![1]) / 1024;
    };
    for (let from = 0; from < 2000; from += 500) await round(from);
    const before = residentMiB();
    for (let from = 2000; from < 10_000; from += 500) await round(from);
    assert(residentMiB() < before + 100, `${before} MiB became ${residentMiB()} MiB`);
  });

  it("is unavailable while it is away, and when it is killed in the middle; and is asked again when it is back", async () => {
    await using here = await world();
    const exchange = here.auth.start("SCRAM-SHA-256", facts);
    const ours = new ScramClient("amy", password);
    const first = await soon(exchange.next(toOctets(ours.first())));
    assert(first.kind === "challenge");
    const waiting = plain(here, "amy", password);
    await here.process.end("SIGKILL");
    const unavailable = { kind: "failure", reason: "unavailable" } as const;
    const last = await waiting;
    // It may just have been in time.
    if (last.kind !== "success") assertEquals(last, unavailable);
    assertEquals(await plain(here, "amy", password), unavailable);
    here.process = await startAuth(here.home);
    assertEquals(await soon(exchange.next(toOctets(ours.final(fromOctets(first.challenge))))), unavailable);
    assertEquals((await plain(here, "amy", password)).kind, "success");
  });

  it("ends a connection that speaks nonsense, and goes on with the others", async () => {
    await using here = await world();
    const nonsense = [
      toOctets("AUTH PLAIN AGFteQBzZXNhbWU=\r\n"),
      new Uint8Array(70_000).fill(255),
      encodeFrame({
        op: "start",
        id: 1,
        exchange: 1,
        mechanism: "NTLM",
        ip: "",
        entrance: "",
        tls: true,
        initial: false,
      }),
      encodeFrame({
        op: "start",
        id: 1,
        exchange: -1,
        mechanism: "PLAIN",
        ip: "",
        entrance: "",
        tls: true,
        initial: false,
      }),
      encodeFrame({ op: "next", id: 1, exchange: "__proto__" }),
      encodeFrame({ op: "next", id: 1, exchange: 1 }, new Uint8Array(20_000)),
    ];
    for (const octets of nonsense) {
      using conn = await Deno.connect({ transport: "unix", path: here.home.home.socket("auth") });
      await conn.write(octets).catch(() => 0);
      assertEquals(await soon(conn.read(new Uint8Array(100)).catch(() => null)), null);
    }
    assertEquals((await plain(here, "amy", password)).kind, "success");
    assertEquals(
      here.process.log.lines().filter((line) => line.startsWith("garbage socket=auth")).length,
      nonsense.length,
    );
  });

  it("logs who came in and who did not, and no password", async () => {
    await using here = await world();
    await plain(here, "amy", password);
    await plain(here, "a\xfcy %", "secret1");
    await plain(here, "cleo", "secret2");
    const log = here.process.log;
    await log.waitFor((line) => line.includes("cleo"), 5000);
    assertEquals(log.lines().filter((line) => !line.startsWith("warning: ")), [
      "login ip=192.0.2.1 login=amy@mx.example mechanism=PLAIN entrance=submission tls=yes",
      "login-failed ip=192.0.2.1 login=a_y__@mx.example mechanism=PLAIN entrance=submission tls=yes reason=no-user",
      "login-failed ip=192.0.2.1 login=cleo@mx.example mechanism=PLAIN entrance=submission tls=yes reason=password",
    ]);
  });

  it("warns of logins that clients which prefer SCRAM cannot use, once, and only where it is on offer", async () => {
    for (const [smtpauth, want] of [["scram-sha-256 plain\n", 1], ["plain\n", 0]] as const) {
      await using here = await world({ controls: { smtpauth } });
      Deno.writeTextFileSync(here.home.home.users("passwd"), `${passwd}# changed\n`);
      await plain(here, "amy", password);
      await here.process.log.waitFor((line) => line.startsWith("login "), 5000);
      const warnings = here.process.log.lines().filter((line) => line.startsWith("warning: "));
      assertEquals(warnings.map((line) => line.replace(/ logins .*/, "")), Array(want).fill("warning: 2 of 3"));
    }
  });

  it("needs every entry of its grant and asks for nothing outside of it, with and without a program", async () => {
    for (const controls of [{}, { checkpassword: "/bin/false\n" }]) {
      const dir = Deno.makeTempDirSync();
      try {
        await using here = await world({ controls }, join(dir, "auth.jsonl"));
        await plain(here, "amy", password);
        assertEquals(await here.process.end(), 0);
        const rights = rightsOf(here.home.grant, here.home.home);
        const asked = readAudit(dir, "auth");
        // Deno keeps no record of checks for programs.
        assertEquals(unused(asked, { ...rights, run: [] }), []);
        assertEquals(outside(asked, rights), []);
      } finally {
        Deno.removeSync(dir, { recursive: true });
      }
    }
  });
});

/** A checkpassword program that knows one password; it leaves what it read, and its environment, in the folder it is given. */
const program = `#!/bin/sh
cat <&3 >"$1/read"
env >"$1/env"
{ cat; echo end; } >"$1/input"
echo said
tr '\\0' '\\n' <"$1/read" >"$1/lines"
{ read -r login; read -r proof; } <"$1/lines"
case $login:$proof in
amy:right) exit 0 ;;
slow:*) sleep 300 & echo $! >"$1/pid"; wait ;;
trouble:*) exit 111 ;;
misused:*) exit 2 ;;
killed:*) kill -9 $$ ;;
cleo:????????????????????????????????) exit 0 ;;
esac
exit 1
`;
const setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].some((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

describe(`auth with a checkpassword program${setpriv ? "" : " (skipped: no setpriv)"}`, { ignore: !setpriv }, () => {
  async function withProgram(
    controls: Readonly<Record<string, string>> = {},
  ): Promise<World & { readonly dir: string }> {
    const dir = Deno.makeTempDirSync({ prefix: "dq" });
    Deno.writeTextFileSync(join(dir, "check"), program);
    Deno.chmodSync(join(dir, "check"), 0o755);
    const here = await world({ passwd: "", controls: { checkpassword: `${dir}/check ${dir}\n`, ...controls } });
    return {
      ...here,
      process: here.process,
      dir,
      [Symbol.asyncDispose]: async () => {
        await here[Symbol.asyncDispose]();
        Deno.removeSync(dir, { recursive: true });
      },
    };
  }
  const read = (dir: string, file: string) => fromOctets(Deno.readFileSync(join(dir, file)));

  it("lets in whom the program does, which reads descriptor 3 and nothing else", async () => {
    await using here = await withProgram();
    assertEquals(await plain(here, "amy", "right"), { kind: "success", login: "amy@mx.example" });
    assertEquals(read(here.dir, "read"), "amy\0right\0\0");
    assertEquals(read(here.dir, "input"), "end\n");
    const names = read(here.dir, "env").trim().split("\n").map((line) => line.split("=")[0]!).toSorted();
    assertEquals(names.filter((name) => !["PWD", "_", "SHLVL"].includes(name)), ["PATH", "PROTO", "TCPREMOTEIP"]);
    assertStringIncludes(read(here.dir, "env"), "TCPREMOTEIP=192.0.2.1\n");
    const step = await plain(here, "amy", "$(touch /tmp/x)`id`'\"\\\xff");
    assertEquals(step.kind === "failure" && step.reason, "credentials");
    assertEquals(read(here.dir, "read"), "amy\0$(touch /tmp/x)`id`'\"\\\xff\0\0");
  });

  it("says that it cannot say where the program can not, crashes or is not there", async () => {
    await using here = await withProgram();
    for (const login of ["trouble", "misused", "killed"]) {
      assertEquals(await plain(here, login, "x"), { kind: "failure", reason: "unavailable" }, login);
    }
    Deno.removeSync(join(here.dir, "check"));
    assertEquals(await plain(here, "amy", "right"), { kind: "failure", reason: "unavailable" });
    await here.process.log.waitFor((line) => line === "alert: checkpassword exited 111", 5000);
  });

  it("gives a digest in the password's place and its challenge behind it; SCRAM is not on offer", async () => {
    await using here = await withProgram({ smtpauth: "plain cram-md5 scram-sha-256\n" });
    const exchange = here.auth.start("CRAM-MD5", facts);
    const step = await soon(exchange.next(undefined));
    assert(step.kind === "challenge");
    const challenge = fromOctets(step.challenge);
    const digest = cramDigest("x", challenge);
    assertEquals((await soon(exchange.next(toOctets(`cleo ${digest}`)))).kind, "success");
    assertEquals(read(here.dir, "read"), `cleo\0${digest}\0${challenge}\0`);
    const other = await soon(here.auth.start("SCRAM-SHA-256", facts).next(undefined));
    assertEquals(other, { kind: "failure", reason: "unavailable" });
  });

  it("gives it at most 512 octets, and does not run it for more", async () => {
    await using here = await withProgram();
    const step = await plain(here, "a".repeat(255), "b".repeat(255));
    assertEquals(step.kind === "failure" && step.reason, "credentials");
    assertEquals(step.kind === "failure" && step.delayMs, 500);
    await here.process.log.waitFor((line) => line.endsWith("reason=too-long"), 5000);
    assert(!Array.from(Deno.readDirSync(here.dir), ({ name }) => name).includes("read"));
  });

  it("leaves no program behind when it dies, and runs others beside one that hangs", async () => {
    await using here = await withProgram();
    const hanging = plain(here, "slow", "x");
    const pid = Number(
      await waitFor(() => {
        try {
          return read(here.dir, "pid").trim();
        } catch {
          return undefined;
        }
      }, "the program to hang"),
    );
    assertEquals((await plain(here, "amy", "right")).kind, "success");
    await here.process.end("SIGKILL");
    assertEquals(await hanging, { kind: "failure", reason: "unavailable" });
    await waitFor(() => !isRunning(pid), "the end of the program");
  });
});

describe("auth's grant", () => {
  it("is users/passwd, its control files and its socket; with a program, that one's script instead of users/passwd", () => {
    for (const [controls, want] of [[{}, "users/passwd"], [{ checkpassword: "/bin/c x\n" }, undefined]] as const) {
      using here = authHome({ passwd: "", controls });
      const base = here.home.dir;
      const files = ["me", "checkpassword", "pop3apop", "smtpauth"].map((file) => `${base}/control/${file}`);
      assertEquals(here.grant.read, [...(want === undefined ? [] : [`${base}/${want}`]), ...files]);
      assertEquals(
        here.grant.run,
        want === undefined ? [`${base}/libexec/grants/programs/auth-checkpassword`] : undefined,
      );
      assert(!flagsOf(here.grant, here.home).some((flag) => flag.startsWith("--allow-net=") && flag.includes(":25")));
    }
  });

  it("names an account without a share in the queue", () => assertEquals(manifest.account, "qmailp"));
});
