import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { type Manifest, type Rights, rightsOf } from "../../components/lib/permissions/grant.ts";
import { breaches } from "../../components/lib/permissions/rule.ts";
import { manifest as remote } from "../../components/qmail-remote/permissions.ts";
import { manifest as rspawn } from "../../components/qmail-rspawn/permissions.ts";
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
});
