/**
 * Delivery over QMTP, against servers of every kind on loopback.
 * @module
 */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { MessageBody } from "../../components/lib/delivery/message_body.ts";
import { toOctets } from "../../components/lib/octets.ts";
import type { MessageOptions } from "../../components/lib/queue/message_options.ts";
import { formatNetstring } from "../../components/lib/qmtp/netstring.ts";
import type { TlsPolicy } from "../../components/lib/tls/client_policy.ts";
import type { Connection } from "../../components/qmail-remote/connection.ts";
import { surveyContent } from "../../components/qmail-remote/content.ts";
import { dial } from "../../components/qmail-remote/dial.ts";
import type { Outcome } from "../../components/qmail-remote/outcome.ts";
import { plainPeer } from "../../components/qmail-remote/peer.ts";
import { deliverByQmtp } from "../../components/qmail-remote/qmtp_delivery.ts";
import { makeCertificate, opensslIsInstalled, opensslNote } from "../lib/tls/openssl.ts";
import { waitFor } from "../support/wait.ts";
import { type Script, ScriptedServer, type Talk } from "./support/scripted_server.ts";
import { TlsGate } from "./support/tls_gate.ts";

const ip = "127.0.0.1";
const sender = "s@d.example";
const two = ["a@r.example", "b@r.example"];
const text = "Subject: x\n\nhi\n";
/** Only where something has to be waited for to no end. */
const shortMs = 300;
const longMs = 20_000;

const plain: TlsPolicy = {
  tls: "may",
  implicit: false,
  proof: undefined,
  enforced: true,
  source: "default",
  requireTls: false,
};

function tailOf(recipients: readonly string[]): string {
  return `,${formatNetstring(sender)}${formatNetstring(recipients.map(formatNetstring).join(""))}`;
}

function packageOf(text: string, recipients: readonly string[]): string {
  return `${text.length + 1}:\n${text}${tailOf(recipients)}`;
}

function bodyOf(text: string, pieceBytes = text.length): MessageBody {
  const piece = (at: number) => toOctets(text.slice(at, at + pieceBytes));
  return new MessageBody(text.length, piece(0), (offset) => Promise.resolve(piece(offset)));
}

/** Takes a package and says `answers`; puts what it took into `taken`. */
function answering(answers: string, taken: string[] = [], recipients = two): Script {
  return async (talk) => {
    for (let got = await take(talk); got !== undefined; got = await take(talk)) {
      taken.push(got);
      await talk.say(answers);
    }
  };
  function take(talk: Talk): Promise<string | undefined> {
    return talk.through(tailOf(recipients));
  }
}

interface Mail {
  readonly recipients?: readonly string[];
  readonly body?: MessageBody;
  readonly policy?: TlsPolicy;
  readonly requireTls?: boolean;
  readonly isReused?: boolean;
  readonly timeoutMs?: number;
}

describe("deliverByQmtp()", () => {
  let server: ScriptedServer;

  beforeAll(() => {
    server = new ScriptedServer();
  });
  afterAll(() => server.stop());

  async function connect(script: Script): Promise<Connection> {
    server.script = script;
    const dialled = await dial(ip, server.port, { timeoutMs: longMs });
    assert(dialled.kind === "connected");
    return dialled.connection;
  }

  async function deliverOn(connection: Connection, mail: Mail = {}): Promise<Outcome> {
    const { recipients = two, body = bodyOf(text), policy = plain, timeoutMs = longMs } = mail;
    const content = surveyContent(body.sizeBytes, body.first);
    const options: MessageOptions = {
      requireTls: mail.requireTls === true,
      smtputf8: false,
      recipients: new Map(),
    };
    const transaction = { ip, helo: "me.example", sender, recipients, content, options };
    const peer = mail.isReused === true ? plainPeer : undefined;
    return await deliverByQmtp(connection, { transaction, policy, host: ip, peer }, body, timeoutMs);
  }

  async function deliver(script: Script, mail: Mail = {}): Promise<Outcome> {
    const connection = await connect(script);
    try {
      return await deliverOn(connection, mail);
    } finally {
      connection.close("QUIT\r\n");
      await server.hangUp();
    }
  }

  /** As lines of verdict and text. */
  function told(outcome: Outcome): readonly string[] {
    if (outcome.kind === "done") return outcome.reports.map((one) => one.verdict + one.text);
    return [`${outcome.kind}: ${outcome.report.verdict}${outcome.report.text}`];
  }

  it("sends the package, octet for octet, and reports each recipient's answer in its words", async () => {
    const taken: string[] = [];
    const outcome = await deliver(answering("15:Kok 1234 qp 567,24:Dno such user (#5.1.1)\n!,", taken));
    assertEquals(taken, [packageOf(text, two)]);
    assertEquals(told(outcome), [
      `K${ip} accepted message.\nRemote host said: ok 1234 qp 567\n`,
      `D${ip} does not like recipient.\nRemote host said: no such user (#5.1.1)?!\n`,
    ]);
    assert(outcome.kind === "done" && outcome.reusable);
  });

  it("sends a message of many pieces as one", async () => {
    const large = "line of a message\n".repeat(60_000);
    const taken: string[] = [];
    await deliver(answering("2:Ka,2:Zb,", taken), { body: bodyOf(large, 128 * 1024) });
    assert(taken[0] === packageOf(large, two));
  });

  it("sends an empty message, and one whose last line has no end", async () => {
    for (const odd of ["", "no end"]) {
      const taken: string[] = [];
      assertEquals(told(await deliver(answering("2:Ka,2:Kb,", taken), { body: bodyOf(odd) })).length, 2);
      assertEquals(taken, [packageOf(odd, two)]);
    }
  });

  it("carries message after message on one connection", async () => {
    const taken: string[] = [];
    const before = server.connections;
    const connection = await connect(answering("2:Ka,2:Kb,", taken));
    for (let count = 0; count < 5; count++) {
      const outcome = await deliverOn(connection, { isReused: count > 0, body: bodyOf(`${count}\n`) });
      assert(outcome.kind === "done" && outcome.reusable);
    }
    connection.close("");
    await server.quiet();
    assertEquals(taken, [0, 1, 2, 3, 4].map((count) => packageOf(`${count}\n`, two)));
    assertEquals(server.connections, before + 1);
  });

  it("says no QUIT", async () => {
    let rest: string | undefined;
    const outcome = await deliver(async (talk) => {
      await talk.through(tailOf(two));
      await talk.say("2:Ka,2:Kb,");
      rest = await talk.remainder();
    });
    assertEquals([outcome.kind, rest], ["done", ""]);
  });

  const doubtful = (what: string, status: string) =>
    `ZConnected to ${ip} but ${what} Possible duplicate! (#${status})\n`;
  const died = doubtful("connection died.", "4.4.2");
  const malformed = doubtful("its reply was malformed.", "4.5.0");
  const accepted = `K${ip} accepted message.\nRemote host said: a\n`;

  const misbehaviours: readonly { readonly name: string; readonly script: Script; readonly want: readonly string[] }[] =
    [
      ...[
        ["nothing", "", died],
        ["half of an answer", "9:Kok", died],
        ["an answer without its comma", "2:Ka", died],
        ["an answer with another end", "2:Ka;", malformed],
        ["no digits", "K,", malformed],
        ["a leading zero", "02:Ka,", malformed],
        ["an empty answer", "0:,", malformed],
        ["an unknown letter", "2:Xa,", malformed],
        ["an answer of 5,000 octets", formatNetstring(`K${"x".repeat(5000)}`), malformed],
        ["a length without end", "9".repeat(100_000), malformed],
        ["an answer of SMTP", "250 ok\r\n", malformed],
      ].map(([name, answer, want]) => ({
        name: `that says ${name} and closes`,
        script: async (talk: Talk) => {
          await talk.through(tailOf(two));
          await talk.say(answer!);
        },
        want: [want!, want!],
      })),
      {
        name: "that answers for the first recipient and closes",
        script: async (talk) => {
          await talk.through(tailOf(two));
          await talk.say("2:Ka,");
        },
        want: [accepted, died],
      },
      {
        name: "that answers for the first recipient and then nonsense",
        script: async (talk) => {
          await talk.through(tailOf(two));
          await talk.say("2:Ka,220 mx\r\n");
          await talk.remainder();
        },
        want: [accepted, malformed],
      },
      {
        name: "that hangs after the package",
        script: async (talk) => void await talk.remainder(),
        want: [died, died],
      },
      {
        name: "that answers an octet at a time, and never to the end",
        script: async (talk) => {
          await talk.through(tailOf(two));
          await talk.say("4000:K");
          for (let count = 0; count < 1000; count++) {
            await talk.say("x");
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        },
        want: [died, died],
      },
    ];
  for (const { name, script, want } of misbehaviours) {
    it(`defers what it sent to a server ${name}`, async () => {
      const outcome = await deliver(script, { timeoutMs: shortMs });
      assertEquals(told(outcome), want);
      assert(outcome.kind === "done" && !outcome.reusable);
    });
  }

  it("leaves a server that is gone, or speaks, before it has the package for the next", async () => {
    // More than lies in buffers on the way.
    const endless = bodyOf("y\n".repeat(10_000_000), 128 * 1024);
    const next = (what: string) => [`next: ZConnected to ${ip} but ${what}\n`];
    const dead = next("connection died. (#4.4.2)");
    const wrong = next("its reply was malformed. (#4.5.0)");
    assertEquals(told(await deliver(async (talk) => await talk.reset(), { body: endless })), dead);
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    const takesNothing = await connect(() => over);
    assertEquals(told(await deliverOn(takesNothing, { body: endless, timeoutMs: shortMs })), dead);
    takesNothing.close("");
    end();
    for (const words of ["220 mx ESMTP\r\n", "2:Ka,2:Kb,\r\n"]) {
      const speaks: Script = async (talk) => {
        await talk.say(words);
        await talk.remainder();
      };
      const connection = await connect(speaks);
      await waitFor(() => connection.spoken, "its words", longMs);
      assertEquals(told(await deliverOn(connection)), wrong, words);
      connection.close("");
      await server.hangUp();
    }
  });

  it("asks again where a connection that was used before takes nothing more", async () => {
    const connection = await connect(async (talk) => {
      await talk.through(tailOf(two));
      await talk.say("2:Ka,2:Kb,");
      await talk.through(tailOf(two));
    });
    assertEquals(told(await deliverOn(connection)).length, 2);
    const outcome = await deliverOn(connection, { isReused: true });
    assertEquals(told(outcome), [`next: ${died}`]);
    connection.close("");
    await server.hangUp();
  });

  it("does not take what came behind the last answer for the next message's", async () => {
    for (const behind of ["2:Ka,2:Kb,", "2:K"]) {
      const connection = await connect(answering(`2:Ka,2:Kb,${behind}`));
      assertEquals(told(await deliverOn(connection)).length, 2);
      const outcome = await deliverOn(connection, { isReused: true });
      assertEquals(outcome.kind, "next", behind);
      connection.close("");
      await server.hangUp();
    }
  });

  it("breaks off before the end of the package where the message cannot be read", async () => {
    let got: string | undefined;
    const connection = await connect(async (talk) => void (got = await talk.remainder()));
    const broken = new MessageBody(1000, toOctets("Subject: x\n"), () => Promise.reject(new Error("gone")));
    await assertRejects(() => deliverOn(connection, { body: broken }));
    await server.quiet();
    assertEquals(got, "1001:\nSubject: x\n");
  });

  it("fails what no server can take, or may get, and sends none of it", async () => {
    const huge = new MessageBody(200_000_000, toOctets("x"), () => Promise.reject(new Error("read")));
    for (const [mail, status] of [[{ body: huge }, "5.3.4"], [{ requireTls: true }, "5.7.30"]] as const) {
      const reports = told(await deliver(answering("2:Ka,2:Kb,"), mail));
      assertEquals(reports.length, 2);
      assertStringIncludes(reports[0]!, `(#${status})`);
      assertEquals(reports[0]![0], "D");
    }
  });

  it("defers where TLS is required that is not there from the first octet on", async () => {
    const must: TlsPolicy = { ...plain, tls: "must" };
    assertEquals(told(await deliver(answering("2:Ka,2:Kb,"), { policy: must })), [
      `next: ZConnected to ${ip} but QMTP has no TLS, which is required. (#4.7.5)\n`,
    ]);
  });

  it("knows of each octet of the answers at which the connection may end what it means", async () => {
    const answers = "2:Ka,2:Kb,";
    for (let end = 0; end < answers.length; end++) {
      const outcome = await deliver(async (talk) => {
        await talk.through(tailOf(two));
        await talk.say(answers.slice(0, end));
      });
      assertEquals(told(outcome), end < 5 ? [died, died] : [accepted, died], `${end} octets`);
    }
  });

  it(`speaks within TLS where that is to be there from the first octet on${opensslNote}`, {
    ignore: !opensslIsInstalled,
  }, async () => {
    const gate = new TlsGate(makeCertificate({ name: "mx.example" }));
    try {
      const taken: string[] = [];
      const within: Script = async (talk) => {
        const inner = await talk.secured(gate);
        if (inner !== undefined) await answering("2:Ka,2:Kb,", taken)(inner);
      };
      const outcome = await deliver(within, { policy: { ...plain, implicit: true } });
      assertEquals([told(outcome).length, outcome.kind, outcome.seen.tls?.protocol], [2, "done", "TLSv1.3"]);
      assertEquals(taken, [packageOf(text, two)]);

      const refused = await deliver(answering("2:Ka,2:Kb,", taken), {
        policy: { ...plain, implicit: true },
        timeoutMs: shortMs,
      });
      assertStringIncludes(told(refused)[0]!, `next: ZConnected to ${ip} but TLS failed: `);
      assertEquals(taken.length, 1);
    } finally {
      gate.close();
    }
  });
});
