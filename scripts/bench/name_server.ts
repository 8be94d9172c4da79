/**
 * A DNS server on loopback for what the measured server verifies: texts by name, and nothing else. What the resolver asks
 * once it remembers, so that the benchmark's own process has little to do with it during a run.
 * @module
 */
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
// @ts-types="../../components/lib/dns/dns_packet.d.ts"
import dnsPacket, { type Answer } from "dns-packet";

/** TXT records by name (lower-cased, without the last dot); ASCII, of any length. */
export type Texts = ReadonlyMap<string, string>;

export interface NameServer extends AsyncDisposable {
  readonly port: number;
}

/** Longer than any benchmark takes. */
const ttlSeconds = 86_400;
/** Octets of one string of a TXT record (RFC 1035 §3.3.14). */
const longestString = 255;
const nameError = 3;

/** With each "no", so that it is remembered (RFC 2308 §5). */
const soa: Answer = {
  name: "example",
  type: "SOA",
  ttl: ttlSeconds,
  data: {
    mname: "ns.example",
    rname: "hostmaster.example",
    serial: 1,
    refresh: ttlSeconds,
    retry: ttlSeconds,
    expire: ttlSeconds,
    minimum: ttlSeconds,
  },
};

/** The answer to one query; undefined for octets that are none. */
export function answerQuery(octets: Uint8Array, texts: Texts): Uint8Array | undefined {
  const query = queryOf(octets);
  const question = query?.questions[0];
  if (query === undefined || question === undefined) return undefined;
  const text = texts.get(question.name.toLowerCase());
  const strings = text?.match(new RegExp(`.{1,${longestString}}`, "g")) ?? [];
  const answers: Answer[] = question.type !== "TXT" || text === undefined
    ? []
    : [{ name: question.name, type: "TXT", ttl: ttlSeconds, data: strings.map((one) => Buffer.from(one, "latin1")) }];
  return dnsPacket.encode({
    type: "response",
    id: query.id,
    flags: dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | (text === undefined ? nameError : 0),
    questions: query.questions,
    answers,
    authorities: answers.length === 0 ? [soa] : [],
  });
}

function queryOf(octets: Uint8Array): ReturnType<typeof dnsPacket.decode> | undefined {
  try {
    const packet = dnsPacket.decode(octets);
    return packet.type === "query" ? packet : undefined;
  } catch {
    return undefined; // whoever sends such octets asks nothing
  }
}

/** Starts one on a free port of 127.0.0.1. */
export async function startNameServer(texts: Texts): Promise<NameServer> {
  const socket = createSocket("udp4");
  socket.on("message", (octets, from) => {
    const answer = answerQuery(octets, texts);
    if (answer !== undefined) socket.send(answer, from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address: "127.0.0.1", port: 0, exclusive: true }, () => resolve());
  });
  return {
    port: socket.address().port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
