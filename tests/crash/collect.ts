/**
 * Gathers what arrived: at the other host as it comes, in the Maildirs once everything is stopped.
 * @module
 */
import { fromOctets } from "../../components/lib/octets.ts";
import type { Home } from "../../config/home.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp_sink.ts";
import { parseMaildirFile, parseTaken } from "./arrivals.ts";
import { isRefused, mailboxes, timesDeferred } from "./load.ts";
import type { Arrival } from "./oracle.ts";

function maildirs(home: Home, part: "new" | "tmp"): string[] {
  return mailboxes.map((name) => home.mail("localhost", name, "Maildir", part));
}

function* filesIn(dirs: readonly string[]): Generator<string, void, undefined> {
  for (const dir of dirs) {
    for (const { name } of Deno.readDirSync(dir)) yield `${dir}/${name}`;
  }
}

/** The local deliveries. */
export function* readMaildirs(home: Home): Generator<Arrival, void, undefined> {
  for (const path of filesIn(maildirs(home, "new"))) {
    const writtenMs = Deno.statSync(path).mtime!.getTime();
    yield parseMaildirFile(fromOctets(Deno.readFileSync(path)), writtenMs);
  }
}

/** Removes what was delivered, and what was begun and never ended; answers how many of the latter there were. */
export function emptyMaildirs(home: Home): number {
  for (const path of filesIn(maildirs(home, "new"))) Deno.removeSync(path);
  const begun = [...filesIn(maildirs(home, "tmp"))];
  for (const path of begun) Deno.removeSync(path);
  return begun.length;
}

interface Book {
  arrivals: Arrival[];
  /** How often each recipient was deferred. */
  readonly deferrals: Map<string, number>;
}

/** The other host: refuses and defers as the recipients' names say, and keeps of each mail only what is compared. */
export class OtherHost implements AsyncDisposable {
  readonly #sink: SmtpSink;
  readonly #book: Book;

  private constructor(sink: SmtpSink, book: Book) {
    this.#sink = sink;
    this.#book = book;
  }

  static async start(): Promise<OtherHost> {
    const book: Book = { arrivals: [], deferrals: new Map() };
    const sink = await startSmtpSink("127.0.0.1", {
      codeFor: (recipient) => {
        if (isRefused(recipient)) return 550;
        const before = book.deferrals.get(recipient) ?? 0;
        if (before >= timesDeferred(recipient)) return 250;
        book.deferrals.set(recipient, before + 1);
        return 451;
      },
      onMail: (mail) => book.arrivals.push(...parseTaken(mail, Date.now())),
    });
    return new OtherHost(sink, book);
  }

  get port(): number {
    return this.#sink.port;
  }

  get arrivals(): readonly Arrival[] {
    return this.#book.arrivals;
  }

  /** All that arrived is verified. */
  forget(): void {
    this.#book.arrivals = [];
    this.#book.deferrals.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sink[Symbol.asyncDispose]();
  }
}
