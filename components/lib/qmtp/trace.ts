/**
 * The Received field of a QMTP or QMQP server. Neither protocol has the client tell its name.
 * @module
 */
import { smtpReceived } from "../message/received.ts";
import { toOctets } from "../octets.ts";

export interface Arrived {
  readonly protocol: "QMTP" | "QMQP";
  /** The client's address. */
  readonly ip: string;
  /** control/me. */
  readonly me: string;
  /** Of an encrypted channel, as "TLSv1.3 TLS_AES_128_GCM_SHA256". */
  readonly tls?: string | undefined;
  /** Lines that rules want at the top, without line ends. */
  readonly header?: readonly string[] | undefined;
}

/** What goes in front of the message. */
export function topOf({ protocol, ip, me, tls, header = [] }: Arrived, unixMs: number): Uint8Array {
  const received = smtpReceived({ helo: "", remoteIp: ip, by: me, protocol, tls, unixSeconds: unixMs / 1000 });
  return toOctets(received + header.map((line) => `${line}\n`).join(""));
}
