/** Programs of `.qmail` files: what they are given, what their end means, and that nothing of them stays. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { escapeWord } from "../../components/lib/process/program_words.ts";
import { isRunning } from "../support/processes.ts";
import { waitFor } from "../support/wait.ts";
import { world } from "./world.ts";

const message = "Subject: a\n\nhello\n";
const missing = ["setpriv", "setsid"].filter((name) =>
  !["/bin", "/usr/bin"].some((dir) => {
    try {
      return Deno.statSync(`${dir}/${name}`).isFile;
    } catch {
      return false;
    }
  })
);
const note = missing.length === 0 ? "" : ` (skipped: no ${missing.join(", ")})`;

describe(`programs of .qmail files${note}`, { ignore: missing.length > 0 }, () => {
  it("get the message, the home as working directory, qmail's environment, and a mark of ours", async () => {
    await using world_ = world({ kind: "programs" });
    world_.write(".qmail-a:b-default", "|cat > got; pwd > where; env -0 > env\n./Maildir/\n");
    const recipient = "joe-A.b-\xe9 $(touch x)`touch y`;touch z|\"'\\\n&<>*?@a.b.c.d.example";
    const fields = {
      recipient,
      sender: "o'k \xc3\xa9;id@s.example",
      dash: "-",
      extension: recipient.slice(4, recipient.indexOf("@")),
    };
    assertEquals(await world_.deliver(message, fields), { verdict: "K", text: "did 1+0+1\n" });
    assertEquals(world_.read("got"), message);
    assertEquals(world_.read("where"), `${world_.userHome}\n`);
    const got = new Map(
      world_.read("env").split("\0").map((
        line,
      ) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    const rest = recipient.slice(8, recipient.indexOf("@"));
    const want = new Map(Object.entries({
      SENDER: fields.sender,
      NEWSENDER: fields.sender,
      RECIPIENT: recipient,
      USER: "joe",
      HOME: world_.userHome,
      LOCAL: `joe-A.b-${rest}`,
      HOST: "a.b.c.d.example",
      HOST2: "a.b.c.d",
      HOST3: "a.b.c",
      HOST4: "a.b",
      EXT: fields.extension,
      EXT2: rest,
      EXT3: "",
      EXT4: "",
      DEFAULT: rest,
      DTLINE: `Delivered-To: ${recipient.replaceAll("\n", "_")}\n`,
      RPLINE: `Return-Path: <"o'k \xc3\xa9;id"@s.example>\n`,
      PATH: `${world_.home.bin()}:/usr/local/bin:/usr/bin:/bin`,
    }));
    for (const [name, value] of want) assertEquals(got.get(name), value, name);
    assertStringIncludes(got.get("UFLINE")!, "From o'k-\xc3\xa9;id@s.example ");
    assertMatch(got.get("DQMAIL_DELIVERY")!, /^[0-9]+\.[0-9]+$/);
    const ofShell = ["DQMAIL_DELIVERY", "PWD", "SHLVL", "_", "OLDPWD", ""];
    assertEquals([...got.keys()].filter((name) => !want.has(name) && name !== "UFLINE" && !ofShell.includes(name)), []);
    for (const name of ["x", "y", "z"]) {
      assert(![...Deno.readDirSync(world_.userHome)].some((entry) => entry.name === name));
    }
  });

  const ends = [
    { line: "echo said; exit 0", verdict: "K", text: "said\ndid 1+1+1\nqp 4711\n" },
    { line: "exit 99", verdict: "K", text: "did 0+1+1\nqp 4711\n" },
    { line: "echo no such list; exit 100", verdict: "D", text: "no such list\n" },
    ...[64, 65, 70, 76, 77, 78, 112].map((code) => ({ line: `exit ${code}`, verdict: "D", text: "" })),
    ...[1, 66, 71, 75, 111, 124].map((code) => ({ line: `exit ${code}`, verdict: "Z", text: "" })),
    { line: "kill -SEGV $$", verdict: "Z", text: "Aack, child crashed. (#4.3.0)\n" },
    { line: "echo out; echo err >&2; exit 111", verdict: "Z", text: "out\nerr\n" },
    { line: "exec 0<&-; exit 0", verdict: "K", text: "did 1+1+1\nqp 4711\n" },
    { line: "printf 'a\\0b'; exit 1", verdict: "Z", text: "a" },
    { line: "-n", verdict: "Z", text: undefined },
  ];
  it("end the delivery, or let it go on, by their exit code; forwards before a 99 are sent", async () => {
    await using world_ = world({ kind: "programs" });
    for (const { line, verdict, text } of ends) {
      world_.write(".qmail", `a@b.example\n|${line}\n./Maildir/\n`);
      const report = await world_.deliver(message);
      assertEquals([report.verdict, text === undefined ? undefined : report.text], [verdict, text], line);
    }
  });

  it("may leave their message unread, however large, and each gets it from the beginning", async () => {
    await using world_ = world({ kind: "programs" });
    const text = `Subject: a\n\n${"line\n".repeat(200_000)}`;
    world_.write(".qmail", "|true\n|head -c 20 > head\n|cat > all\n");
    assertEquals((await world_.deliver(text)).text, "did 0+0+3\n");
    assertEquals(world_.read("head"), text.slice(0, 20));
    assert(world_.read("all") === text);
  });

  it("may write for ever: the beginning is kept, their time ends", async () => {
    await using world_ = world({ kind: "programs" });
    world_.write(".qmail", "|trap '' TERM HUP INT; yes\n");
    const report = await world_.deliver(message, { programSeconds: 1 });
    assertEquals(report.verdict, "Z");
    assert(report.text.startsWith("y\ny\n") && report.text.length <= 10_000, `${report.text.length}`);
  });

  const pids = (text: string) => text.trim().split("\n").map(Number);
  const gone = (numbers: readonly number[]) =>
    waitFor(() => numbers.every((pid) => !isRunning(pid)), `the end of ${numbers}`);
  const background = "trap '' TERM HUP INT; (trap '' TERM; echo $$ > pid; sh -c 'echo $$ >> pid; exec sleep 1000') & ";

  it("leave nothing behind when they end, in the background or not", async () => {
    await using world_ = world({ kind: "programs" });
    world_.write(".qmail", `|sleep 1000 & echo $! > pid; exit 0\n`);
    assertEquals((await world_.deliver(message)).text, "did 0+0+1\n");
    await gone(pids(world_.read("pid")));
  });

  it("leave nothing behind that made a session of its own, whether they end or their time does", async () => {
    const daemon = "setsid setsid sh -c 'echo $$ > daemon; exec sleep 1000' > /dev/null 2>&1 &";
    const untilThere = "until [ -s daemon ]; do :; done";
    for (const [rest, seconds, verdict] of [["exit 0", 60, "K"], ["sleep 1000", 1, "Z"]] as const) {
      await using world_ = world({ kind: "programs" });
      world_.write(".qmail", `|${daemon} ${untilThere}; ${rest}\n`);
      assertEquals((await world_.deliver(message, { programSeconds: seconds })).verdict, verdict);
      await gone(pids(world_.read("daemon")));
    }
  });

  it("leave nothing behind when their time is over, though they ignore every signal", async () => {
    await using world_ = world({ kind: "programs" });
    world_.write(".qmail", `|${background} wait\n`);
    const report = await world_.deliver(message, { programSeconds: 1 });
    assertEquals(report, { verdict: "Z", text: "The program took too long and was ended. (#4.3.0)\n" });
    await gone(pids(world_.read("pid")));
  });

  const lives = ["SIGKILL", "end of its input"] as const;
  for (const end of lives) {
    it(`leave nothing behind when qmail-local ends by ${end}`, async () => {
      await using world_ = world({ kind: "programs" });
      world_.write(".qmail", `|${background} wait\n`);
      const lost = world_.deliver(message).then(() => "answered", (error: Error) => error.name);
      const started = await waitFor(() => {
        try {
          return pids(world_.read("pid")).length === 2 && pids(world_.read("pid"));
        } catch {
          return false;
        }
      }, "the program's processes");
      assert(started.every(isRunning));
      if (end === "SIGKILL") world_.child.kill("SIGKILL");
      else world_.link.close();
      assertEquals(await lost, "ConnectionLost");
      await gone(started);
      await world_.child.status;
    });
  }

  it("have limits: no core files, CPU time, file size, open files, processes", async () => {
    await using world_ = world({ kind: "programs" });
    world_.write(".qmail", "|cat /proc/self/limits > limits; grep SigIgn /proc/self/status > ignored\n");
    assertEquals((await world_.deliver(message, { programSeconds: 30 })).verdict, "K");
    const limit = (name: string) =>
      world_.read("limits").split("\n").find((line) => line.startsWith(name))!.slice(26).trim().split(/\s+/)[1];
    assertEquals(
      ["Max core file size", "Max cpu time", "Max file size", "Max open files", "Max processes"].map(limit),
      [
        "0",
        "30",
        String(4 * 1024 ** 3),
        "256",
        "500",
      ],
    );
    const [interrupt, quit] = [1 << 1, 1 << 2];
    const ignored = parseInt(world_.read("ignored").trim().split(/\s+/)[1]!.slice(-4), 16) & ~(interrupt | quit);
    assertEquals(ignored, 0, "SIGPIPE and the others end a program");
  });

  it("cannot be started by a line that the file's x bit bars, even where programs may run", async () => {
    await using world_ = world({ kind: "programs" });
    world_.write(".qmail", "|touch ran\n", 0o700);
    assertEquals((await world_.deliver(message)).text, "Uh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)\n");
    assert(![...Deno.readDirSync(world_.userHome)].some(({ name }) => name === "ran"));
  });
});

describe("escapeWord()", () => {
  const rows = [
    ["plain word; $(id)", "plain word; $(id)"],
    ["a\nb", "a\\0012b"],
    ["\\c", "\\0134c"],
    ["\xff\x01", "\\0377\\0001"],
  ] as const;
  for (const [octets, want] of rows) {
    it(`of ${JSON.stringify(octets)} is ${want}`, () => assertEquals(escapeWord(octets), want));
  }
});
