/**
 * forward ADDRESS…: queues the message for other addresses, with its DTLINE in front and NEWSENDER as sender, as a
 * forward line of .qmail would. Exit codes: 0, 100 refused or called wrongly, 111.
 * @module
 */
import { type Caller, requireVariable } from "./support/caller.ts";
import { behind } from "./support/message.ts";
import { queueMail } from "./support/queue_mail.ts";
import { runProgram, usage } from "./support/run_program.ts";

async function forward(caller: Caller): Promise<number> {
  const sender = requireVariable(caller, "NEWSENDER");
  const dtline = requireVariable(caller, "DTLINE");
  if (caller.args.length === 0) throw usage("forward address ...");
  await queueMail("forward", caller, { sender, recipients: caller.args }, behind(dtline));
  return 0;
}

if (import.meta.main) await runProgram("forward", forward);
