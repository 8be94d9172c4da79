import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
// @ts-types="../../../components/lib/dns/dns_packet.d.ts"
import dnsPacket from "dns-packet";
import { answerQuery, startNameServer } from "../../../scripts/bench/name_server.ts";

const long = "p=".padEnd(400, "A");
const texts = new Map([["a.example", "v=spf1 -all"], ["s._domainkey.a.example", long]]);

function query(name: string, type: string): Uint8Array {
  const question = { name, type, class: "IN" };
  return dnsPacket.encode({ type: "query", id: 77, flags: dnsPacket.RECURSION_DESIRED, questions: [question] });
}

/** Response code, and the texts' strings put together. */
function seen(reply: Uint8Array | undefined): readonly [code: number, texts: readonly string[]] | undefined {
  if (reply === undefined) return undefined;
  const { id, flags, answers, authorities } = dnsPacket.decode(reply);
  assertEquals([id, answers.length + authorities.length], [77, 1]); // a "no" that can be remembered has its SOA
  return [flags & 15, answers.map(({ data }) => Buffer.concat(data as Buffer[]).toString("latin1"))];
}

describe("answerQuery()", () => {
  const rows = [
    { claim: "a text", name: "a.example", type: "TXT", want: [0, ["v=spf1 -all"]] },
    { claim: "one asked for in capitals", name: "A.Example", type: "TXT", want: [0, ["v=spf1 -all"]] },
    { claim: "a text of more than 255 octets", name: "s._domainkey.a.example", type: "TXT", want: [0, [long]] },
    { claim: "no address of a name that is there", name: "a.example", type: "A", want: [0, []] },
    { claim: "that a name is not there", name: "b.example", type: "TXT", want: [3, []] },
  ] as const;
  for (const { claim, name, type, want } of rows) {
    it(`says ${claim}`, () => assertEquals<unknown>(seen(answerQuery(query(name, type), texts)), want));
  }

  const nothing = [
    { claim: "nothing", octets: new Uint8Array() },
    { claim: "a piece of a query", octets: query("a.example", "TXT").subarray(0, 20) },
    { claim: "other octets", octets: new Uint8Array(40).fill(0xff) },
    { claim: "a query without a question", octets: dnsPacket.encode({ type: "query", id: 77 }) },
    { claim: "an answer", octets: dnsPacket.encode({ type: "response", id: 77 }) },
  ];
  for (const { claim, octets } of nothing) {
    it(`has no answer to ${claim}`, () => assertEquals(answerQuery(octets, texts), undefined));
  }
});

describe("startNameServer()", () => {
  it("answers over UDP, whatever came before", async () => {
    await using server = await startNameServer(texts);
    const socket = createSocket("udp4");
    try {
      socket.send(new Uint8Array(40).fill(0xff), server.port, "127.0.0.1");
      socket.send(query("a.example", "TXT"), server.port, "127.0.0.1");
      const [reply] = await once(socket, "message");
      assertEquals(seen(reply), [0, ["v=spf1 -all"]]);
    } finally {
      socket.close();
    }
  });
});
