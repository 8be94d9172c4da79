import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { Pair } from "./support/pair.ts";
import { acceptEverything, type Script, ScriptedServer } from "./support/scripted_server.ts";

const [sender, content] = ["s@s.example", "x\n"];
const [firstIp, secondIp] = ["127.0.0.2", "127.0.0.3"];

function refusing(reply: string, at: "greeting" | "EHLO" | "MAIL" | "RCPT"): Script {
  const before: readonly string[] = ["greeting", "EHLO", "MAIL", "RCPT"].slice(
    0,
    ["greeting", "EHLO", "MAIL", "RCPT"].indexOf(at),
  );
  return async (talk) => {
    for (const step of before) {
      await talk.say(step === "greeting" ? "220 x\r\n" : "250 ok\r\n");
      await talk.line();
    }
    await talk.say(`${reply}\r\n`);
    // HELO after a refused EHLO.
    if (at === "EHLO" && (await talk.line())?.startsWith("HELO")) await talk.say(`${reply}\r\n`);
    await talk.remainder();
  };
}

function closing(): Script {
  return () => Promise.resolve();
}

describe("delivery by MX", () => {
  let first: ScriptedServer;
  let second: ScriptedServer;
  let pair: Pair;

  beforeAll(async () => {
    first = new ScriptedServer(firstIp);
    second = new ScriptedServer(secondIp, first.port);
    pair = await Pair.start({ mxprivate: "1\n", remoteport: `${first.port}\n`, timeoutremote: "1\n" }, {
      "r.example MX": [{ preference: 20, value: "b.r.example" }, { preference: 10, value: "a.r.example" }],
      "a.r.example A": [{ value: firstIp }],
      "b.r.example A": [{ value: secondIp }],
      "gone.example MX": [{ preference: 1, value: "c.r.example" }, { preference: 2, value: "b.r.example" }],
      "c.r.example A": [{ value: "127.0.0.4" }],
      "me.example MX": [{ preference: 1, value: "d.r.example" }, { preference: 2, value: "b.r.example" }],
      "d.r.example A": [{ value: "127.0.0.1" }],
    });
  });

  afterAll(async () => {
    await pair[Symbol.asyncDispose]();
    await first.stop();
    await second.stop();
  });

  const next = `K${secondIp} accepted message.\nRemote host said: 250 taken 1\n`;
  const rows: readonly { readonly name: string; readonly script: Script; readonly want: string }[] = [
    {
      name: "uses the best exchanger",
      script: acceptEverything(),
      want: `K${firstIp} accepted message.\nRemote host said: 250 taken 1\n`,
    },
    { name: "goes on after a greeting of 554", script: refusing("554 no", "greeting"), want: next },
    { name: "goes on after EHLO and HELO were refused", script: refusing("550 no", "EHLO"), want: next },
    { name: "goes on after EHLO was deferred", script: refusing("421 no", "EHLO"), want: next },
    { name: "goes on after MAIL was deferred", script: refusing("451 no", "MAIL"), want: next },
    { name: "goes on after a close", script: closing(), want: next },
    { name: "goes on after silence", script: async (talk) => void await talk.remainder(), want: next },
    { name: "goes on after nonsense", script: refusing("hello", "greeting"), want: next },
    {
      name: "ends with a refused MAIL",
      script: refusing("550 no", "MAIL"),
      want: `DConnected to ${firstIp} but sender was rejected.\nRemote host said: 550 no\n`,
    },
    {
      name: "ends with a refused RCPT",
      script: refusing("450 no", "RCPT"),
      want: `Z${firstIp} does not like recipient.\nRemote host said: 450 no\nGiving up on ${firstIp}.\n`,
    },
  ];
  for (const { name, script, want } of rows) {
    it(name, async () => {
      await Promise.all([first.hangUp(), second.hangUp()]);
      first.script = script;
      second.script = acceptEverything();
      assertEquals(await pair.deliver(content, sender, ["a@r.example"]), [want]);
    });
  }

  it("says what the last one said when none will have the message", async () => {
    await Promise.all([first.hangUp(), second.hangUp()]);
    first.script = refusing("554 first", "greeting");
    second.script = refusing("421 second", "greeting");
    assertEquals(await pair.deliver(content, sender, ["a@r.example"]), [
      `ZConnected to ${secondIp} but greeting failed.\nRemote host said: 421 second\n`,
    ]);
  });

  it("goes on where nobody listens", async () => {
    await second.hangUp();
    second.script = acceptEverything();
    assertEquals(await pair.deliver(content, sender, ["a@gone.example"]), [next]);
  });

  it("does not send to this machine", async () => {
    assertEquals(await pair.deliver(content, sender, ["a@me.example", "a@[127.0.0.1]"]), [
      "DSorry. Although I'm listed as a best-preference MX or A for that host,\n" +
      "it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)\n",
      "DSorry. Although I'm listed as a best-preference MX or A for that host,\n" +
      "it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)\n",
    ]);
  });

  it("sends to an address literal", async () => {
    await first.hangUp();
    first.script = acceptEverything();
    assertEquals((await pair.deliver(content, sender, [`a@[${firstIp}]`]))[0]?.[0], "K");
  });
});
