/**
 * condredirect NEWADDRESS PROGRAM ARGUMENT…: where the program says yes (exit code 0), queues the message for another
 * address and has qmail-local leave it at that (99). Exit codes: 99 redirected; 0 not; 100 refused or called wrongly; 111.
 * @module
 */
import { type Caller, requireVariable } from "./support/caller.ts";
import { requireAnswer } from "./support/child.ts";
import { behind, openMessage } from "./support/message.ts";
import { queueMail } from "./support/queue_mail.ts";
import { runProgram, usage } from "./support/run_program.ts";

async function condredirect(caller: Caller): Promise<number> {
  const [address, ...words] = caller.args;
  if (address === undefined || words.length === 0) throw usage("condredirect newaddress program [ arg ... ]");
  const sender = requireVariable(caller, "SENDER");
  const dtline = requireVariable(caller, "DTLINE");
  const message = await openMessage();
  if (!requireAnswer(await message.feed(caller, words))) return 0;
  await queueMail("condredirect", caller, { sender, recipients: [address] }, behind(dtline, message.read()));
  return 99;
}

if (import.meta.main) await runProgram("condredirect", condredirect);
