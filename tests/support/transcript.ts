/**
 * Dialogues as text files, played against whatever answers like the server: the pure core, or the process on loopback.
 *
 * ```text
 * # A claim; further # lines name the source or say why
 * ! databytes 20              a setting of the peer's making
 * C: MAIL FROM:<a@b.example>  a line for the server; several in a row leave in one write
 * C> ".\r"                    octets as a JSON string, no line end added
 * S: 250 2.1.0 *              the server's next line; "*" stands for any text
 * S! closed                   the server closes
 * Q: s@s.example | joe@example.com, amy@example.com | "Subject: x\n"    what reached the queue, content's end as JSON
 * ```
 *
 * At the end the client closes its side; a line that no `S:` expected, or a message that no `Q:` names, fails the play.
 * @module
 */
import { assert, assertEquals } from "@std/assert";

export type TranscriptStep =
  | { readonly kind: "send"; readonly octets: string; readonly at: number }
  | { readonly kind: "expect"; readonly pattern: string; readonly at: number }
  | { readonly kind: "closed"; readonly at: number };

/** One message that the dialogue is to leave in the queue. */
export interface ExpectedMessage {
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly ending: string;
}

export interface Transcript {
  readonly file: string;
  readonly claim: string;
  readonly settings: ReadonlyMap<string, string>;
  readonly steps: readonly TranscriptStep[];
  readonly queued: readonly ExpectedMessage[];
}

/** What a dialogue is played against. Text is octet strings. */
export interface Peer {
  send(octets: string): Promise<void>;
  /** The next line without its end; undefined when the server has closed. */
  line(): Promise<string | undefined>;
  /** Closes the client's side and answers what the server still says. */
  finish(): Promise<readonly string[]>;
  queued(): readonly { readonly sender: string; readonly recipients: readonly string[]; readonly content: string }[];
}

/** Reads a transcript; throws on a line that is none of the above. */
export function parseTranscript(file: string, text: string): Transcript {
  const settings = new Map<string, string>();
  const steps: TranscriptStep[] = [];
  const queued: ExpectedMessage[] = [];
  let claim = "";
  const send = (octets: string, at: number) => {
    const last = steps.at(-1);
    if (last?.kind === "send") steps[steps.length - 1] = { ...last, octets: last.octets + octets };
    else steps.push({ kind: "send", octets, at });
  };
  for (const [index, line] of text.split("\n").entries()) {
    const at = index + 1;
    const mark = line.slice(0, 2);
    const rest = line.slice(2).replace(/^ /, "");
    if (line === "") continue;
    else if (mark.startsWith("#")) claim ||= line.slice(1).trim();
    else if (mark === "! ") settings.set(rest.split(" ", 1)[0]!, rest.slice(rest.indexOf(" ") + 1));
    else if (mark === "C:") send(`${rest}\r\n`, at);
    else if (mark === "C>") send(JSON.parse(rest), at);
    else if (mark === "S:") steps.push({ kind: "expect", pattern: rest, at });
    else if (line === "S! closed") steps.push({ kind: "closed", at });
    else if (mark === "Q:") queued.push(parseExpectedMessage(rest));
    else {throw new Error(
        `${file}:${at}: expected "# ", "! ", "C: ", "C> ", "S: ", "S! closed" or "Q: ", got ${JSON.stringify(line)}`,
      );}
  }
  return { file, claim, settings, steps, queued };
}

function parseExpectedMessage(text: string): ExpectedMessage {
  const [sender = "", recipients = "", ...ending] = text.split("|").map((part) => part.trim());
  return { sender, recipients: recipients.split(", "), ending: JSON.parse(ending.join("|")) };
}

/** All transcripts of a folder, in the order of their names. */
export function readTranscripts(dir: string): Transcript[] {
  const files = [...Deno.readDirSync(dir)].map((entry) => entry.name).filter((name) => name.endsWith(".txt")).sort();
  return files.map((file) => parseTranscript(file, Deno.readTextFileSync(`${dir}/${file}`)));
}

/** Plays one transcript; throws at the first thing that is not as written. */
export async function play(transcript: Transcript, peer: Peer): Promise<void> {
  for (const step of transcript.steps) {
    const where = `${transcript.file}:${step.at}`;
    switch (step.kind) {
      case "send":
        await peer.send(step.octets);
        break;
      case "expect": {
        const line = await peer.line();
        assert(
          line !== undefined && matches(step.pattern, line),
          `${where}: expected ${step.pattern}, got ${line ?? "the end"}`,
        );
        break;
      }
      case "closed":
        assertEquals(await peer.line(), undefined, `${where}: expected the server to close`);
        break;
    }
  }
  assertEquals([...await peer.finish()], [], `${transcript.file}: lines that nothing expected`);
  const queued = peer.queued().map(({ sender, recipients }) => ({ sender, recipients: [...recipients] }));
  assertEquals(
    queued,
    transcript.queued.map(({ sender, recipients }) => ({ sender, recipients: [...recipients] })),
    transcript.file,
  );
  for (const [index, { ending }] of transcript.queued.entries()) {
    const { content } = peer.queued()[index]!;
    assert(
      content.endsWith(ending),
      `${transcript.file}: expected content ending in ${JSON.stringify(ending)}, got ${JSON.stringify(content)}`,
    );
  }
}

/** Whether `text` is `pattern`, in which "*" stands for any text. */
function matches(pattern: string, text: string): boolean {
  const [first = "", ...others] = pattern.split("*");
  if (others.length === 0) return text === pattern;
  const last = others.pop()!;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of others) {
    at = text.indexOf(part, at);
    if (at < 0) return false;
    at += part.length;
  }
  return at <= text.length - last.length;
}
