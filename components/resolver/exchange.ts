/**
 * Sends one query and waits for its answer: over UDP from a socket of its own, so that each query has a fresh random
 * source port besides its random id (RFC 5452), or over TCP (RFC 7766).
 * @module
 */
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { describeError } from "../lib/log/log.ts";
import type { Ask, Exchanged } from "./lookup.ts";
import { isFrom, localEndOf } from "./name_servers.ts";
import { encodeQuery, parseResponse } from "./packet.ts";

/** So many wrong answers to one query are somebody guessing: then TCP, where guessing does not help. */
const mostGuesses = 16;

/** Never rejects. */
export function exchange(ask: Ask): Promise<Exchanged> {
  return new Promise((resolve) => (ask.over === "udp" ? askOverUdp : askOverTcp)(ask, resolve));
}

function randomId(): number {
  return crypto.getRandomValues(new Uint16Array(1))[0]!;
}

/** Reads an answer; `undefined`: not this one. */
function readAnswer(octets: Uint8Array, id: number, ask: Ask): Exchanged | undefined {
  const parsed = parseResponse(octets, id, ask.question);
  switch (parsed.kind) {
    case "response":
    case "truncated":
      return parsed;
    case "malformed":
      return { kind: "failed", why: "an answer that cannot be read" };
    case "other":
      return undefined;
  }
}

function askOverUdp(ask: Ask, resolve: (exchanged: Exchanged) => void): void {
  const id = randomId();
  const { server } = ask;
  const socket = createSocket(server.host.includes(":") ? "udp6" : "udp4");
  let ended = false;
  let guesses = 0;
  const end = (exchanged: Exchanged) => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    socket.close();
    resolve(exchanged);
  };
  const timer = setTimeout(() => end({ kind: "silent" }), ask.timeoutMs);
  socket.on("error", (error) => end({ kind: "failed", why: describeError(error) }));
  socket.on("message", (octets, from) => {
    if (!isFrom(server, from.address, from.port)) return;
    const answer = readAnswer(octets, id, ask);
    if (answer !== undefined) end(answer);
    else if (++guesses >= mostGuesses) end({ kind: "truncated" });
  });
  const local = localEndOf(server);
  socket.bind({ address: local.host, port: local.port, exclusive: true }, () => {
    if (ended) return;
    socket.send(encodeQuery(id, ask.question, ask.edns), server.port, server.host, (error) => {
      if (error) end({ kind: "failed", why: describeError(error) });
    });
  });
}

function askOverTcp(ask: Ask, resolve: (exchanged: Exchanged) => void): void {
  const id = randomId();
  const socket = connect({ host: ask.server.host, port: ask.server.port, noDelay: true });
  let received = Buffer.alloc(0);
  let ended = false;
  const end = (exchanged: Exchanged) => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    socket.destroy();
    resolve(exchanged);
  };
  const timer = setTimeout(() => end({ kind: "silent" }), ask.timeoutMs);
  socket.on("error", (error) => end({ kind: "failed", why: describeError(error) }));
  socket.on("close", () => end({ kind: "failed", why: "the connection ended before the answer" }));
  socket.on("connect", () => {
    const query = encodeQuery(id, ask.question, ask.edns);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
  });
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
    const answer = readAnswer(received.subarray(2, 2 + received.readUInt16BE(0)), id, ask);
    end(answer ?? { kind: "failed", why: "an answer to another question" });
  });
}
