/**
 * qmail-pop3d's shell for virtual mailboxes: sessions on its socket, one for each connection.
 * @module
 */
import { describeError, log, logEvent } from "../lib/log/log.ts";
import { breathe } from "../lib/process/breathe.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { Client } from "../lib/wire/client.ts";
import { parsePop3Request, type Pop3Request } from "../lib/wire/pop3_protocol.ts";
import type { Pipe } from "../lib/wire/pipe.ts";
import { ProtocolError, serveUnix } from "../lib/wire/server.ts";
import { Conversation } from "./conversation.ts";
import { KnownMaildirs } from "./known_maildirs.ts";
import { type OpeningOptions, openMailbox } from "./opening.ts";

/** So long others may be away, for they may just be restarted. */
const connectMs = 5000;
/** How long sessions that are at their QUIT may go on after a stop. */
const stopMs = 400;

export function run({ home }: Start): Running {
  const tickets = new Client(home.socket("auth-tickets"), { connectMs });
  const getpw = new Client(home.socket("qmail-getpw"), { connectMs });
  const options: OpeningOptions = { home, tickets, getpw, known: new KnownMaildirs(), nowMs: Date.now, breathe };
  const conversations = new Map<Pipe, Conversation>();
  const busy = new Set<Promise<void>>();

  const take = async (request: Pop3Request, pipe: Pipe): Promise<void> => {
    const talk = conversations.get(pipe) ?? new Conversation();
    conversations.set(pipe, talk);
    const { head, body } = request.op === "open"
      ? await talk.open(() => openMailbox(request.ticket, options))
      : await talk.answer(request);
    pipe.send({ ...head, id: request.id }, body);
    // Who asks on without reading what came is not read either.
    await pipe.drained();
  };

  const server = serveUnix(home.socket("qmail-pop3d"), {
    keepsSessions: true,
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
      void talk?.end();
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
