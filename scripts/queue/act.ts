/**
 * `deno task queue retry|hold|release|expire|delete`: has qmail-send do it, and says for each message what was done.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { print } from "../../components/lib/process/tool.ts";
import {
  type Action,
  type ActionResult,
  mostAtOnce,
  parseActionReply,
} from "../../components/lib/wire/control_protocol.ts";
import { askSend } from "./ask_send.ts";
import { messagesOf, type Wanted } from "./select.ts";

function* chunks(ids: readonly number[]): Generator<readonly number[], void, undefined> {
  for (let at = 0; at < ids.length; at += mostAtOnce) yield ids.slice(at, at + mostAtOnce);
}

function formatResult({ message, done, detail }: ActionResult): string {
  return `${message}: ${done ? "" : "not done: "}${detail}\n`;
}

/** Exit code 1 where something was not done. */
export async function act(home: Home, action: Action, wanted: Wanted, json: boolean): Promise<void> {
  let first = true;
  for await (const found of messagesOf(home, wanted)) {
    for (const messages of chunks(found)) {
      const all = parseActionReply(await askSend(home, { op: action, messages }));
      // What ended between being found and being asked for was not asked for by name.
      const results = all.filter(({ done, gone }) => wanted.kind === "ids" || done || !gone);
      if (results.some(({ done }) => !done)) Deno.exitCode = 1;
      if (!json) await print(results.map(formatResult));
      else {
        const lines = results.map(({ message, done, detail }) => JSON.stringify({ message, done, detail }));
        if (lines.length > 0) await print([first ? "[\n" : ",\n", lines.join(",\n")]);
        first &&= lines.length === 0;
      }
    }
  }
  if (json) await print([first ? "[]\n" : "\n]\n"]);
}
