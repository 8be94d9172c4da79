/** Programs that are asked about a recipient: what they are given, what their end means, and that nothing of them stays. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { fromOctets } from "../../components/lib/octets.ts";
import { captureLog } from "../support/captured_log.ts";
import { isRunning } from "../support/processes.ts";
import { waitFor } from "../support/wait.ts";
import { ignore, note, world } from "./world.ts";

const asked = (program: string, more: readonly (readonly [string, string])[] = []): ReadonlyMap<string, string> =>
  new Map([["RCPTCHECK", program], ["SENDER", "amy@a.example"], ["RECIPIENT", "bob@b.example"], ...more]);

describe(`RCPTCHECK${note}`, { ignore }, () => {
  const ends: readonly { readonly what: string; readonly text: string; readonly want: number | undefined }[] = [
    { what: "takes the recipient", text: "exit 0", want: 0 },
    { what: "refuses it", text: "exit 100", want: 100 },
    { what: "means later", text: "exit 111", want: 111 },
    { what: "could not run what it wanted", text: "exit 120", want: 120 },
    { what: "has a code of its own", text: "exit 7", want: 7 },
    { what: "crashes", text: "kill -SEGV $$", want: undefined },
    { what: "is killed", text: "kill -KILL $$", want: undefined },
    { what: "says something", text: "echo hello; echo there >&2; exit 0", want: 0 },
    { what: "closes its output early", text: "exec 1>&- 2>&-; exit 100", want: 100 },
    { what: "reads its input, which has nothing", text: "cat > got; exit 0", want: 0 },
    { what: "leaves a child that keeps its output open", text: "sleep 1000 & exit 100", want: 100 },
  ];
  it("answers by its exit code, and a crash is no answer", async () => {
    using _log = captureLog();
    await using here = world();
    const names = ends.map(({ text }, at) => here.program(`check${at}`, text));
    here.configure({ "tcp.smtp": names.map((name, at) => `192.0.2.${at}:allow,RCPTCHECK="${name}"\n`).join("") });
    here.start();
    for (const [at, { what, want }] of ends.entries()) {
      assertEquals(await here.client.rcptcheck(asked(names[at]!)), want, what);
    }
    assertEquals(here.read("got"), "");
    assertEquals(here.trouble, ["crashed", "crashed"]);
  });

  it("finds exactly its variables, octet for octet, and the home as its place", async () => {
    await using here = world();
    const path = here.program("check", "pwd > where; env -0 > env.new; mv env.new env; exit 0");
    here.configure({ rcptcheck: "check\n" });
    here.start();
    const sender = "o'k \xc3\xa9\xff \\0101%s $(touch x)`touch y`;touch z|\"&<>*?#\r@s.example";
    const more = [["value", "v"], ["left", "0"], ["seconds", "1"], ["RELAYCLIENT", ""]] as const;
    const environment = asked("check", [...more, ["SENDER", sender], ["RECIPIENT", "-n"]]);
    assertEquals(await here.client.rcptcheck(environment), 0);
    const got = fromOctets(Deno.readFileSync(`${here.home.dir}/env`)).split("\0").filter((entry) => entry !== "")
      .sort();
    const ofShell = got.filter((entry) => /^(?:PWD|SHLVL|_|OLDPWD)=/.test(entry));
    const want = [
      `PATH=${here.home.bin()}:/usr/local/bin:/usr/bin:/bin`,
      ...Array.from(environment, ([name, value]) => `${name}=${value}`),
    ];
    assertEquals(got.filter((entry) => !ofShell.includes(entry)), want.sort());
    assertEquals(here.read("where"), `${here.home.dir}\n`);
    for (const name of ["x", "y", "z"]) assert(!here.has(name), name);
    assert(path.startsWith("/"));
  });

  it("may hang: its time ends, and whatever it started ends with it", async () => {
    using log = captureLog();
    await using here = world();
    const path = here.program(
      "check",
      "trap '' TERM HUP INT; sh -c 'trap \"\" TERM; echo $$ > pid; sleep 1000' & wait",
    );
    here.configure({ rcptcheck: `${path}\n` });
    here.start({ checkMs: 300 });
    assertEquals(await here.client.rcptcheck(asked(path)), undefined);
    assertEquals(here.trouble, ["took too long"]);
    if (here.has("pid")) {
      const pid = Number(here.read("pid"));
      await waitFor(() => !isRunning(pid), `the end of ${pid}`);
    }
    assert(
      log.lines().some((line) => line.startsWith("failed program=hooks-check-") && line.includes("took_too_long")),
    );
  });

  it("may say more than anybody wants to hear: it is ended", async () => {
    using _log = captureLog();
    await using here = world();
    const path = here.program("check", "trap '' TERM PIPE; exec yes");
    here.configure({ rcptcheck: `${path}\n` });
    here.start();
    assertEquals(await here.client.rcptcheck(asked(path)), undefined);
    assertEquals(here.trouble, ["said too much"]);
  });

  it("leaves no child behind that stays in its group", async () => {
    await using here = world();
    const path = here.program("check", "sleep 1000 & echo $! > pid; exit 0");
    here.configure({ rcptcheck: `${path}\n` });
    here.start();
    assertEquals(await here.client.rcptcheck(asked(path)), 0);
    const pid = Number(here.read("pid"));
    await waitFor(() => !isRunning(pid), `the end of ${pid}`);
  });

  it("waits for nobody who left its group, though he holds its output", async () => {
    await using here = world();
    const path = here.program(
      "check",
      "setsid sh -c 'echo $$ > pid.new; mv pid.new pid; exec sleep 1000' & while [ ! -e pid ]; do sleep 0.02; done; exit 0",
    );
    here.configure({ rcptcheck: `${path}\n` });
    here.start();
    assertEquals(await here.client.rcptcheck(asked(path)), 0);
    const pid = Number(await waitFor(() => here.has("pid") && here.read("pid"), "the process that left"));
    Deno.kill(pid, "SIGKILL");
  });

  it("is 120 where it is not there, no program, or nothing the configuration names", async () => {
    using _log = captureLog();
    await using here = world();
    Deno.writeTextFileSync(`${here.home.dir}/plain`, "text");
    here.configure({ "tcp.smtp": '1.:allow,RCPTCHECK="gone"\n2.:allow,RCPTCHECK="plain"\n3.:allow,RCPTCHECK="bin"\n' });
    here.start();
    const stranger = here.program("stranger", "touch ran");
    for (const program of ["gone", "plain", "bin", stranger]) {
      assertEquals(await here.client.rcptcheck(asked(program)), 120, program);
    }
    assert(!here.has("ran"));
  });

  it("never runs with a variable that holds a NUL or a line end, or that loads code", async () => {
    using _log = captureLog();
    await using here = world();
    const path = here.program("check", "touch ran");
    here.configure({ rcptcheck: `${path}\n` });
    here.start();
    for (const [name, value] of [["A", "b\nc"], ["A", "b\0c"], ["LD_PRELOAD", "/x"], ["A B", "x"]] as const) {
      assertEquals(await here.client.rcptcheck(asked(path, [[name, value]])), undefined, name);
    }
    for (const program of ["", "../check", "/bin/sh -c x", `${path}\n`]) {
      assertEquals(await here.client.rcptcheck(asked(program)), undefined, program);
    }
    assert(!here.has("ran"));
  });

  it("runs so many at once and no more, and those that wait get their turn", async () => {
    await using here = world();
    const path = here.program("check", 'touch "in-$RECIPIENT"; while [ ! -e go ]; do sleep 0.02; done; exit 0');
    here.configure({ rcptcheck: `${path}\n` });
    here.start({ checks: 2, waiting: 2 });
    const begun = () => Array.from(Deno.readDirSync(here.home.dir)).filter(({ name }) => name.startsWith("in-")).length;
    const answers = ["1", "2", "3", "4"].map((recipient) =>
      here.client.rcptcheck(asked(path, [["RECIPIENT", recipient]]))
    );
    await waitFor(() => begun() === 2, "two programs");
    using _log = captureLog();
    assertEquals(await here.client.rcptcheck(asked(path)), undefined);
    assertEquals([begun(), here.trouble], [2, ["too many of them run"]]);
    Deno.writeTextFileSync(`${here.home.dir}/go`, "");
    assertEquals(await Promise.all(answers), [0, 0, 0, 0]);
  });

  it("is undefined while hooks is away", async () => {
    await using here = world();
    assertEquals(await here.client.rcptcheck(asked("/x")), undefined);
    assertEquals(here.trouble, ["hooks is away"]);
  });
});
