/**
 * How the benchmark talks to its own child processes: one JSON value a line, each request answered by one line. A child
 * ends when its standard input does, so that none outlives the benchmark.
 * @module
 */

/** The lines of a stream of UTF-8, without their line ends. */
export async function* readLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** The child's side: answers every line of standard input, one after the other, until the input ends. */
export async function answerLines(answer: (request: unknown) => Promise<unknown>): Promise<void> {
  for await (const line of readLines(Deno.stdin.readable)) {
    if (line.trim() !== "") console.log(JSON.stringify(await answer(JSON.parse(line))));
  }
}

/** What most of them need, and nothing else: network on loopback. */
const loopbackOnly = ["--no-config", "--allow-net=127.0.0.0/8"];

/** The parent's side: one module of this folder in a process of its own, with what `flags` allow it. */
export class Child<Request, Answer> implements AsyncDisposable {
  readonly #name: string;
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string>;
  readonly #requests: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;

  constructor(file: string, flags: readonly string[] = loopbackOnly) {
    const path = new URL(file, import.meta.url).pathname;
    this.#name = file;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", ...flags, decodeURIComponent(path)],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = readLines(this.#process.stdout);
    this.#requests = this.#process.stdin.getWriter();
  }

  /** Sends one request and waits for its answer. Rejects when the child ends first. */
  async ask(request: Request): Promise<Answer> {
    await this.#requests.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`));
    const line = await this.#lines.next();
    if (line.done) throw new Error(`Cannot go on: ${this.#name} ended before it answered`);
    return JSON.parse(line.value);
  }

  /** Lets the child end and waits for that. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#requests.close().catch(() => {}); // already closed when the child ended by itself
    await this.#lines.return(undefined);
    await this.#process.status;
  }
}
