/**
 * qmail-pop3d's shell for the mailboxes of one owner: sessions over standard input and output, each under a number, until
 * the input ends.
 * @module
 */
import { describeError, log } from "../lib/log/log.ts";
import { breathe } from "../lib/process/breathe.ts";
import { Pipe } from "../lib/wire/pipe.ts";
import { type OwnersRequest, parseOwnersRequest } from "../lib/wire/pop3_protocol.ts";
import { Conversation } from "./conversation.ts";
import { KnownMaildirs } from "./known_maildirs.ts";
import { Maildir } from "./maildir.ts";
import { openHome, type OpenHomeOptions } from "./open_home.ts";

export async function runAsOwner(): Promise<void> {
  // Ctrl-C reaches every process of the terminal; this one ends when its input does.
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => {});
  const options: OpenHomeOptions = { known: new KnownMaildirs(), nowMs: Date.now, breathe };
  const conversations = new Map<number, Conversation>();
  const busy = new Set<Promise<void>>();
  const pipe = new Pipe({
    read: (buffer) => Deno.stdin.read(buffer),
    write: (octets) => Deno.stdout.write(octets),
    close: () => {},
  });

  const take = async (request: Exclude<OwnersRequest, { op: "close" }>, talk: Conversation): Promise<void> => {
    const { id, session } = request;
    try {
      const { head, body } = request.op === "open"
        ? await talk.open(() => openHome(request.login, new Maildir(request.home, { staysInHome: false }), options))
        : await talk.answer(request);
      pipe.send({ ...head, id, session }, body);
    } catch (error) {
      // A disk that fails, or a bug: it costs the one session that met it.
      log(`alert: session broken off: ${describeError(error)}`);
      conversations.delete(session);
      await talk.end();
      pipe.send({ kind: "closed", session });
    }
  };

  for await (const frame of pipe.frames()) {
    const request = parseOwnersRequest(frame);
    const talk = conversations.get(request.session) ?? new Conversation();
    if (request.op === "close") {
      conversations.delete(request.session);
      void talk.end();
      continue;
    }
    conversations.set(request.session, talk);
    const done = take(request, talk).finally(() => busy.delete(done));
    busy.add(done);
  }
  // A QUIT that has begun is carried out to its end.
  await Promise.all(busy);
}
