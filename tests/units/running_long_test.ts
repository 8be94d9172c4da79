import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Home } from "../../config/home.ts";
import { ifThere } from "../../components/lib/disk/if_there.ts";
import { parseSupervisorStatus, type SupervisorStatus } from "../../components/lib/wire/status_protocol.ts";
import { askStatus, askSupervisor } from "../../scripts/ask.ts";
import { formatSysusers } from "../../scripts/units/accounts.ts";
import { runtimeOf } from "../../scripts/units/runtime.ts";
import { makeUnits } from "../../scripts/units/unit.ts";
import { freeLowPort } from "../support/free_low_port.ts";
import { freePort } from "../support/free_port.ts";
import { waitForMail, waitForMailWith } from "../support/maildir.ts";
import { sendMail } from "../support/smtp_client.ts";
import { startSystemd, type Systemd, systemdLacks } from "../support/systemd.ts";
import { waitFor } from "../support/wait.ts";
import { prepareHome } from "./prepared_home.ts";

const lacks = systemdLacks();
const claim = `the units under systemd${lacks === undefined ? "" : ` (skipped: ${lacks} is missing)`}`;
const host = "127.0.0.77";

describe(claim, { ignore: lacks !== undefined }, () => {
  let dir: string;
  let home: Home;
  let port: number;
  let lowPort: number;
  let systemd: Systemd;

  const unit = (name: string) => `dqmail-${name}.service`;
  const pid = async (name: string) => Number(await systemd.show(unit(name), "MainPID"));
  const isActive = async (name: string) => await systemd.show(unit(name), "ActiveState") === "active";
  const control = (file: string, text: string) => Deno.writeTextFileSync(home.control(file), text);
  const status = (socket: "supervisor" | "supervisor-status"): Promise<SupervisorStatus> =>
    askStatus(home, socket, parseSupervisorStatus);
  const mail = (subject: string, to = "demo@localhost") =>
    sendMail(port, { from: "amy@example.org", to: [to], content: `Subject: ${subject}\n\nhello\n` });
  const all = () => waitFor(async () => (await status("supervisor")).ready, "every unit to be ready", 40_000);

  beforeAll(async () => {
    // Not below /tmp: the units do not see that of the machine.
    dir = Deno.makeTempDirSync({ dir: "/var/lib", prefix: "dq-" });
    Deno.chmodSync(dir, 0o755);
    [port, lowPort] = [freePort(), freeLowPort(host)];
    const config = await prepareHome(`${dir}/h`, {
      me: "localhost\n",
      rcpthosts: "localhost\n",
      relayclients: "127.0.0.0/8\n",
      listeners: `smtp 127.0.0.1:${port}\nsmtp ${host}:${lowPort}\nadmin 127.0.0.1:${freePort()}\n`,
      nameservers: "127.0.0.1:1\n",
      ipv6: "1\n",
    });
    home = config.home;
    const units = makeUnits({ config, runtime: runtimeOf(home, { bundled: true }) });
    systemd = await startSystemd(units, { accounts: formatSysusers(home.dir) });
    await systemd.ctl("start", "dqmail.target");
    await waitFor(() => isActive("supervisor"), "the supervisor's place to be taken", 30_000);
    await all();
  });

  afterAll(async () => {
    await systemd?.[Symbol.asyncDispose]();
    Deno.removeSync(dir, { recursive: true });
  });

  it("run, those that the control files need, each as its account", async () => {
    const { components } = await status("supervisor-status");
    const names = components.map(({ name }) => name);
    assert(names.includes("qmail-smtpd") && names.includes("multilog"));
    assert(!names.includes("tally"));
    assert(!await isActive("tally"));
    for (const { name, pid, uid, grant } of components) {
      const { uid: real } = Deno.statSync(`/proc/${await outerPid(pid!)}`);
      assertEquals(real, uid, name);
      assert(name === "dial6" || grant.length > 0, name);
    }
    assertEquals(components.find(({ name }) => name === "qmail-smtpd")!.ports["smtp"], port);
  });

  /** The number outside of a process that systemd knows by another. */
  async function outerPid(inner: number): Promise<number> {
    for (const { name } of Deno.readDirSync("/proc")) {
      if (!/^[0-9]+$/.test(name)) continue;
      try {
        const numbers = /^NSpid:\t(.*)$/m.exec(Deno.readTextFileSync(`/proc/${name}/status`))?.[1]?.split("\t") ?? [];
        if (numbers.length === 2 && Number(numbers[1]) === inner && await isOurs(name)) return Number(name);
      } catch {
        // It has ended.
      }
    }
    throw new Error(`no process ${inner}`);
  }

  function isOurs(pid: string): boolean {
    return Deno.readTextFileSync(`/proc/${pid}/cgroup`).includes(systemd.group);
  }

  it("take mail by SMTP and bring it into a Maildir, and listen on a port below 1024", async () => {
    await mail("under systemd");
    assertStringIncludes(await waitForMailWith(home, "under systemd"), "hello");
    using low = await Deno.connect({ hostname: host, port: lowPort });
    const greeting = new Uint8Array(100);
    assertStringIncludes(
      new TextDecoder().decode(greeting.subarray(0, await low.read(greeting) ?? 0)),
      "220 localhost",
    );
  });

  it("run the programs of a .qmail file as its owner, with limits", async () => {
    const alias = `${home.dir}/alias`;
    Deno.writeTextFileSync(`${alias}/.qmail-program`, "|id -un >owner; ulimit -n >>owner; mv owner got\n");
    await mail("for a program", "program@localhost");
    const got = () => ifThere(() => Deno.readTextFileSync(`${alias}/got`));
    assertEquals(await waitFor(got, "the program"), "alias\n256\n");
  });

  it("have somebody who decides for the one that has no flags", async () => {
    await waitFor(() => isActive("dial6"), "dial6");
    const { components } = await status("supervisor");
    assertEquals(components.find(({ name }) => name === "dial6")!.restarts, 0);
  });

  it("have their lines kept by multilog as a supervisor's are", async () => {
    const line = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z qmail-send: .*delivery 1: success/m;
    const kept = () => ifThere(() => Deno.readTextFileSync(home.log("current"))) ?? "";
    await waitFor(() => line.test(kept()), "the delivery in the log");
  });

  it("have no capability beyond a low port, may gain none, and make no call that a server has no use for", async () => {
    const smtpd = Deno.readTextFileSync(`/proc/${await outerPid(await pid("qmail-smtpd"))}/status`);
    assertStringIncludes(smtpd, "CapBnd:\t0000000000000400");
    const queue = Deno.readTextFileSync(`/proc/${await outerPid(await pid("qmail-queue"))}/status`);
    assertStringIncludes(queue, "CapBnd:\t0000000000000000");
    for (const status of [smtpd, queue]) {
      assertStringIncludes(status, "NoNewPrivs:\t1");
      assertStringIncludes(status, "Seccomp:\t2");
    }
  });

  it("see no more of the home than their grant has", async () => {
    const root = `/proc/${await outerPid(await pid("qmail-smtpd"))}/root${home.dir}`;
    for (const folder of ["queue", "mail", "users"]) assertEquals(Deno.statSync(`${root}/${folder}`).mode! & 0o777, 0);
    assertEquals(Deno.statSync(`${root}/control`).mode! & 0o777, 0o755);
  });

  it("tell systemd that they are alive", async () => {
    for (const name of ["qmail-smtpd", "qmail-send", "supervisor"]) {
      assert(Number(await systemd.show(unit(name), "WatchdogTimestampMonotonic")) > 0, name);
    }
  });

  it("start again when they die", async () => {
    const before = await pid("qmail-queue");
    await systemd.ctl("kill", "--signal=KILL", "--kill-who=main", unit("qmail-queue"));
    await waitFor(async () => await isActive("qmail-queue") && await pid("qmail-queue") !== before, "a new one");
    await all();
    assertEquals((await status("supervisor")).components.find(({ name }) => name === "qmail-queue")!.restarts, 1);
  });

  it("are reloaded: whose grant changes restarts, the others go on, and who is needed now starts", async () => {
    const [remote, smtpd] = [await pid("qmail-remote"), await pid("qmail-smtpd")];
    control("smtproutes", "example.org:127.0.0.1:2\n");
    control("greylist", "60\n");
    await systemd.ctl("reload", unit("grants"));
    await waitFor(() => isActive("tally"), "tally to start");
    await waitFor(
      async () => await isActive("qmail-remote") && await pid("qmail-remote") !== remote,
      "a new qmail-remote",
    );
    // Its grant has tally's socket now.
    await waitFor(async () => await isActive("qmail-smtpd") && await pid("qmail-smtpd") !== smtpd, "a new qmail-smtpd");
    const same = await pid("qmail-queue");
    Deno.removeSync(home.control("greylist"));
    await systemd.ctl("reload", unit("grants"));
    await waitFor(async () => !await isActive("tally"), "tally to stop");
    await all();
    assertEquals(await pid("qmail-queue"), same);
  });

  it("are as before where a control file is malformed", async () => {
    const before = await pid("qmail-send");
    control("queuelifetime", "soon\n");
    assertStringIncludes(await systemd.run("systemctl", ["reload", unit("grants")], { fails: true }), "failed");
    Deno.removeSync(home.control("queuelifetime"));
    await all();
    assertEquals(await pid("qmail-send"), before);
    assertStringIncludes(await systemd.log(), 'Cannot read control file "queuelifetime"');
  });

  it("refer who asks the supervisor for a reload to systemd", async () => {
    assertStringIncludes(String((await askSupervisor(home, { op: "reload" }))["defects"]), "systemctl reload");
  });

  it("stop in order, and lose nothing", async () => {
    await mail("the last one");
    await systemd.ctl("stop", "dqmail.target");
    await systemd.ctl("stop", "dqmail-*.service");
    const ended = async (name: string) => Number(await systemd.show(unit(name), "InactiveEnterTimestampMonotonic"));
    const order = ["qmail-smtpd", "qmail-send", "qmail-lspawn", "qmail-queue", "qmail-getpw", "multilog"];
    const times: number[] = [];
    for (const name of order) times.push(await ended(name));
    assertEquals(times, times.toSorted((a, b) => a - b));
    for (const name of order) assertEquals(await systemd.show(unit(name), "Result"), "success", name);
    await systemd.ctl("start", "dqmail.target");
    await waitForMail(home, "demo@localhost", 2);
  });
});
