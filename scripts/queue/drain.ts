/**
 * `deno task queue drain`: the journal emptied into qmail's layout. On a running system qmail-send is asked for it, on a
 * stopped one it is done here.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { print } from "../../components/lib/process/tool.ts";
import { ask, NoAnswer } from "../../components/lib/wire/ask.ts";
import { parseDrainReply } from "../../components/lib/wire/control_protocol.ts";
import * as field from "../../components/lib/wire/fields.ts";
import { inWords } from "../cli/called.ts";
import { showProgress } from "../cli/progress.ts";
import { askSend, sendRuns } from "./ask_send.ts";
import { drainStopped } from "./drain_stopped.ts";
import { queueRuns } from "./running.ts";

/** Between two looks at how far it is. */
const pollMs = 200;
/** What was on its way into the journal, or had to wait for a message of its number, is asked for again. */
const looksPerAsk = 5;

async function journalMessages(home: Home): Promise<number> {
  const { head } = await ask(home.socket("queue-status"), { op: "status" });
  return field.wholeNumber(head, "journalMessages");
}

async function drainRunning(home: Home): Promise<number> {
  const most = Math.max(
    parseDrainReply(await askSend(home, { op: "drain", undo: false })),
    await journalMessages(home),
  );
  for (let look = 1;; look++) {
    const left = await journalMessages(home);
    showProgress(left === 0 ? "" : `${left} messages left in the journal`);
    if (left === 0) return most;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    if (look % looksPerAsk === 0) await askSend(home, { op: "drain", undo: false });
  }
}

export async function drain(home: Home, { json, undo }: { json: boolean; undo: boolean }): Promise<void> {
  const say = (fields: object, text: string) => print([json ? `${JSON.stringify(fields)}\n` : `${inWords(text)}\n`]);
  if (undo) {
    await askSend(home, { op: "drain", undo: true });
    return await say({ draining: false }, "new mail may go into the journal again");
  }
  if (await sendRuns(home)) {
    const moved = await drainRunning(home);
    return await say(
      { moved, journalMessages: 0, draining: true },
      `the journal is empty: ${
        moved === 1 ? "1 message has" : `${moved} messages have`
      } left it. New mail goes straight into the layout until ` +
        `"deno task queue drain --undo", or the next start of qmail-send`,
    );
  }
  if (await queueRuns(home)) throw new NoAnswer("the system runs, but qmail-send does not answer: try again");
  const moved = await drainStopped(home);
  await say(
    { moved, journalMessages: 0, draining: false },
    `${moved} ${moved === 1 ? "message" : "messages"} moved; queue/journal is empty`,
  );
}
