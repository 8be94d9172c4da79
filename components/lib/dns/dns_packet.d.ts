/** The part of the npm package dns-packet that is used here; it comes without types of its own. */
import type { Buffer } from "node:buffer";

interface Codec<T> {
  decode: { (octets: Uint8Array, offset: number): T; bytes: number };
}

export interface Question {
  name: string;
  type: string;
  class?: string;
}

export interface Answer {
  name: string;
  type: string;
  class?: string;
  ttl?: number;
  data?: unknown;
  udpPayloadSize?: number;
  flags?: number;
  options?: unknown[];
}

export interface Packet {
  id?: number;
  type?: "query" | "response";
  flags?: number;
  questions?: Question[];
  answers?: Answer[];
  authorities?: Answer[];
  additionals?: Answer[];
}

declare const dnsPacket: {
  RECURSION_DESIRED: number;
  RECURSION_AVAILABLE: number;
  AUTHORITATIVE_ANSWER: number;
  TRUNCATED_RESPONSE: number;
  AUTHENTIC_DATA: number;
  name: Codec<string>;
  /** The codec of a type's rdata; its offset is that of the length in front. */
  record(type: string): Codec<unknown>;
  encode(packet: Packet): Buffer;
  decode(octets: Uint8Array): Required<Packet>;
};
export default dnsPacket;
