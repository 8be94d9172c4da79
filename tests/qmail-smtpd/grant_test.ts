import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { describe, it } from "@std/testing/bdd";
import { flagsOf, rightsOf } from "../../components/lib/permissions/grant.ts";
import { breaches } from "../../components/lib/permissions/rule.ts";
import { tlsPaths } from "../../components/lib/tls/paths.ts";
import { manifest } from "../../components/qmail-smtpd/permissions.ts";
import { homeAt, type SocketName } from "../../config/home.ts";
import { controlFilesOf } from "../../config/schema.ts";
import { makeHome, World } from "./world.ts";

describe("qmail-smtpd's grant", () => {
  const rows: { listeners: string; portOffset: number; listen: string[]; sys: string[] | undefined }[] = [
    {
      listeners: "smtp 127.0.0.1:2525\nadmin 127.0.0.1:8025\n",
      portOffset: 0,
      listen: ["127.0.0.1:2525"],
      sys: undefined,
    },
    { listeners: "smtp [::1]:25\n", portOffset: 2500, listen: ["[::1]:2525"], sys: undefined },
    { listeners: "smtp 127.0.0.1:0\n", portOffset: 2500, listen: ["127.0.0.1:0"], sys: undefined },
    { listeners: "smtp 192.0.2.1:25\n", portOffset: 0, listen: ["192.0.2.1:25"], sys: ["setgid", "setuid"] },
    {
      listeners: "smtp 192.0.2.1:1023\nsmtp [::1]:1024\n",
      portOffset: 0,
      listen: ["192.0.2.1:1023", "[::1]:1024"],
      sys: ["setgid", "setuid"],
    },
    {
      listeners: "smtp 192.0.2.1:1023\nadmin 127.0.0.1:80\n",
      portOffset: 1,
      listen: ["192.0.2.1:1024"],
      sys: undefined,
    },
    {
      listeners: "smtp 192.0.2.1:2525\nsubmission [::1]:2587\nsubmissions 192.0.2.1:2465 proxy\nlmtp 192.0.2.1:2524\n",
      portOffset: 0,
      listen: ["192.0.2.1:2525", "[::1]:2587", "192.0.2.1:2465", "192.0.2.1:2524"],
      sys: undefined,
    },
  ];
  for (const { listeners, portOffset, listen, sys } of rows) {
    it(`for ${JSON.stringify(listeners)} with offset ${portOffset} is to listen on ${listen.join(", ")}${sys ? " and to drop root" : ""}`, () => {
      const { home, controls } = makeHome({ listeners });
      Deno.removeSync(home.dir, { recursive: true });
      const config = { home, portOffset, controls, nameservers: [] };
      const grant = manifest.permissions(config);
      assertEquals([grant.listen, grant.sys], [listen, sys]);
      const files = controlFilesOf("qmail-smtpd").map((file) => home.control(file));
      assertEquals(grant.read, [...files, ...tlsPaths(home)]);
      assertEquals([grant.write, grant.connect, grant.run, grant.serves], [undefined, undefined, undefined, undefined]);
      assertEquals(breaches([manifest], config), []);
    });
  }

  const calls: readonly (readonly [string, Readonly<Record<string, string>>, readonly SocketName[]])[] = [
    ["the default of an SMTP listener", {}, []],
    ["a listener for submission", { listeners: "submission 127.0.0.1:0\n" }, ["auth"]],
    ["one whose clients cannot log in", { listeners: "submissions 127.0.0.1:0\n", smtpauth: "off\n" }, []],
    ["a DNS list", { dnsbllist: "bl.example\n" }, ["resolver"]],
    ["a DNS list that is not asked", { dnsbllist: "bl.example\n", policy: "relay\nmailbox\n" }, []],
    ["an allow list for nothing", { dnsallowlist: "wl.example\n" }, []],
    ["greylisting with an allow list", { dnsallowlist: "wl.example\n", greylist: "60\n" }, ["resolver", "tally"]],
    ["senders' domains", { mfdnscheck: "nullmx\n" }, ["resolver"]],
    ["HELO that must be there", { helocheck: "!\n" }, []],
    ["HELO that must be in the DNS", { helocheck: "A\n" }, ["resolver"]],
    ["a rule with HELOCHECK", { "tcp.smtp": '192.0.2.:allow,HELOCHECK="="\n' }, ["resolver"]],
    ["a rule with MFDNSCHECK", { "tcp.smtp": '192.0.2.:allow,MFDNSCHECK=""\n' }, ["resolver"]],
    ["a rule about a name", { "tcp.smtp": "=.example.org:deny\n" }, ["resolver"]],
    ["a rule about an address", { "tcp.smtp": '127.:allow,RELAYCLIENT=""\n' }, []],
    ["limits of rates", { ratelimits: "client 10/m connections\n" }, ["tally"]],
    ["RCPTCHECK", { rcptcheck: "/usr/local/bin/check\n" }, ["hooks"]],
    ["RCPTCHECK by a rule", { "tcp.smtp": ':allow,RCPTCHECK="/usr/local/bin/check"\n' }, ["hooks"]],
    ["QMAILQUEUE", { "tcp.smtp": ':allow,QMAILQUEUE="/usr/local/bin/scan"\n' }, ["hooks"]],
    ["QMAILQUEUE that is the usual one", { "tcp.smtp": ':allow,QMAILQUEUE="bin/qmail-queue"\n' }, []],
    ["a plug-in", { smtpplugins: "[rcpt]\n/usr/local/bin/plugin\n" }, ["hooks"]],
  ];
  for (const [what, texts, more] of calls) {
    it(`for ${what} is to call ${["qmail-queue", "qmail-getpw", ...more].join(", ")}`, () => {
      const { home, controls } = makeHome(texts);
      Deno.removeSync(home.dir, { recursive: true });
      const grant = manifest.permissions({ home, portOffset: 0, controls, nameservers: [] });
      assertEquals(grant.calls, ["qmail-queue", "qmail-getpw", ...more]);
    });
  }

  it("for LMTP on Unix sockets has those, below run or elsewhere, and for several processes deno's flag", () => {
    const { home, controls } = makeHome({
      listeners: "lmtp unix:lmtp/s\nlmtp unix:/srv/lmtp\n",
      smtpdprocesses: "2\n",
    });
    Deno.removeSync(home.dir, { recursive: true });
    const config = { home, portOffset: 0, controls, nameservers: [] };
    const grant = manifest.permissions(config);
    assertEquals([grant.servesPaths, grant.listen, grant.unstable], [[home.run("lmtp", "s"), "/srv/lmtp"], [], [
      "net",
    ]]);
    assertEquals(breaches([manifest], config), []);
    assertEquals(manifest.instances!(config), 2);
  });

  it("is used to its last entry, and the process asks for nothing else", async () => {
    const audit = await Deno.makeTempFile();
    const { home, rights } = await (async () => {
      await using world = await World.start({ env: { DENO_AUDIT_PERMISSIONS: audit } });
      const client = await world.connect();
      await client.untilContent();
      await client.say(".");
      await client.finish();
      const { controls, home } = makeHome();
      Deno.removeSync(home.dir, { recursive: true });
      return {
        home: world.home,
        rights: rightsOf(
          manifest.permissions({ home: world.home, portOffset: 0, controls, nameservers: [] }),
          world.home,
        ),
      };
    })();
    const used = new Map<string, Set<string>>();
    for (const line of (await Deno.readTextFile(audit)).trim().split("\n")) {
      const { permission, value } = JSON.parse(line) as { permission: string; value: string };
      used.set(permission, (used.get(permission) ?? new Set()).add(value.replace(/^unix:\/*/, "unix:/")));
    }
    await Deno.remove(audit);
    assertEquals([...used.get("net") ?? []].sort(), [...rights.net].sort());
    assertEquals([...used.get("read") ?? []].sort(), [...rights.read].sort());
    assertEquals([...used.get("write") ?? []].sort(), [...rights.write].sort());
    assertEquals([...used.keys()].filter((kind) => !["net", "read", "write"].includes(kind)), [], home.dir);
  });

  it("refuses the next port, host, file and socket, and whatever else there is", async () => {
    const { home, controls } = makeHome({ listeners: "smtp 127.0.0.1:2525\n", queuelifetime: "1\n" });
    const flags = flagsOf(manifest.permissions({ home, portOffset: 0, controls, nameservers: [] }), home);
    const tries = [
      `Deno.listen({ hostname: "127.0.0.1", port: 2526 })`,
      `Deno.listen({ hostname: "127.0.0.2", port: 2525 })`,
      `await Deno.connect({ hostname: "127.0.0.1", port: 25 })`,
      `await Deno.connect({ transport: "unix", path: ${JSON.stringify(home.socket("qmail-send"))} })`,
      `Deno.readTextFileSync(${JSON.stringify(home.control("queuelifetime"))})`,
      `Deno.readTextFileSync(${JSON.stringify(home.users("passwd"))})`,
      `Deno.writeTextFileSync(${JSON.stringify(home.control("me"))}, "")`,
      `Deno.readDirSync(${JSON.stringify(home.queue())})`,
      `new Deno.Command("/bin/sh").spawn()`,
      `Deno.env.get("HOME")`,
      `Deno.uid()`,
      `Deno.hostname()`,
    ];
    const script = tries.map((code) =>
      `try { ${code}; console.log("allowed"); } catch (error) { console.log(error.name); }`
    ).join("\n");
    const file = join(home.dir, "try.js");
    await Deno.writeTextFile(file, script);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", ...flags, file],
      stderr: "null",
    }).output();
    await Deno.remove(home.dir, { recursive: true });
    assertEquals(new TextDecoder().decode(stdout).trim().split("\n"), tries.map(() => "NotCapable"));
  });

  it("for privileged ports allows setgid and setuid, and no other system call by name", async () => {
    const home = homeAt("/nowhere");
    const flags = flagsOf({ sys: ["setgid", "setuid"] }, home);
    const script = [...["hostname", "uid", "gid", "osRelease", "loadavg"].map((name) => `Deno.${name}()`)].map((code) =>
      `try { ${code}; console.log("allowed"); } catch (error) { console.log(error.name); }`
    );
    const dir = await Deno.makeTempDir();
    await Deno.writeTextFile(join(dir, "try.js"), script.join("\n"));
    const args = ["run", "--no-prompt", ...flags, join(dir, "try.js")];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "null" }).output();
    await Deno.remove(dir, { recursive: true });
    assertEquals(new TextDecoder().decode(stdout).trim().split("\n"), script.map(() => "NotCapable"));
  });
});
