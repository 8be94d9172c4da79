import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { homeAt } from "../../config/home.ts";
import { manifests } from "../../config/manifests.ts";
import { runtimeOf } from "../../scripts/units/runtime.ts";
import { defaultConfig } from "../../scripts/home/default_config.ts";
import { actionFor, formatChanges, refreshGrants } from "../../components/supervisor/systemd/refresh.ts";
import { parseStates, statusFromUnits } from "../../components/supervisor/systemd/states.ts";

const shown = `Id=dqmail-qmail-smtpd.service
ActiveState=active
SubState=running
MainPID=217
NRestarts=3
MemoryCurrent=1048576
StatusText={"event":"ready","ports":{"smtp":25}}
ExecMainStartTimestamp=@1000

Id=dqmail-qmail-queue.service
ActiveState=activating
MainPID=0
NRestarts=0
MemoryCurrent=[not set]
StatusText=
ExecMainStartTimestamp=

Id=somebody.service
ActiveState=active
`;

describe("what systemd says of the units", () => {
  const config = defaultConfig(homeAt("/var/qmail"), 0);
  const status = (text: string) =>
    statusFromUnits(parseStates(text), {
      manifests,
      uidOf: () => 7,
      config,
      pid: 9,
      startedMs: 500_000,
      nowMs: 1_060_000,
    });
  const component = (name: string) => status(shown).components.find((component) => component.name === name)!;

  it("is what the supervisor would tell of a process", () => {
    const { grant, ...rest } = component("qmail-smtpd");
    assertEquals(grant.length > 0, true);
    assertEquals(rest, {
      name: "qmail-smtpd",
      pid: 217,
      state: "running",
      restarts: 3,
      uptimeSeconds: 60,
      rssBytes: 1_048_576,
      ports: { smtp: 25 },
      uid: 7,
    });
  });

  it("tells of one that is starting, and of one that systemd does not know", () => {
    assertEquals(component("qmail-queue").state, "starting");
    assertEquals(component("qmail-queue").pid, undefined);
    assertEquals(component("resolver").state, "waiting");
    assertEquals(status(shown).ready, false);
  });

  it("is ready when all that are needed run", () => {
    const text = status("").components.map(({ name }) => `Id=dqmail-${name}.service\nActiveState=active\n`).join("\n");
    assertEquals(status(text).ready, true);
  });

  it("makes no octets throw", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
      status(text);
      status(`Id=dqmail-resolver.service\nActiveState=active\nStatusText=${text}\nMainPID=${text}`);
    }));
  });
});

describe("a reload under systemd", () => {
  for (
    const { before, needed, changed, want } of [
      { before: false, needed: false, changed: false, want: undefined },
      { before: true, needed: false, changed: false, want: "stop" },
      { before: false, needed: true, changed: true, want: "start" },
      { before: true, needed: true, changed: true, want: "restart" },
      { before: true, needed: true, changed: false, want: "reload" },
    ] as const
  ) {
    it(
      `says ${want ?? "nothing"} where the grant was ${before ? "" : "not "}there, is ${
        needed ? "" : "not "
      }needed, and ${changed ? "has changed" : "is the same"}`,
      () => assertEquals(actionFor({ before, needed, changed }), want),
    );
  }

  it("restarts those alone whose grant has changed", () => {
    const dir = Deno.makeTempDirSync();
    try {
      const home = homeAt(dir);
      Deno.mkdirSync(home.libexec("grants"), { recursive: true });
      const refresh = (config = defaultConfig(home, 0)) =>
        formatChanges(refreshGrants(home, config, runtimeOf(home))).split("\n").filter((line) => line !== "");
      assertEquals(refresh().every((line) => line.startsWith("start ")), true);
      assertEquals(refresh().every((line) => line.startsWith("reload ")), true);
      const greylist = refresh(defaultConfig(home, 0, { greylist: 60 }));
      assertEquals(greylist.filter((line) => !line.startsWith("reload ")), [
        "start tally",
        "restart qmail-smtpd",
        "restart qmail-qmtpd",
      ]);
      assertEquals(refresh().filter((line) => !line.startsWith("reload ")), [
        "stop tally",
        "restart qmail-smtpd",
        "restart qmail-qmtpd",
      ]);
    } finally {
      Deno.removeSync(dir, { recursive: true });
    }
  });
});
