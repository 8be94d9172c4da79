/**
 * qmail-pop3d's shell: sessions on its socket, one for each connection.
 * @module
 */
import { describeError, log, logEvent } from "../lib/log/log.ts";
import { breathe } from "../lib/process/breathe.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { Client } from "../lib/wire/client.ts";
import { parsePop3Request, type Piece, type Pop3Request } from "../lib/wire/pop3_protocol.ts";
import type { Pipe } from "../lib/wire/pipe.ts";
import { ProtocolError, serveUnix } from "../lib/wire/server.ts";
import { KnownMaildirs } from "./known_maildirs.ts";
import { type OpeningOptions, openMailbox } from "./opening.ts";
import type { Session } from "./session.ts";

/** So long others may be away, for they may just be restarted. */
const connectMs = 5000;
/** How long sessions that are at their QUIT may go on after a stop. */
const stopMs = 400;

/** What stands between two frames of one connection. */
interface Conversation {
  session?: Session;
  /** An answer with more to come. */
  answer?: AsyncGenerator<Piece, void, undefined>;
}

export function run({ home }: Start): Running {
  const tickets = new Client(home.socket("auth-tickets"), { connectMs });
  const getpw = new Client(home.socket("qmail-getpw"), { connectMs });
  const options: OpeningOptions = { home, tickets, getpw, known: new KnownMaildirs(), nowMs: Date.now, breathe };
  const conversations = new Map<Pipe, Conversation>();
  const busy = new Set<Promise<void>>();

  const open = async (ticket: string, id: number, pipe: Pipe): Promise<void> => {
    const talk: Conversation = {};
    conversations.set(pipe, talk);
    const opened = await openMailbox(ticket, options);
    if (opened.kind === "refused") return pipe.send({ id, kind: "refused", reason: opened.reason });
    talk.session = opened.session;
    pipe.send({ id, kind: "opened", count: opened.session.count, bytes: opened.session.remainingBytes });
  };
  const give = async (talk: Conversation, id: number, pipe: Pipe): Promise<void> => {
    const next = await talk.answer!.next();
    if (next.done === true) throw new Error("an answer without an end");
    const { octets, last, ends } = next.value;
    // What the generator holds open is closed with it.
    if (last) await endAnswer(talk);
    pipe.send({ id, kind: "piece", last, ends }, octets);
  };
  const take = async (request: Pop3Request, pipe: Pipe): Promise<void> => {
    const talk = conversations.get(pipe);
    if (request.op === "open") {
      if (talk !== undefined) throw new ProtocolError("a second mailbox in one session");
      return await open(request.ticket, request.id, pipe);
    }
    if (talk?.session === undefined) throw new ProtocolError("a command without a mailbox");
    if (request.op === "command") {
      if (talk.answer !== undefined) throw new ProtocolError("a command before the last one was answered");
      talk.answer = talk.session.answer(request.line);
    } else if (talk.answer === undefined) {
      throw new ProtocolError("more of no answer");
    }
    await give(talk, request.id, pipe);
  };

  const server = serveUnix(home.socket("qmail-pop3d"), {
    onFrame: (frame, pipe) => {
      const taken = take(parsePop3Request(frame), pipe).catch((error) => {
        if (error instanceof ProtocolError) throw error;
        // A disk that fails, or a bug: it costs the one session that met it.
        log(`alert: session broken off: ${describeError(error)}`);
        pipe.close();
      });
      const done = taken.catch(() => {}).finally(() => busy.delete(done));
      busy.add(done);
      return taken;
    },
    onClose: (pipe) => {
      const talk = conversations.get(pipe);
      conversations.delete(pipe);
      if (talk !== undefined) void endAnswer(talk);
    },
    onError: (error) => logEvent("garbage", { socket: "qmail-pop3d", reason: describeError(error) }),
  });
  return {
    stop: async () => {
      server.stop();
      const limit = Promise.withResolvers<void>();
      const timer = setTimeout(limit.resolve, stopMs);
      await Promise.race([Promise.all(busy), limit.promise]);
      clearTimeout(timer);
      server.closeAll();
      for (const client of [tickets, getpw]) client.close();
    },
  };
}

async function endAnswer(talk: Conversation): Promise<void> {
  const { answer } = talk;
  delete talk.answer;
  await answer?.return();
}
