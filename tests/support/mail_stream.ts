/**
 * A stream of numbered messages over several connections to a server that may die at any moment: tells which of them were
 * answered 250. A message without an answer is sent again under another number; a refusal (4yz) too.
 * @module
 */
import net from "node:net";

export interface StreamOptions {
  readonly port: number;
  readonly connections: number;
  /** Recipient of the message with this number. */
  readonly recipient: (number: number) => string;
  /** Octets of the body. */
  readonly size: number;
}

export interface MailStream {
  /** Sends no more, and settles when the last message is answered. */
  stop(): Promise<void>;
  /** Numbers of the messages answered 250, so far. */
  readonly accepted: ReadonlySet<number>;
}

/** One connection's dialogue: replies in order, or a rejection when it breaks. */
class Dialogue {
  readonly #socket: net.Socket;
  readonly #replies: string[] = [];
  #held = "";
  #waiting: { resolve: (reply: string) => void; reject: (error: Error) => void } | undefined;
  #broken: Error | undefined;

  constructor(port: number) {
    this.#socket = net.connect(port, "127.0.0.1");
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (chunk: Uint8Array) => this.#take(new TextDecoder("latin1").decode(chunk)));
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => this.#break());
  }

  #take(text: string): void {
    this.#held += text;
    for (let end = this.#held.indexOf("\r\n"); end >= 0; end = this.#held.indexOf("\r\n")) {
      const line = this.#held.slice(0, end);
      this.#held = this.#held.slice(end + 2);
      if (line[3] === "-") continue;
      if (this.#waiting === undefined) this.#replies.push(line);
      else this.#waiting.resolve(line);
      this.#waiting = undefined;
    }
  }

  #break(): void {
    this.#broken = new Error("the connection broke");
    this.#waiting?.reject(this.#broken);
  }

  reply(): Promise<string> {
    const ready = this.#replies.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => this.#waiting = { resolve, reject });
  }

  say(text: string): Promise<string> {
    this.#socket.write(text);
    return this.reply();
  }

  end(): void {
    this.#socket.destroy();
  }
}

/** Whether the server took it; throws when the connection breaks before it said so. */
async function sendOne(dialogue: Dialogue, number: number, options: StreamOptions): Promise<boolean> {
  if (!(await dialogue.say("MAIL FROM:<>\r\n")).startsWith("250")) return await reset(dialogue);
  if (!(await dialogue.say(`RCPT TO:<${options.recipient(number)}>\r\n`)).startsWith("250")) {
    return await reset(dialogue);
  }
  if (!(await dialogue.say("DATA\r\n")).startsWith("354")) return await reset(dialogue);
  const body = "x".repeat(70).concat("\r\n").repeat(Math.ceil(options.size / 72));
  return (await dialogue.say(`X-Number: ${number}\r\nSubject: survival\r\n\r\n${body}.\r\n`)).startsWith("250");
}

async function reset(dialogue: Dialogue): Promise<false> {
  await dialogue.say("RSET\r\n");
  return false;
}

/** Starts the stream. */
export function startMailStream(options: StreamOptions): MailStream {
  const accepted = new Set<number>();
  let last = 0;
  let stopped = false;
  const worker = async () => {
    let dialogue: Dialogue | undefined;
    while (!stopped) {
      try {
        if (dialogue === undefined) {
          dialogue = new Dialogue(options.port);
          await dialogue.reply();
          await dialogue.say("EHLO stream.example\r\n");
        }
        const number = ++last;
        if (await sendOne(dialogue, number, options)) accepted.add(number);
      } catch {
        // It died: nobody knows what became of this number. Go on with another.
        dialogue?.end();
        dialogue = undefined;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    dialogue?.end();
  };
  const workers = Array.from({ length: options.connections }, worker);
  return {
    accepted,
    stop: async () => {
      stopped = true;
      await Promise.all(workers);
    },
  };
}
