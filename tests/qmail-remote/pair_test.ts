import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { readVector } from "../lib/octets.ts";
import { defaults, type Dialogue, dialogues, turnsOf } from "./support/dialogues.ts";
import { Pair } from "./support/pair.ts";
import { acceptEverything, type Script, ScriptedServer, type Taken } from "./support/scripted_server.ts";

const [sender, content] = [defaults.sender, defaults.content];
const to = defaults.recipients;
const died = "ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n";
const noConnection = "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n";

/** Plays the server's side of a dialogue; puts into `wrong` what the client said otherwise. */
function playerOf(dialogue: Dialogue, wrong: string[]): Script {
  return async (talk) => {
    for (const turn of turnsOf(dialogue)) {
      if (turn.kind === "server line") await talk.say(`${turn.text}\r\n`);
      else if (turn.kind === "server close" || turn.kind === "client may") return;
      else if (turn.kind === "server silence") return void await talk.remainder();
      else {
        const got = turn.kind === "client line" ? await talk.line() : await talk.content();
        const want = turn.kind === "client line" ? turn.text : `${turn.text}.\r\n`;
        if (got !== want) wrong.push(`expected ${JSON.stringify(want)}, got ${JSON.stringify(got)}`);
      }
    }
    const left = await talk.remainder();
    if (left !== "") wrong.push(`did not expect ${JSON.stringify(left)}`);
  };
}

describe("qmail-rspawn and qmail-remote", () => {
  let server: ScriptedServer;
  let pair: Pair;

  beforeAll(async () => {
    server = new ScriptedServer();
    pair = await Pair.start({ smtproutes: `:127.0.0.1:${server.port}\n`, timeoutremote: "1\n", timeoutconnect: "1\n" });
  });

  afterAll(async () => {
    await pair[Symbol.asyncDispose]();
    await server.stop();
  });

  async function nextIsDelivered(): Promise<void> {
    await server.hangUp();
    server.script = acceptEverything();
    assertEquals((await pair.deliver(content, sender, to))[0]?.[0], "K");
    await server.hangUp();
  }

  for (const dialogue of dialogues) {
    it(`plays: ${dialogue.name}`, async () => {
      const wrong: string[] = [];
      await server.hangUp();
      server.script = playerOf(dialogue, wrong);
      const { sender, recipients, content } = { ...defaults, ...dialogue };
      assertEquals(await pair.deliver(content, sender, recipients), dialogue.want);
      await server.quiet();
      assertEquals(wrong, []);
    });
  }

  const hostile: readonly { readonly name: string; readonly script: Script; readonly want: string }[] = [
    {
      name: "a greeting line of ten million octets",
      script: async (talk) => {
        await talk.say(`554 ${"x".repeat(10_000_000)}\r\n`);
        await talk.remainder();
      },
      want: `ZConnected to 127.0.0.1 but greeting failed.\nRemote host said: 554 ${"x".repeat(4090)}\n`,
    },
    {
      name: "a line without end",
      script: async (talk) => {
        for (;;) await talk.say("220".padEnd(65_536, "x"));
      },
      want: "ZConnected to 127.0.0.1 but its reply was malformed. (#4.5.0)\n",
    },
    {
      name: "a hundred thousand lines of greeting",
      script: async (talk) => {
        await talk.say("220-x\r\n".repeat(100_000));
        await talk.remainder();
      },
      want: "ZConnected to 127.0.0.1 but its reply was malformed. (#4.5.0)\n",
    },
    {
      name: "replies without end that nobody asked for",
      script: async (talk) => {
        await talk.say("220 x\r\n");
        for (;;) await talk.say("450 y\r\n".repeat(10_000));
      },
      want: "ZConnected to 127.0.0.1 but my name was rejected.\nRemote host said: 450 y\n",
    },
    {
      name: "octets that are no text",
      script: async (talk) => {
        await talk.say("\0\xff\x16\x03\x01\r\n".repeat(1000));
        await talk.remainder();
      },
      want: "ZConnected to 127.0.0.1 but its reply was malformed. (#4.5.0)\n",
    },
    {
      name: "an octet now and then",
      script: async (talk) => {
        await talk.say("220-x\r\n");
        for (;;) {
          await talk.say("2");
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
      },
      want: died,
    },
  ];
  for (const { name, script, want } of hostile) {
    it(`survives ${name}, and delivers the next message`, async () => {
      await server.hangUp();
      server.script = script;
      assertEquals(await pair.deliver(content, sender, to), [want]);
      await nextIsDelivered();
    });
  }

  const long = "0123456789abcdef\n".repeat(500_000);

  /** Everything up to the message, which then meets `then`. */
  function granting(then: Script): Script {
    return async (talk) => {
      await talk.say("220 x\r\n");
      await talk.line();
      await talk.say("250 x\r\n");
      for (let line = await talk.line(); line !== "DATA"; line = await talk.line()) await talk.say("250 ok\r\n");
      await talk.say("354 go\r\n");
      await then(talk);
    };
  }

  it("takes a refusal that comes in the middle of a large message", async () => {
    await server.hangUp();
    server.script = granting(async (talk) => {
      await talk.through("\r\n");
      await talk.say("552 too much\r\n");
      await talk.remainder();
    });
    assertEquals(await pair.deliver(long, sender, to), [
      "D127.0.0.1 failed while I was sending the message.\nRemote host said: 552 too much\n",
    ]);
    await nextIsDelivered();
  });

  it("defers when the server is gone in the middle of a large message", async () => {
    await server.hangUp();
    server.script = granting(async (talk) => void await talk.through("\r\n"));
    assertEquals(await pair.deliver(long, sender, to), [died]);
    await nextIsDelivered();
  });

  it("defers when the server stops reading a large message", async () => {
    await server.hangUp();
    const letGo = Promise.withResolvers<void>();
    server.script = granting(() => letGo.promise);
    assertEquals(await pair.deliver(long, sender, to), [died]);
    letGo.resolve();
    await nextIsDelivered();
  });

  it("sends a large message whole, piece by piece", async () => {
    await server.hangUp();
    // Of some pieces; what has to fill the sockets' buffers takes a busy machine longer than a wait may last here.
    const large = "0123456789abcdef\n".repeat(60_000);
    const taken: Taken[] = [];
    server.script = acceptEverything(taken);
    assertEquals(await pair.deliver(large, sender, to), [
      "K127.0.0.1 accepted message.\nRemote host said: 250 taken 1\n",
    ]);
    assert(taken[0]?.content === large.replaceAll("\n", "\r\n") + ".\r\n", "octet for octet");
    await server.hangUp();
  });

  it("uses a connection again for the next message", async () => {
    await server.hangUp();
    const taken: Taken[] = [];
    server.script = acceptEverything(taken);
    const before = server.connections;
    for (const name of ["a", "b", "c"]) await pair.deliver(`${name}\n`, `${name}@s.example`, to);
    assertEquals(server.connections - before, 1);
    assertEquals(taken.map((one) => [one.sender, one.content]), [
      ["<a@s.example>", "a\r\n.\r\n"],
      ["<b@s.example>", "b\r\n.\r\n"],
      ["<c@s.example>", "c\r\n.\r\n"],
    ]);
    await server.hangUp();
  });

  it("makes a new connection where the server closes after each message", async () => {
    await server.hangUp();
    let messages = 0;
    server.script = granting(async (talk) => {
      await talk.content();
      messages++;
      await talk.say("250 ok\r\n");
    });
    for (let n = 0; n < 5; n++) assertEquals((await pair.deliver(content, sender, to))[0]?.[0], "K");
    assertEquals(messages, 5);
  });

  it("makes a new connection where the server refuses the second message of one", async () => {
    await server.hangUp();
    let messages = 0;
    server.script = granting(async (talk) => {
      await talk.content();
      messages++;
      await talk.say("250 ok\r\n");
      await talk.line();
      await talk.say("421 one is enough\r\n");
    });
    for (let n = 0; n < 3; n++) assertEquals((await pair.deliver(content, sender, to))[0]?.[0], "K");
    assertEquals(messages, 3);
    await server.hangUp();
  });

  it("delivers a hundred messages at once, each to its own recipient", async () => {
    const taken: Taken[] = [];
    server.script = acceptEverything(taken);
    const names = Array.from({ length: 100 }, (_, n) => `n${n}`);
    const reports = await Promise.all(names.map((name) => pair.deliver(`${name}\n`, sender, [`${name}@r.example`])));
    assert(reports.every(([report]) => report?.startsWith("K")), "all delivered");
    assertEquals(
      taken.map((one) => `${one.recipients.join()} ${one.content}`).sort(),
      names.map((name) => `<${name}@r.example> ${name}\r\n.\r\n`).sort(),
    );
    await server.hangUp();
  });

  it("fails recipients without a domain, or with one no name can have", async () => {
    assertEquals(await pair.deliver(content, sender, ["noat", `a@${"x".repeat(400)}`]), [
      "DSorry, address must include host name. (#5.1.3)\n",
      "DSorry, I couldn't find any host by that name. (#5.1.2)\n",
    ]);
  });

  it("defers when the message cannot be opened", async () => {
    const { lost, reports } = await pair.spawn(999_999, sender, to);
    assertEquals([lost, reports], [false, [{ verdict: "Z", text: "Unable to open message. (#4.3.0)\n" }]]);
  });

  it("defers when nobody listens", async () => {
    const gone = new ScriptedServer();
    const { port } = gone;
    await gone.stop();
    await using other = await Pair.start({ smtproutes: `:127.0.0.1:${port}\n` });
    assertEquals(await other.deliver(content, sender, to), [noConnection]);
  });

  it("sends to a relay with an IPv6 address", async () => {
    const relay = new ScriptedServer("::1");
    await using other = await Pair.start({ smtproutes: `:[::1]:${relay.port}\n` });
    assertEquals(await other.deliver(content, sender, to), ["K::1 accepted message.\nRemote host said: 250 taken 1\n"]);
    await relay.stop();
  });

  const eod = readEndsOfData();
  it(
    `ends a message only at its end, whatever stands in it${eod === undefined ? " (skipped: no vectors)" : ""}`,
    { ignore: eod === undefined },
    async () => {
      await server.hangUp();
      const taken: Taken[] = [];
      server.script = acceptEverything(taken);
      const messages = [...eod!.eod, ...eod!.not_eod, ...Object.values(eod!.edge)].map(octetsOf).map((sequence) =>
        `Subject: a\n\nb${sequence}${eod!.followup}`
      );
      for (const message of messages) {
        assertEquals((await pair.deliver(message, sender, to))[0]?.[0], "K", JSON.stringify(message));
      }
      assertEquals(taken.length, messages.length);
      assert(taken.every((one) => one.sender === `<${sender}>`), "no envelope out of the content");
      for (const { content } of taken) {
        assert(!/(^|[^\r])\n|\r([^\n]|$)/.test(content), "no bare CR or LF on the wire");
        assertEquals(content.split("\r\n.\r\n").length, 2, "one end of data");
      }
      await server.hangUp();
    },
  );

  it("routes by the new smtproutes after SIGHUP", async () => {
    const taken: Taken[] = [];
    await server.hangUp();
    server.script = acceptEverything(taken);
    Deno.writeTextFileSync(pair.home.control("smtproutes"), `:127.0.0.1:${server.port}\nnowhere.example:127.0.0.1:1\n`);
    assertEquals((await pair.deliver(content, sender, ["a@nowhere.example"]))[0]?.[0], "K");
    pair.rspawn.signal("SIGHUP");
    let report: string | undefined;
    do [report] = await pair.deliver(content, sender, ["a@nowhere.example"]); while (report?.startsWith("K"));
    // Port 1 is not in the grant that qmail-remote was started with.
    assertEquals(report, noConnection);
    await server.hangUp();
  });

  it("says that a delivery is lost when qmail-remote is killed, and delivers by its successor", async () => {
    await server.hangUp();
    const asked = Promise.withResolvers<void>();
    server.script = async (talk) => {
      asked.resolve();
      await talk.remainder();
    };
    const delivery = pair.spawn(pair.enqueue(content), sender, to);
    await asked.promise;
    const { log } = await pair.remote.stop("SIGKILL");
    assertEquals((await delivery).lost, true);
    assertStringIncludes(log, "not_granted ip=127.0.0.1 port=1");
    await Promise.all([pair.restartRemote(), nextIsDelivered()]);
  });

  it("stops on SIGTERM with exit code 0, delivering first what is under way", async () => {
    await server.hangUp();
    const [asked, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    server.script = async (talk) => {
      asked.resolve();
      await go.promise;
      await acceptEverything()(talk);
    };
    const delivery = pair.deliver(content, sender, to);
    await asked.promise;
    const [rspawn, remote] = [pair.rspawn.stop(), pair.remote.stop()];
    go.resolve();
    assertEquals((await delivery)[0]?.[0], "K");
    const ends = await Promise.all([rspawn, remote]);
    assertEquals(ends.map(({ code }) => code), [0, 0]);
    assertMatch(ends[0].log, /^unreadable message=999999 reason=NotFound[^\n]*\n$/);
    assertEquals(ends[1].log, "");
  });
});

interface EndsOfData {
  readonly eod: readonly string[];
  readonly not_eod: readonly string[];
  readonly edge: Readonly<Record<string, string>>;
  readonly followup: string;
}

function readEndsOfData(): EndsOfData | undefined {
  const text = readVector("smuggling/eod-sequences.json");
  return text === undefined ? undefined : JSON.parse(text);
}

/** Text as the octet string of its UTF-8. */
function octetsOf(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
