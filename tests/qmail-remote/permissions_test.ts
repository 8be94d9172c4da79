import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import {
  type Config,
  flagsOf,
  type Grant,
  type Manifest,
  type Rights,
  rightsOf,
} from "../../components/lib/permissions/grant.ts";
import { breaches } from "../../components/lib/permissions/rule.ts";
import { manifest as remote } from "../../components/qmail-remote/permissions.ts";
import { manifest as rspawn } from "../../components/qmail-rspawn/permissions.ts";
import type { Route } from "../../components/lib/routing/route.ts";
import type { Controls } from "../../config/schema.ts";
import { tempDir } from "../support/temp_dir.ts";
import { Pair } from "./support/pair.ts";
import { ScriptedServer } from "./support/scripted_server.ts";

interface Check {
  readonly permission: keyof Rights;
  readonly value: string;
}

/** Whether a right is what makes the checked access possible. */
function covers(kind: keyof Rights, right: string, value: string): boolean {
  if (kind === "net" && right.startsWith("0.0.0.0/0:")) return value.endsWith(right.slice("0.0.0.0/0".length));
  return value === right || (kind !== "net" && value.startsWith(`${right}/`));
}

describe("the grants of qmail-rspawn and qmail-remote", () => {
  const audits = Deno.makeTempDirSync();
  let byMx: ScriptedServer;
  let byRoute: ScriptedServer;
  let pair: Pair;

  beforeAll(async () => {
    byMx = new ScriptedServer("127.0.0.2");
    byRoute = new ScriptedServer();
    const controls = {
      mxprivate: "1\n",
      remoteport: `${byMx.port}\n`,
      smtproutes: `relayed.example:127.0.0.1:${byRoute.port}\n`,
    };
    pair = await Pair.start(controls, { "r.example A": [{ value: "127.0.0.2" }] }, { AUDIT: audits });
    for (const recipient of ["a@r.example", "a@relayed.example"]) {
      assertEquals((await pair.deliver("x\n", "", [recipient]))[0]?.[0], "K");
    }
    const { reports } = await pair.spawn(7, "", ["a@relayed.example"], pair.append("from the journal\n"));
    assertEquals(reports[0]?.verdict, "K");
  });

  afterAll(async () => {
    await pair[Symbol.asyncDispose]();
    await byMx.stop();
    await byRoute.stop();
    Deno.removeSync(audits, { recursive: true });
  });

  function checks(name: string): Check[] {
    return Deno.readTextFileSync(join(audits, `${name}.jsonl`)).trim().split("\n").map((line) => JSON.parse(line));
  }

  for (const [name, manifest] of [["rspawn", rspawn], ["remote", remote]] satisfies [string, Manifest][]) {
    it(`of ${manifest.name}: every entry is used, and nothing is asked for beyond them`, () => {
      const rights = rightsOf(manifest.permissions(pair.config), pair.home);
      const used = checks(name);
      for (const kind of ["read", "write", "net", "run", "sys"] as const) {
        const values = used.filter(({ permission }) => permission === kind).map(({ value }) => value);
        for (const right of rights[kind]) {
          assert(values.some((value) => covers(kind, right, value)), `${kind} ${right} is used`);
        }
        const beyond = values.filter((value) => !rights[kind].some((right) => covers(kind, right, value)));
        assertEquals(beyond, [], `${kind} beyond the grant`);
      }
    });
  }

  it("keep the rule", () => assertEquals(breaches([rspawn, remote], pair.config), []));

  it("open no file to qmail-remote", () => {
    const { read, write, run } = remote.permissions(pair.config);
    assertEquals([read, write, run], [undefined, undefined, undefined]);
  });

  it("open the relays of smtproutes to qmail-remote: addresses as they are, names by their port", () => {
    const smtproutes = new Map([
      ["a.example", { host: "192.0.2.1", port: 26 }],
      ["b.example", { host: "::1", port: 27 }],
      ["c.example", { host: "relay.example", port: 587 }],
      ["d.example", undefined],
    ]);
    const controls = { ...pair.config.controls, remoteport: 25, smtproutes };
    assertEquals(remote.permissions({ ...pair.config, controls }).connect, [
      "0.0.0.0/0:25",
      "192.0.2.1:26",
      "[::1]:27",
      "0.0.0.0/0:587",
    ]);
  });

  function grantWith(controls: Partial<Controls>, more: Partial<Config> = {}): Grant {
    const plain = { authsenders: new Map(), remoteport: 25, smtproutes: new Map(), mxprivate: false };
    return remote.permissions({
      ...pair.config,
      controls: { ...pair.config.controls, ...plain, ...controls },
      ...more,
    });
  }

  it("open only public addresses to mail by MX, unless mxprivate is 1", () => {
    assertEquals(grantWith({}).connect, ["public:25"]);
    assertEquals(grantWith({ mxprivate: true }).connect, ["0.0.0.0/0:25"]);
  });

  it("open port 209 where mxps is 1, and the relays of qmtproutes and authsenders", () => {
    assertEquals(grantWith({ mxps: true }).connect, ["public:25", "public:209"]);
    const qmtproutes = new Map<string, Route>([["q.example", { host: "10.0.0.1", port: 209, protocol: "qmtp" }]]);
    const authsenders = new Map([["@s.example", { host: "10.0.0.2", port: 587 }]]);
    assertEquals(grantWith({ qmtproutes, authsenders }).connect, ["public:25", "10.0.0.2:587", "10.0.0.1:209"]);
  });

  it("open the addresses mail leaves from; those of IPv6 only where qmail-remote itself connects over IPv6", () => {
    const outgoingip = ["192.0.2.1", "2001:db8::1"];
    const domainips = new Map([["a.example", { addresses: ["192.0.2.2"], helo: undefined }]]);
    assertEquals(grantWith({}).listen, undefined);
    assertEquals(grantWith({ outgoingip, domainips }).listen, ["192.0.2.1:0", "192.0.2.2:0"]);
    const smtproutes = new Map([["a.example", { host: "2001:db8::9", port: 25 }]]);
    assertEquals(grantWith({ outgoingip, smtproutes }).listen, ["192.0.2.1:0", "[2001:db8::1]:0"]);
  });

  it("open the sockets of dial6, mta-sts and tlsrpt where control files want them", () => {
    const calls = (controls: Partial<Controls>) =>
      grantWith({ mtasts: false, tlsrpt: false, ipv6: "0", ...controls }).calls;
    assertEquals(calls({}), ["resolver"]);
    assertEquals(calls({ ipv6: "1" }), ["resolver", "dial6"]);
    assertEquals(calls({ mtasts: true, tlsrpt: true }), ["resolver", "mta-sts", "tlsrpt"]);
  });

  it("refuse loopback and private addresses, in any spelling, to whoever tries them under the flags of a usual home", async () => {
    using home = tempDir();
    const script = join(home.path, "probe.ts");
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    Deno.writeTextFileSync(
      script,
      `const outcomes = [];
for (const hostname of JSON.parse(Deno.args[0])) {
  try {
    (await Deno.connect({ hostname, port: ${port} })).close();
    outcomes.push("done");
  } catch (error) {
    outcomes.push(error instanceof Deno.errors.NotCapable ? "refused" : String(error));
  }
}
console.log(JSON.stringify(outcomes));`,
    );
    const attempts = async (grant: Grant, addresses: readonly string[]) => {
      const flags = flagsOf({ connect: grant.connect ?? [] }, pair.home);
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--no-check", ...flags, script, JSON.stringify(addresses)],
      }).output();
      return JSON.parse(new TextDecoder().decode(stdout)) as string[];
    };
    const loopback = ["127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1", "0.0.0.0", "::1", "localhost"];
    assertEquals(await attempts(grantWith({ remoteport: port }), loopback), loopback.map(() => "refused"));
    // A route opens its own address, and the next one stays shut.
    const smtproutes = new Map([["a.example", { host: "127.0.0.1", port }]]);
    assertEquals(await attempts(grantWith({ remoteport: port, smtproutes }), ["127.0.0.1", "127.0.0.2"]), [
      "done",
      "refused",
    ]);
    listener.close();
  });
});
