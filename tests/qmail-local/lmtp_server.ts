/**
 * An LMTP server of the test's on a Unix socket: each connection is a story that the test tells.
 * @module
 */
import { fromOctets, toOctets } from "../../components/lib/octets.ts";

/** One connection, seen from the server. */
export interface Caller {
  /** Writes, an octet string; what the client does not read any more is lost. */
  send(text: string): Promise<void>;
  /** The next line without its end; undefined when the client has closed. */
  line(): Promise<string | undefined>;
  /** Content up to the lone dot, as it travels and without that dot; undefined when the client has closed before it. */
  content(): Promise<string | undefined>;
  /** Settles when the server is stopped. */
  readonly stopped: Promise<void>;
}

export type Story = (caller: Caller) => Promise<void>;

export interface LmtpServer extends AsyncDisposable {
  /** Connections so far. */
  readonly connections: number;
}

/** `stories` are those of the connections in their order, the last of them also of all that follow. */
export function serveLmtp(path: string, ...stories: readonly [Story, ...Story[]]): LmtpServer {
  const listener = Deno.listen({ transport: "unix", path });
  const open = new Set<Deno.UnixConn>();
  const telling = new Set<Promise<void>>();
  const stopped = Promise.withResolvers<void>();
  let [connections, isStopped] = [0, false];
  const serving = (async () => {
    for await (const connection of listener) {
      const story = stories[Math.min(connections++, stories.length - 1)]!;
      open.add(connection);
      const told = story(callerOn(connection, stopped.promise)).catch(() => {}).finally(() => {
        telling.delete(told);
        if (open.delete(connection)) connection.close();
      });
      telling.add(told);
    }
  })().catch(() => {});
  return {
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      stopped.resolve();
      if (!isStopped) listener.close();
      isStopped = true;
      for (const connection of open) connection.close();
      open.clear();
      await Promise.all([serving, ...telling]);
    },
  };
}

function callerOn(connection: Deno.UnixConn, stopped: Promise<void>): Caller {
  let held = "";
  const upTo = async (mark: string): Promise<string | undefined> => {
    const buffer = new Uint8Array(65_536);
    for (let from = 0;;) {
      const at = held.indexOf(mark, from);
      if (at >= 0) {
        const text = held.slice(0, at);
        held = held.slice(at + mark.length);
        return text;
      }
      from = Math.max(0, held.length - mark.length);
      const count = await connection.read(buffer);
      if (count === null) return undefined;
      held += fromOctets(buffer.subarray(0, count));
    }
  };
  return {
    stopped,
    send: async (text) => {
      const octets = toOctets(text);
      for (let at = 0; at < octets.length;) at += await connection.write(octets.subarray(at));
    },
    line: () => upTo("\r\n"),
    content: async () => {
      held = `\r\n${held}`;
      return (await upTo("\r\n.\r\n"))?.slice(2).concat("\r\n");
    },
  };
}

export interface Taken {
  readonly sender: string;
  readonly recipient: string;
  readonly content: string;
}

export interface GoodOptions {
  /** Behind the name, in the reply to LHLO. */
  readonly features?: readonly string[];
  /** What RCPT, and the content, are answered with. */
  readonly rcpt?: (recipient: string) => string;
  readonly stored?: (taken: Taken) => string | Promise<string>;
}

/** A server as RFC 2033 has it; what it takes goes into `taken`. */
export function goodStory(taken: Taken[], options: GoodOptions = {}): Story {
  const { features = ["PIPELINING", "8BITMIME", "SIZE"], rcpt = () => "250 ok", stored = () => "250 2.0.0 stored" } =
    options;
  return async ({ send, line, content }) => {
    await send("220 test LMTP\r\n");
    let [sender, recipients] = ["", [] as string[]];
    for (let command = await line(); command !== undefined; command = await line()) {
      const [, verb, rest = ""] = /^(LHLO|MAIL FROM:|RCPT TO:|DATA|RSET|QUIT)(.*)$/.exec(command) ?? [];
      switch (verb) {
        case "LHLO":
          await send(
            ["test", ...features].map((word, at) => `250${at < features.length ? "-" : " "}${word}\r\n`).join(""),
          );
          break;
        case "MAIL FROM:":
          sender = rest;
          await send("250 ok\r\n");
          break;
        case "RCPT TO:": {
          const reply = rcpt(rest);
          if (reply.startsWith("2")) recipients.push(rest);
          await send(`${reply}\r\n`);
          break;
        }
        case "RSET":
          recipients = [];
          await send("250 ok\r\n");
          break;
        case "DATA": {
          if (recipients.length === 0) {
            await send("503 5.5.1 no recipients\r\n");
            break;
          }
          await send("354 go\r\n");
          const text = await content();
          if (text === undefined) return;
          for (const recipient of recipients) {
            const one = { sender, recipient, content: text };
            const reply = await stored(one);
            if (reply.startsWith("2")) taken.push(one);
            await send(`${reply}\r\n`);
          }
          recipients = [];
          break;
        }
        case "QUIT":
          return await send("221 bye\r\n");
        default:
          await send("500 what?\r\n");
      }
    }
  };
}
