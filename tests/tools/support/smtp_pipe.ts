/**
 * The client of a `sendmail -bs`: speaks to it through pipes, as mail programs do, and reads only when it is asked to.
 * @module
 */
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import { within } from "../../support/wait.ts";

const limitMs = 20_000;

export class SmtpPipe implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = "";

  constructor(program: string, { args = ["-bs"], env = {} }: { args?: string[]; env?: Record<string, string> } = {}) {
    const stdio = { stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
    this.#child = new Deno.Command(program, { args, clearEnv: true, env: { PATH: "/usr/bin:/bin", ...env }, ...stdio })
      .spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#writer.closed.catch(() => {});
    this.#reader = this.#child.stdout.getReader();
  }

  /** Writes an octet string; where the program has ended, nothing happens. */
  async send(octets: string): Promise<void> {
    await this.#writer.write(toOctets(octets)).catch(() => {});
  }

  /** The next line without its end; undefined once the program has closed its output. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return line;
      }
      const { value } = await within(this.#reader.read(), limitMs, () => "a reply");
      if (value === undefined) return undefined;
      this.#text += fromOctets(value);
    }
  }

  /** Sends one command and answers the last line of its reply. */
  async say(command: string): Promise<string | undefined> {
    await this.send(`${command}\r\n`);
    return await this.reply();
  }

  /** The last line of the next reply. */
  async reply(): Promise<string | undefined> {
    for (;;) {
      const line = await this.line();
      if (line?.[3] !== "-") return line;
    }
  }

  /** Closes the program's input and answers all that it still says. */
  async finish(): Promise<string[]> {
    await this.#writer.close().catch(() => {});
    const lines: string[] = [];
    for (let line = await this.line(); line !== undefined; line = await this.line()) lines.push(line);
    return lines;
  }

  /** Reads no more. */
  async stopReading(): Promise<void> {
    await this.#reader.cancel();
  }

  /** The exit code, once it has ended. */
  async code(): Promise<number> {
    return (await within(this.#child.status, limitMs, () => "the end of the program")).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#reader.cancel().catch(() => {});
    try {
      // The shell's wait for it ends with it.
      this.#child.kill("SIGTERM");
    } catch {
      // It ended by itself.
    }
    await this.#child.status;
  }
}
