/**
 * Which messages a command is for.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import { parseQueueId } from "../../components/lib/queue/layout.ts";
import { err, ok, type Result } from "../../components/lib/result.ts";
import { parseFindReply, type Selection } from "../../components/lib/wire/control_protocol.ts";
import { askSend } from "./ask_send.ts";

export type Wanted =
  | { readonly kind: "ids"; readonly ids: readonly number[] }
  | { readonly kind: "selection"; readonly selection: Selection };

/** Addresses are octets in the queue. */
function octetsOf(text: unknown): string | undefined {
  return text === undefined ? undefined : fromOctets(new TextEncoder().encode(String(text)));
}

/** Reads the words and options of a command line. Errors: what is missing or too much. */
export function parseWanted(
  words: readonly string[],
  options: Readonly<Record<string, unknown>>,
): Result<Wanted, string> {
  const selection = { sender: octetsOf(options["from"]), domain: octetsOf(options["to"]) };
  const all = options["all"] === true;
  const some = selection.sender !== undefined || selection.domain !== undefined;
  if (words.length === 0 && !all && !some) return err("say which messages: their numbers, --all, --to or --from");
  if (all && some) return err("--all and --to or --from together: say one of them");
  if (words.length > 0 && (all || some)) return err(`${words[0]} and --all, --to or --from together: say one of them`);
  if (selection.domain === "") return err("--to wants a domain");
  if (all || some) return ok({ kind: "selection", selection });
  const ids = words.map((word) => ({ word, id: parseQueueId(word.replace(/^#/, "")) }));
  const wrong = ids.find(({ id }) => id === undefined);
  if (wrong !== undefined) return err(`${JSON.stringify(wrong.word)} is no message's number`);
  return ok({ kind: "ids", ids: [...new Set(ids.map(({ id }) => id!))] });
}

/** The messages that are meant, some at a time and each once. */
export async function* messagesOf(home: Home, wanted: Wanted): AsyncGenerator<readonly number[], void, undefined> {
  if (wanted.kind === "ids") return yield wanted.ids;
  const told = new Set<number>();
  for (let part = 0, parts = 1; part < parts; part++) {
    const reply = parseFindReply(await askSend(home, { op: "find", part, ...wanted.selection }));
    parts = reply.parts;
    const fresh = [...new Set(reply.messages)].filter((id) => !told.has(id));
    for (const id of fresh) told.add(id);
    if (fresh.length > 0) yield fresh;
  }
}
