import { fromFileUrl } from "@std/path";
import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseFilters } from "../../components/lib/filters/chain.ts";
import type { ClientNote } from "../../components/lib/filters/filter.ts";
import { type Config, flagsOf, rightsOf } from "../../components/lib/permissions/grant.ts";
import { breaches } from "../../components/lib/permissions/rule.ts";
import type { Running } from "../../components/lib/process/component.ts";
import { run as runResolver } from "../../components/resolver/run.ts";
import { eachLine } from "../../components/supervisor/lines.ts";
import { manifest } from "../../components/verify/permissions.ts";
import { exitCode } from "../../components/lib/queue/exit_code.ts";
import { type World, world } from "../lib/filters/world.ts";
import { rsaKey, sign } from "../lib/mailauth/signer.ts";
import { outside, readAudit, unused } from "../support/audit.ts";
import { startDnsServer, type Zone } from "../support/dns_server.ts";
import { LogLines } from "../support/log_lines.ts";
import { waitFor } from "../support/wait.ts";

const key = rsaKey();
const zone: Zone = {
  "a.example TXT": ["v=spf1 mx -all"],
  "a.example MX": [{ preference: 10, exchange: "mx.a.example" }],
  "mx.a.example A": ["192.0.2.1"],
  // A key's record takes more than one string.
  "s._domainkey.a.example TXT": [[key.record.slice(0, 200), key.record.slice(200)]],
  "_dmarc.a.example TXT": ["v=DMARC1; p=reject; rua=mailto:r@a.example"],
};
const stranger: ClientNote = { entrance: "smtp", ip: "192.0.2.1", helo: "mx.a.example", tls: true, relaying: false };
const envelope = { sender: "amy@a.example", recipients: ["b@b.example"] };
const message = "From: amy@a.example\nTo: b\nSubject: c\nDate: d\n\nHello\n";

/** As the supervisor starts it, with its grant and nothing else. */
async function startVerify({ home }: World, config: Config) {
  const main = fromFileUrl(new URL("../../components/verify/main.ts", import.meta.url));
  const flags = flagsOf(manifest.permissions(config), home);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--cached-only", ...flags, main, "--home", home.dir],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { DENO_AUDIT_PERMISSIONS: `${home.dir}/verify.jsonl` },
  }).spawn();
  const [out, log] = [new LogLines(), new LogLines()];
  const reading = Promise.all([
    eachLine(child.stdout, (line) => out.add(line)),
    eachLine(child.stderr, (line) => log.add(line)),
  ]);
  await out.waitFor((line) => line.includes(`"ready"`), 20_000);
  return {
    child,
    log,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await child.status;
      await reading;
    },
  };
}

function configOf({ home }: World): Config {
  const filters = parseFilters("smtp: verify");
  if (!filters.ok) throw new Error(filters.error);
  return { home, controls: { filters: filters.value, dmarcrpt: true } } as unknown as Config;
}

function writeControl({ home }: World, file: string, text: string): void {
  Deno.mkdirSync(home.control(""), { recursive: true });
  Deno.writeTextFileSync(home.control(file), text);
}

describe("verify as a process", () => {
  it("verifies a message from the network with its grant alone, and uses all of it", async () => {
    await using around = world();
    const dns = await startDnsServer(zone);
    writeControl(around, "me", "mx.example.org\n");
    writeControl(around, "nameservers", `127.0.0.1:${dns.port}\n`);
    const resolver = runResolver({ home: around.home, portOffset: 0, requestStop: () => {} }) as Running;
    const reports = around.deaf("dmarcrpt");
    const config = configOf(around);
    try {
      await using verify = await startVerify(around, config);
      const text = sign(message, key, { domain: "a.example" });
      assertEquals((await around.send([text], { chain: ["verify"], client: stranger, envelope })).code, 0);
      const content = around.queue.messages[0]!.content;
      assertMatch(content, /^Authentication-Results: mx\.example\.org;\n\tspf=pass smtp\.mailfrom=a\.example;\n/);
      assertMatch(content, /\tdkim=pass header\.d=a\.example header\.s=s header\.a=rsa-sha256[^]*\tdmarc=pass /);
      assertEquals(content.endsWith(text), true);
      await waitFor(() => reports.frames() === 1, "the note for the report");
      const event = await verify.log.waitFor((line) => line.startsWith("verified "), 5000);
      assertMatch(event, /^verified ip=192\.0\.2\.1 from=amy@a\.example spf=pass:a\.example .*dmarc=pass:a\.example/);

      writeControl(around, "dmarc", "smtp: enforce\n");
      verify.child.kill("SIGHUP");
      const forged = { chain: ["verify"], client: { ...stranger, ip: "198.51.100.1" }, envelope };
      // The signal and the message come by different ways.
      let code = 0;
      for (let round = 0; round < 100 && code === 0; round++) code = (await around.send([message], forged)).code;
      assertEquals(code, exitCode.refused);
      writeControl(around, "dmarc", "maybe\n");
      verify.child.kill("SIGHUP");
      await verify.log.waitFor((line) => line.includes('alert: verify: Cannot read control file "dmarc"'), 5000);
      assertEquals((await around.send([message], forged)).code, exitCode.refused);
    } finally {
      await resolver.stop();
      await dns.stop();
    }
    const asked = readAudit(around.home.dir, "verify");
    const grant = manifest.permissions(config);
    const rights = rightsOf(grant, around.home);
    assertEquals([unused(asked, rights), outside(asked, rights)], [[], []]);
    assertEquals(breaches([manifest], config), []);
    assertEquals([grant.write, grant.connect, grant.listen, grant.run, grant.env, grant.sys], Array(6).fill(undefined));
  });

  it("takes mail in while the resolver is away, and says that nobody could tell", async () => {
    await using around = world();
    writeControl(around, "me", "mx.example.org\n");
    around.deaf("dmarcrpt");
    await using _verify = await startVerify(around, configOf(around));
    assertEquals((await around.send([message], { chain: ["verify"], client: stranger, envelope })).code, 0);
    const content = around.queue.messages[0]!.content;
    assertMatch(content, /\tspf=temperror [^]*\tdmarc=temperror /);
  });

  it("does not start with a malformed control file", async () => {
    await using around = world();
    writeControl(around, "me", "mx.example.org\n");
    writeControl(around, "dmarc", "maybe\n");
    const main = fromFileUrl(new URL("../../components/verify/main.ts", import.meta.url));
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--cached-only",
        ...flagsOf(manifest.permissions(configOf(around)), around.home),
        main,
        "--home",
        around.home.dir,
      ],
    }).output();
    assertEquals(code, 100);
    assertMatch(new TextDecoder().decode(stderr), /Cannot read control file "dmarc": expected/);
  });
});
