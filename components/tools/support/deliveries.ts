/**
 * What dot-forward and fastforward do with a message once they know where it goes: programs and files in their order, then
 * all addresses in one queue run, as qmail-local does. The first that fails ends it.
 * @module
 */
import { Buffer } from "node:buffer";
import { fromOctets, toOctets } from "../../lib/octets.ts";
import { FromQuoter } from "../../lib/message/mbox_lines.ts";
import { type Caller, Ending, requireVariable, variable } from "./caller.ts";
import { type Exit, runFed, shell, shellArguments } from "./child.ts";
import { behind, type Message, openMessage } from "./message.ts";
import { queueMail } from "./queue_mail.ts";

export type Step =
  /** For a shell; `withLines`: UFLINE, RPLINE and DTLINE come in front of the message. */
  | { readonly kind: "program"; readonly command: string; readonly withLines: boolean }
  /** An mbox file. */
  | { readonly kind: "file"; readonly path: string };

export interface Plan {
  readonly steps: readonly Step[];
  readonly sender: string;
  readonly recipients: readonly string[];
}

/** Carries it out. Throws an {@link Ending} for the first that fails. */
export async function carryOut(name: string, caller: Caller, { steps, sender, recipients }: Plan): Promise<void> {
  const message = await openMessage();
  for (const step of steps) {
    if (step.kind === "program") await runStep(caller, message, step);
    else await appendTo(caller, message, step.path);
  }
  if (recipients.length === 0) return;
  const dtline = requireVariable(caller, "DTLINE");
  await queueMail(name, caller, { sender, recipients }, behind(dtline, message.read()));
}

/** Exit codes of a program that no later attempt would change (those of qmail-local). */
const permanent = new Set([100, 64, 65, 70, 76, 77, 78, 112]);

/** What a program's end means: nothing where it is done (99 is qmail's word for that, too). */
export function programEnding(exit: Exit): Ending | undefined {
  if (exit === 0 || exit === 99) return undefined;
  if (exit === undefined) return new Ending(111, "child crashed");
  return permanent.has(exit) ? new Ending(100, "program failed") : new Ending(111, "program to be tried again");
}

const lineNames = ["UFLINE", "RPLINE", "DTLINE"] as const;

async function runStep(
  caller: Caller,
  message: Message,
  { command, withLines }: Step & { kind: "program" },
): Promise<void> {
  const front = withLines ? lineNames.map((name) => variable(caller, name) ?? "").join("") : "";
  const ending = programEnding(await message.feed(caller, [shell, "-c", command], front));
  if (ending !== undefined) throw ending;
}

/**
 * Appends its input to the mbox file $1 under its lock, or leaves it as it was. It is opened once, and all is done with
 * what is open.
 */
const append = `
umask 077
# To open a FIFO is to wait for a reader.
[ -p "$1" ] && exit 111
exec 9>>"$1" || exit 111
/usr/bin/flock -w 30 9 || exit 111
[ -f /proc/self/fd/9 ] || exec /bin/cat >&9
size=$(/usr/bin/stat -L -c %s /proc/self/fd/9) || exit 111
/bin/cat >&9 && /bin/sync /proc/self/fd/9 && exit 0
/usr/bin/truncate -s "$size" /proc/self/fd/9
exit 111
`;

async function appendTo(caller: Caller, message: Message, path: string): Promise<void> {
  const front = lineNames.map((name) => requireVariable(caller, name)).join("");
  const exit = await runFed({ ...caller, environment: [] }, [shell, "-c", append, "sh", path], mbox(front, message));
  if (exit !== 0) throw new Ending(111, `unable to write ${path}`);
}

async function* mbox(front: string, message: Message): AsyncGenerator<Uint8Array, void, undefined> {
  yield toOctets(front);
  const quoter = new FromQuoter();
  for await (const piece of message.read()) yield* quoter.push(piece);
  yield* quoter.finish();
}

/**
 * A file's octets, read by the shell for a tool that may start one; undefined where there is none of that name. Throws an
 * {@link Ending} (111) for one that cannot be read.
 */
export async function readByShell(path: string): Promise<string | undefined> {
  const script = '[ -e "$1" ] || exit 100; exec /bin/cat -- "$1"';
  const args = shellArguments([], [shell, "-c", script, "sh", path]);
  const { code, stdout } = await new Deno.Command(shell, { args, clearEnv: true, stdin: "null", stderr: "inherit" })
    .output();
  if (code === 100) return undefined;
  if (code !== 0) throw new Ending(111, `unable to read ${path}`);
  return fromOctets(Buffer.from(stdout));
}
