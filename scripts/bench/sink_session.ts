/**
 * The server's side of one SMTP connection of the sink, as a function of the octets that arrive: it says yes to
 * everything, offers PIPELINING and names each message that came whole. The work per message is kept small, because the
 * sink shares the machine with the server that is measured. Knows no sockets; `sink.ts` writes what `feed` answers.
 * @module
 */
import { findNumber, headBytes } from "./payload.ts";

/** One message that came whole. */
export interface Received {
  /** The running number; undefined for a message that is not from the load generator. */
  readonly running: number | undefined;
  readonly recipients: readonly string[];
}

/** What to write back, and which messages ended in these octets. */
export interface Fed {
  readonly replies: string;
  readonly received: readonly Received[];
  /** Whether the client said goodbye. */
  readonly closing: boolean;
}

/** One connection's state; `feed` changes it in place. */
export interface SinkSession {
  inMessage: boolean;
  /** An incomplete command line. */
  line: string;
  /** The last octets of the message so far, where its end may have begun. */
  tail: Uint8Array;
  /** The beginning of the message, where the running number is looked for. */
  head: string;
  recipients: string[];
}

const greeting = "220 sink.example ESMTP\r\n";
const features = "250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n";
const lineEnd = Uint8Array.of(13, 10);
const latin1 = new TextDecoder("latin1");

/** A new connection and the greeting to send on it. */
export function beginSession(): { readonly session: SinkSession; readonly greeting: string } {
  return { session: { inMessage: false, line: "", tail: lineEnd, head: "", recipients: [] }, greeting };
}

/** Takes the next octets of a connection, cut anywhere. */
export function feed(session: SinkSession, chunk: Uint8Array): Fed {
  const received: Received[] = [];
  let replies = "";
  let octets = chunk;
  while (octets.length > 0) {
    if (session.inMessage) {
      const rest = feedMessage(session, octets);
      if (rest === undefined) break;
      received.push({ running: findNumber(session.head), recipients: session.recipients });
      replies += "250 2.0.0 counted\r\n";
      Object.assign(session, { inMessage: false, recipients: [], head: "", tail: lineEnd });
      octets = rest;
      continue;
    }
    const end = octets.indexOf(10);
    session.line += latin1.decode(end < 0 ? octets : octets.subarray(0, end));
    if (end < 0) break;
    octets = octets.subarray(end + 1);
    const line = session.line.endsWith("\r") ? session.line.slice(0, -1) : session.line;
    session.line = "";
    replies += replyTo(session, line);
    if (line.toUpperCase() === "QUIT") return { replies, received, closing: true };
  }
  return { replies, received, closing: false };
}

/** Takes octets of a message; answers what follows its end, or undefined when the end has not come. */
function feedMessage(session: SinkSession, chunk: Uint8Array): Uint8Array | undefined {
  const octets = new Uint8Array(session.tail.length + chunk.length);
  octets.set(session.tail);
  octets.set(chunk, session.tail.length);
  if (session.head.length < headBytes) {
    session.head += latin1.decode(chunk.subarray(0, headBytes - session.head.length));
  }
  for (let dot = octets.indexOf(46); dot >= 0; dot = octets.indexOf(46, dot + 1)) {
    const alone = octets[dot - 2] === 13 && octets[dot - 1] === 10 && octets[dot + 1] === 13 && octets[dot + 2] === 10;
    if (alone) return octets.subarray(dot + 3);
  }
  session.tail = octets.slice(-4);
  return undefined;
}

function replyTo(session: SinkSession, line: string): string {
  switch (line.slice(0, 4).toUpperCase()) {
    case "EHLO":
      return features;
    case "HELO":
    case "NOOP":
      return "250 2.0.0 ok\r\n";
    case "MAIL":
    case "RSET":
      session.recipients = [];
      return "250 2.1.0 ok\r\n";
    case "RCPT":
      session.recipients.push(line.slice(line.indexOf("<") + 1, line.lastIndexOf(">")));
      return "250 2.1.5 ok\r\n";
    case "DATA":
      session.inMessage = true;
      return "354 go on\r\n";
    case "QUIT":
      return "221 2.0.0 bye\r\n";
    default:
      return "502 5.5.1 not here\r\n";
  }
}
