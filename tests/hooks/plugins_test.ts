/** Plug-ins of qmail-spp: every command, in which order they run, and what stops them. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { captureLog } from "../support/captured_log.ts";
import { ignore, note, world } from "./world.ts";

describe(`plug-ins${note}`, { ignore }, () => {
  const letters = [
    { says: "A", ends: true },
    { says: "O", ends: true },
    { says: "N", ends: true },
    { says: "D", ends: true },
    { says: "E550 no", ends: true },
    { says: "R421 go", ends: true },
    { says: "P250-wait", ends: false },
    { says: "HX-A: 1", ends: false },
    { says: "Ceve@e.example", ends: false },
    { says: "SNEW=set", ends: false },
    { says: "UOLD", ends: false },
    { says: "LD550 not now", ends: false },
    { says: "Xnothing", ends: false },
  ];
  for (const { says, ends } of letters) {
    it(`that say ${says} ${ends ? "are the last of their section" : "let the next one run"}`, async () => {
      await using here = world();
      const first = here.program("first", `echo '${says}'; echo 'HX-B: 2'`);
      const next = here.program("next", 'echo "HX-Next: $SMTPRCPTTO $NEW $OLD"');
      here.configure({ smtpplugins: `[rcpt]\n${first}\n${next}\n` });
      here.start();
      const environment = new Map([["OLD", "old"], ["SMTPRCPTTO", "bob@b.example"]]);
      const answer = await here.client.spp("rcpt", environment);
      const to = says.startsWith("C") ? "eve@e.example" : "bob@b.example";
      const [set, old] = [says.startsWith("S") ? "set" : "", says.startsWith("U") ? "" : "old"];
      const lines = ends ? [says] : [says, "HX-B: 2", `HX-Next: ${to} ${set} ${old}`];
      assertEquals(answer, { kind: "lines", lines });
    });
  }

  it("run in their section only, as programs or as commands of a shell", async () => {
    await using here = world();
    here.program("plugin", "echo HX: program");
    const smtpplugins =
      '[connection]\n:echo HX: $TCPREMOTEIP | tr 1 2\n[mail]\nplugin\n:echo "HX: it\'s"; echo N\nplugin\n[auth]\n';
    here.configure({ smtpplugins });
    here.start();
    const environment = new Map([["TCPREMOTEIP", "192.0.2.1"]]);
    const lines = async (stage: "connection" | "mail" | "rcpt" | "auth") => {
      const answer = await here.client.spp(stage, environment);
      return answer.kind === "lines" ? answer.lines : answer;
    };
    assertEquals(await lines("connection"), ["HX: 292.0.2.2"]);
    assertEquals(await lines("mail"), ["HX: program", "HX: it's", "N"]);
    assertEquals([await lines("rcpt"), await lines("auth")], [[], []]);
  });

  it("may end with any code; a crash, 120 or too long a time is a failure that names the plug-in", async () => {
    using log = captureLog();
    await using here = world();
    here.program("well", "echo HX: 1; exit 1");
    here.program("crash", "echo HX: 1; kill -SEGV $$");
    here.program("hang", "echo HX: 1; exec sleep 1000");
    here.program("flood", "exec yes HX: 1");
    const sections =
      "[connection]\nwell\n[helo]\nwell\ncrash\nwell\n[mail]\ngone\n[rcpt]\nhang\n[data]\nflood\n[auth]\n:exit 120\n";
    here.configure({ smtpplugins: sections });
    here.start({ checkMs: 1000 });
    const of = (stage: "connection" | "helo" | "mail" | "rcpt" | "data" | "auth") => here.client.spp(stage, new Map());
    assertEquals(await of("connection"), { kind: "lines", lines: ["HX: 1"] });
    assertEquals(await of("helo"), { kind: "failure", detail: "crash: crashed" });
    assertEquals(await of("mail"), { kind: "failure", detail: "gone: cannot be run" });
    assertEquals(await of("rcpt"), { kind: "failure", detail: "hang: took too long" });
    assertEquals(await of("data"), { kind: "failure", detail: "flood: said too much" });
    assertEquals(await of("auth"), { kind: "failure", detail: "exit: cannot be run" });
    assert(log.lines().filter((line) => line.startsWith("failed ")).length === 5, log.lines().join("\n"));
  });

  it("get no variable from one another that no program may get", async () => {
    using _log = captureLog();
    await using here = world();
    here.configure({ smtpplugins: "[mail]\n:echo SLD_PRELOAD=/x\n:touch ran\n" });
    here.start();
    assertEquals(await here.client.spp("mail", new Map()), { kind: "failure", detail: "touch: cannot be run" });
    assert(!here.has("ran"));
  });

  it("say what they want to the log, harmless and not without end", async () => {
    using log = captureLog();
    await using here = world();
    here.program("loud", "echo 'a \x1b[2J b' >&2; seq 5000 >&2; echo N");
    here.configure({ smtpplugins: "[mail]\nloud\n" });
    here.start();
    assertEquals(await here.client.spp("mail", new Map()), { kind: "lines", lines: ["N"] });
    const said = log.lines().filter((line) => line.startsWith("said program=hooks-loud-"));
    assertEquals([said.length, said[0]!.endsWith(" text=a__[2J_b")], [10, true]);
  });

  it("are read again on SIGHUP", async () => {
    await using here = world();
    here.configure({ smtpplugins: "[mail]\n:echo HX: 1\n:echo HX: 2\n" });
    const child = await here.startProcess();
    assertEquals(await here.client.spp("mail", new Map()), { kind: "lines", lines: ["HX: 1", "HX: 2"] });
    Deno.writeTextFileSync(here.home.control("smtpplugins"), "[mail]\n:echo HX: 2\n");
    child.kill("SIGHUP");
    for (let round = 0; round < 200; round++) {
      const answer = await here.client.spp("mail", new Map());
      if (answer.kind === "lines" && answer.lines.length === 1) return assertEquals(answer.lines, ["HX: 2"]);
    }
    throw new Error("the plug-ins are what they were");
  });
});
