import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import { type GivenEnvelope, type MailFault, MailReader } from "../../../components/lib/qmtp/mail_reader.ts";
import { formatNetstring } from "../../../components/lib/qmtp/netstring.ts";

/** What a reader gave, its text put together. */
interface Read {
  readonly mails: { text: string; envelope: GivenEnvelope | undefined }[];
  fault: MailFault | undefined;
}

/** Reads octets cut at these places, as a connection does. */
function readAll(protocol: "qmtp" | "qmqp", octets: string, cuts: readonly number[] = []): Read {
  const reader = new MailReader(protocol);
  const read: Read = { mails: [], fault: undefined };
  const places = [...cuts.map((cut) => cut % (octets.length + 1)), octets.length].sort((a, b) => a - b);
  let from = 0;
  for (const to of places) {
    reader.push(toOctets(octets.slice(from, to)));
    from = to;
    for (let event = reader.next(); event !== undefined; event = reader.next()) {
      if (event.kind === "begin") read.mails.push({ text: "", envelope: undefined });
      else if (event.kind === "text") read.mails.at(-1)!.text += fromOctets(event.octets);
      else if (event.kind === "envelope") read.mails.at(-1)!.envelope = event.envelope;
      else {
        read.fault = event.fault;
        return read;
      }
    }
  }
  return read;
}

const octets = (maxLength: number) => fc.uint8Array({ maxLength }).map((some) => fromOctets(some));
const address = octets(40).map((text) => text.replaceAll("\0", ""));
const mail = fc.record({ text: octets(300), sender: address, recipients: fc.array(address, { maxLength: 5 }) });
const cuts = fc.array(fc.nat(), { maxLength: 20 });

describe("MailReader", () => {
  it("reads back QMTP packages, wherever they are cut", () => {
    fc.assert(fc.property(fc.array(mail, { maxLength: 4 }), cuts, (mails, cuts) => {
      const wire = mails.map(({ text, sender, recipients }) =>
        formatNetstring(`\n${text}`) + formatNetstring(sender) +
        formatNetstring(recipients.map(formatNetstring).join(""))
      ).join("");
      const want = mails.map(({ text, sender, recipients }) => ({ text, envelope: { sender, recipients } }));
      assertEquals(readAll("qmtp", wire, cuts), { mails: want, fault: undefined });
    }));
  });

  it("reads back a QMQP message, wherever it is cut", () => {
    fc.assert(fc.property(mail, cuts, ({ text, sender, recipients }, cuts) => {
      const wire = formatNetstring([text, sender, ...recipients].map(formatNetstring).join(""));
      assertEquals(readAll("qmqp", wire, cuts), {
        mails: [{ text, envelope: { sender, recipients } }],
        fault: undefined,
      });
    }));
  });

  it("turns CR LF into LF and nothing else, wherever it is cut", () => {
    const lines = fc.array(fc.constantFrom("\r", "\n", "\r\n", "a"), { maxLength: 30 }).map((parts) => parts.join(""));
    fc.assert(fc.property(lines, cuts, (text, cuts) => {
      const read = readAll("qmtp", `${formatNetstring(`\r${text}`)}0:,0:,`, cuts);
      assertEquals(read.mails[0]!.text, text.replaceAll("\r\n", "\n"));
    }));
  });

  it("takes any octets for mail or for a fault, the same wherever they are cut, and never throws", () => {
    const wire = fc.array(
      fc.oneof(fc.constantFrom("0", "1", "3", "12", ":", ",", "\n", "\r", "4294967296:"), octets(4)),
      {
        maxLength: 40,
      },
    ).map((parts) => parts.join(""));
    for (const protocol of ["qmtp", "qmqp"] as const) {
      fc.assert(
        fc.property(wire, cuts, (wire, cuts) => assertEquals(readAll(protocol, wire, cuts), readAll(protocol, wire))),
      );
    }
  });

  it("keeps no octet of an address that no queue would take, however long it says to be", () => {
    const reader = new MailReader("qmtp");
    reader.push(toOctets("2:\nx,150000000:"));
    const piece = new Uint8Array(1024 * 1024);
    let events = 0;
    for (let at = 0; at < 140; at++) {
      reader.push(piece);
      for (let event = reader.next(); event !== undefined; event = reader.next()) events++;
      assertEquals(reader.waiting, 0);
    }
    assertEquals(events, 2);
  });

  it("refuses more recipients than one client is given memory for", () => {
    const read = readAll("qmtp", `2:\nx,0:,${formatNetstring("0:,".repeat(100_001))}`);
    assertEquals(read.fault, "too-many-recipients");
    assertEquals(readAll("qmqp", formatNetstring(`0:,0:,${"0:,".repeat(100_001)}`)).fault, "too-many-recipients");
    assertEquals(readAll("qmtp", "2:\nx,0:,4194305:").fault, "too-long");
    assert(readAll("qmtp", `2:\nx,0:,${formatNetstring("0:,".repeat(100_000))}`).fault === undefined);
  });
});
