/**
 * qmail-qmqpc as others run it, in qmail-queue's place.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { frameMail } from "../../components/lib/qmtp/qmqp_client.ts";
import { handOver } from "../../components/tools/support/qmqp.ts";
import { QmqpSink, type SinkBehaviour } from "../qmtp/qmqp_sink.ts";
import { freePort } from "../support/free_port.ts";
import { makeBin } from "./support/bin.ts";

const envelope = "Famy@a.example\\0Tdemo@b.example\\0Tjoe@c.example\\0\\0";
const mail = { text: "Subject: t\n\nhi\n", sender: "amy@a.example", recipients: ["demo@b.example", "joe@c.example"] };

/** The exit code with these servers; `envelope` is printf's. */
async function codeWith(servers: string | undefined, { text = mail.text, octets = envelope } = {}): Promise<number> {
  using bin = makeBin(["qmail-qmqpc"], undefined, servers === undefined ? {} : { qmqpservers: servers });
  const { code, stdout, stderr } = await bin.run(`printf '${octets}' >env; qmail-qmqpc 1<env`, { input: text });
  assertEquals([stdout, stderr], ["", ""]);
  return code;
}

describe("qmail-qmqpc", () => {
  const answers: readonly (readonly [string, number])[] = [
    ["23:Kok 1795331970 qp 24135,", 0],
    ["6:Zlater,", 71],
    ["6:Dnever,", 31],
    ["220 mx.example.com ESMTP\r\n", 74],
  ];
  for (const [octets, code] of answers) {
    it(`ends with ${code} where the server says ${JSON.stringify(octets)}`, async () => {
      using sink = new QmqpSink({ kind: "answer", octets });
      assertEquals(await codeWith(sink.line), code);
      assertEquals(sink.mails, [mail]);
    });
  }

  it("ends with 74 where the server has all of it and says nothing", async () => {
    using sink = new QmqpSink({ kind: "close" });
    assertEquals(await codeWith(sink.line), 74);
  });

  it("tries the next server where connecting fails, in the file's order", async () => {
    using sink = new QmqpSink();
    assertEquals(await codeWith(`# our queue hosts\n127.0.0.1:${freePort()}\n${sink.line}`), 0);
    assertEquals(sink.mails, [mail]);
  });

  it("tries no other once one was reached: it may have the message", async () => {
    using first = new QmqpSink({ kind: "close" });
    using second = new QmqpSink();
    assertEquals(await codeWith(`${first.line}${second.line}`), 74);
    assertEquals(second.connections, 0);
  });

  it("ends with 73 where no server takes connections, 55 where there is none or the file is malformed", async () => {
    assertEquals(await codeWith(`127.0.0.1:${freePort()}\n`), 73);
    assertEquals(await codeWith(undefined), 55);
    assertEquals(await codeWith("mx.example.com\n"), 55);
  });

  it("ends with 55 at a server that came into the file after its script was made: it is granted those alone", async () => {
    using sink = new QmqpSink();
    using bin = makeBin(["qmail-qmqpc"], undefined, { qmqpservers: "127.0.0.1:1\n" });
    Deno.writeTextFileSync(bin.home.control("qmqpservers"), sink.line);
    const { code } = await bin.run(`printf '${envelope}' >env; qmail-qmqpc 1<env`, { input: mail.text });
    assertEquals([code, sink.connections], [55, 0]);
  });

  it("connects nowhere for an envelope that is not whole, or no envelope", async () => {
    using sink = new QmqpSink();
    const rows = [["Famy@a.example\\0Tdemo@b.example\\0", 54], ["", 54], ["Xamy\\0\\0", 91], [
      `F${"a".repeat(1003)}\\0\\0`,
      11,
    ]] as const;
    for (const [octets, code] of rows) assertEquals(await codeWith(sink.line, { octets }), code);
    assertEquals(sink.connections, 0);
  });

  it("hands over any octets as they are, and a few megabytes of them", async () => {
    using sink = new QmqpSink();
    const all = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).join("");
    const text = all.repeat(10_000);
    assertEquals(await codeWith(sink.line, { text, octets: "F\\0Tl\\303\\251o@b.example\\0\\0" }), 0);
    assert(sink.mails[0]!.text === text);
    assertEquals([sink.mails[0]!.sender, sink.mails[0]!.recipients], ["", ["l\u00c3\u00a9o@b.example"]]);
  });
});

describe("handOver()", () => {
  const text = new Uint8Array(4_000_000);
  const frame = frameMail(text.length, { sender: "", recipients: ["demo@b.example"] })!;
  const limits = { connectMs: 200, waitMs: 200 };

  async function codeOf(behaviour: SinkBehaviour): Promise<number> {
    using sink = new QmqpSink(behaviour);
    return await handOver([{ host: "127.0.0.1", port: sink.port }], frame, [text], limits);
  }

  it("gives up on a server that says nothing for too long", async () => {
    assertEquals(await codeOf({ kind: "hang" }), 74);
  });

  it("gives up on a server that takes no octets for too long", async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted = listener.accept();
    assertEquals(
      await handOver([{ host: "127.0.0.1", port: listener.addr.port }], frame, [text, text, text], limits),
      74,
    );
    (await accepted).close();
    listener.close();
  });

  it("hears a refusal that comes before all was sent, and believes no such K", async () => {
    assertEquals(await codeOf({ kind: "early", octets: "3:Dno," }), 31);
    assertEquals(await codeOf({ kind: "early", octets: "3:Kok," }), 74);
  });
});
