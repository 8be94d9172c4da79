/**
 * A DNS server for tests, over UDP and TCP on one port of 127.0.0.1. Its zone is a table:
 *
 * ```ts
 * const dns = await startDnsServer({
 *   "b.example MX": [{ preference: 10, exchange: "mx.b.example" }],
 *   "mx.b.example A": ["127.0.0.1"],
 *   "www.b.example CNAME": ["b.example"],
 *   "b.example TXT": ["v=spf1 -all", ["cut", "in two"]],
 *   "slow.example A": { records: ["127.0.0.1"], silent: true },
 * });
 * writeControl("nameservers", `127.0.0.1:${dns.port}\n`);
 * await dns.stop();
 * ```
 *
 * A name that is in no key does not exist; one that is there has no records of the types that are not.
 * @module
 */
// @ts-types="../../components/lib/dns/dns_packet.d.ts"
import dnsPacket, { type Answer, type Packet } from "dns-packet";
import { Buffer } from "node:buffer";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** An address or a name; a text (its strings, where it has several); an exchange. */
export type RecordData =
  | string
  | readonly string[]
  | { readonly preference: number; readonly exchange: string };

/** An answer with something about it. */
export interface ZoneEntry {
  readonly records?: readonly RecordData[];
  /** Default 300. */
  readonly ttlSeconds?: number;
  /** Instead of 0: 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED. */
  readonly rcode?: number;
  readonly authenticated?: boolean;
  /** Over UDP the answer is only the TC bit. */
  readonly truncated?: boolean;
  /** No answer to the first so many queries; `true`: never one. */
  readonly silent?: true | number;
  /** Over UDP, in front of the right answer come this many with another id. */
  readonly wrongIds?: number;
  /** Over UDP, in front of the right answer comes this one, from another port. */
  readonly forged?: readonly RecordData[];
  /** The answer waits for this. */
  readonly after?: Promise<unknown>;
  /** FORMERR to a query with EDNS. */
  readonly refusesEdns?: boolean;
  /** An alias is not followed, as by a server that does not know its target. */
  readonly leavesAlias?: boolean;
  /** These octets follow the header and the question, with this many answer records announced. */
  readonly raw?: { readonly answers: number; readonly octets: Uint8Array };
}

/** By `name TYPE`. */
export type Zone = Readonly<Record<string, readonly RecordData[] | ZoneEntry>>;

export interface DnsServer {
  readonly port: number;
  /** What was asked: `udp b.example MX`, in order. */
  readonly queries: readonly string[];
  stop(): Promise<void>;
}

/** Of the SOA that goes with each "no". */
export const negativeSeconds = 60;
const defaultTtlSeconds = 300;

/** Starts a server for `zone`. `port` 0, the default, lets the system choose. */
export async function startDnsServer(zone: Zone, options: { readonly port?: number } = {}): Promise<DnsServer> {
  const queries: string[] = [];
  const seen = new Map<string, number>();
  const table = new Map(Object.entries(zone).map(([key, entry]) => [key, isEntry(entry) ? entry : { records: entry }]));
  const { udp, tcp, port } = await bindBoth(options.port ?? 0);
  const other = await bindUdp(0);
  const open = new Set<Socket>();

  async function answer(
    octets: Uint8Array,
    over: "udp" | "tcp",
    forge: (octets: Uint8Array) => void,
  ): Promise<Uint8Array[]> {
    const query = dnsPacket.decode(octets);
    const { name, type } = query.questions[0]!;
    const key = `${name.toLowerCase()} ${type}`;
    queries.push(`${over} ${key}`);
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    const entry = table.get(key);
    await entry?.after;
    if (entry?.silent === true || count <= (entry?.silent ?? 0)) return [];
    const reply = encodeReply(table, query, over);
    if (entry?.forged !== undefined) forge(encodeReply(new Map([[key, { records: entry.forged }]]), query, over));
    const guesses = Array.from({ length: over === "udp" ? entry?.wrongIds ?? 0 : 0 }, (_, at) => {
      const guess = Buffer.from(reply);
      guess.writeUInt16BE((guess.readUInt16BE(0) + at + 1) & 0xffff, 0);
      return guess;
    });
    return [...guesses, reply];
  }

  udp.on("message", async (octets, from) => {
    const forge = (reply: Uint8Array) => other.send(reply, from.port, from.address);
    for (const reply of await answer(octets, "udp", forge)) udp.send(reply, from.port, from.address);
  });
  tcp.on("connection", (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
    let received = Buffer.alloc(0);
    socket.on("data", async (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const octets = received.subarray(2, 2 + received.readUInt16BE(0));
      received = received.subarray(2 + octets.length);
      for (const reply of await answer(octets, "tcp", () => {})) {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(reply.length);
        socket.write(Buffer.concat([length, reply]));
      }
    });
  });

  return {
    port,
    queries,
    async stop() {
      open.forEach((socket) => socket.destroy());
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => other.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ]);
    },
  };
}

function isEntry(entry: readonly RecordData[] | ZoneEntry): entry is ZoneEntry {
  return !Array.isArray(entry);
}

function encodeReply(table: ReadonlyMap<string, ZoneEntry>, query: Required<Packet>, over: "udp" | "tcp"): Uint8Array {
  const { name, type } = query.questions[0]!;
  const entry = table.get(`${name.toLowerCase()} ${type}`);
  const { answers, rcode } = findAnswers(table, name, type);
  const hasEdns = query.additionals.some((record) => record.type === "OPT");
  const code = entry?.refusesEdns === true && hasEdns ? 1 : entry?.rcode ?? rcode;
  const isCut = entry?.truncated === true && over === "udp";
  const flags = dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | code |
    (isCut ? dnsPacket.TRUNCATED_RESPONSE : 0) | (entry?.authenticated === true ? dnsPacket.AUTHENTIC_DATA : 0);
  const isComplete = answers.length > 0 && answers.at(-1)!.type === type;
  const isNo = !isComplete && entry?.leavesAlias !== true && (code === 0 || code === 3);
  const given = isCut || code === 1 ? [] : answers;
  const reply = dnsPacket.encode({
    type: "response",
    id: query.id,
    flags,
    questions: query.questions,
    answers: given,
    authorities: isNo && !isCut ? [soa] : [],
  });
  if (entry?.raw === undefined) return reply;
  const header = dnsPacket.encode({ type: "response", id: query.id, flags, questions: query.questions });
  header.writeUInt16BE(entry.raw.answers, 6);
  return Buffer.concat([header, entry.raw.octets]);
}

const soa: Answer = {
  name: "example",
  type: "SOA",
  ttl: negativeSeconds,
  data: {
    mname: "ns.example",
    rname: "hostmaster.example",
    serial: 1,
    refresh: 1,
    retry: 1,
    expire: 1,
    minimum: negativeSeconds,
  },
};

function findAnswers(
  table: ReadonlyMap<string, ZoneEntry>,
  name: string,
  type: string,
): { answers: Answer[]; rcode: number } {
  const answers: Answer[] = [];
  const leavesAlias = table.get(`${name.toLowerCase()} ${type}`)?.leavesAlias === true;
  let owner = name.toLowerCase();
  for (let hops = 0; hops < 32; hops++) {
    const entry = table.get(`${owner} ${type}`);
    if (entry?.records !== undefined) {
      answers.push(...toAnswers(owner, type, entry));
      return { answers, rcode: 0 };
    }
    const alias = table.get(`${owner} CNAME`);
    const target = alias?.records?.[0];
    if (alias === undefined || typeof target !== "string") break;
    answers.push(...toAnswers(owner, "CNAME", alias));
    if (leavesAlias) return { answers, rcode: 0 };
    owner = target.toLowerCase();
  }
  const exists = [...table.keys()].some((key) => key.startsWith(`${owner} `));
  return { answers, rcode: exists ? 0 : 3 };
}

function toAnswers(name: string, type: string, entry: ZoneEntry): Answer[] {
  const ttl = entry.ttlSeconds ?? defaultTtlSeconds;
  return (entry.records ?? []).map((data) => ({ name, type, ttl, data: type === "TXT" ? texts(data) : data }));
}

function texts(data: RecordData): Buffer[] {
  return (Array.isArray(data) ? data : [data]).map((text) => Buffer.from(text as string, "latin1"));
}

async function bindBoth(port: number): Promise<{ udp: UdpSocket; tcp: Server; port: number }> {
  for (;;) {
    const udp = await bindUdp(port);
    const chosen = udp.address().port;
    const tcp = createServer();
    const free = await new Promise<boolean>((resolve, reject) => {
      tcp.once(
        "error",
        (error: NodeJS.ErrnoException) => error.code === "EADDRINUSE" && port === 0 ? resolve(false) : reject(error),
      );
      tcp.listen({ port: chosen, host: "127.0.0.1" }, () => resolve(true));
    });
    if (free) return { udp, tcp, port: (tcp.address() as AddressInfo).port };
    udp.close();
  }
}

function bindUdp(port: number): Promise<UdpSocket> {
  const socket = createSocket("udp4");
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address: "127.0.0.1", port, exclusive: true }, () => resolve(socket));
  });
}
