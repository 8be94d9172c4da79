/**
 * `deno task bench`: messages a second, processor time and latencies of dqmail, or of another server on this machine.
 * @module
 */
import { formatTable, makeReport } from "./report.ts";
import { type Options, parseOptions } from "./options.ts";
import { settle } from "./quiet.ts";
import { runOnce, type RunResult, serverUse, setUp, warmUp } from "./scenarios.ts";

const help = `Usage: deno task bench SCENARIO [OPTION...]

Scenarios, each from the first connect
  accept   until the last 250; the server keeps the mail in its queue
  local    until the last message is in its Maildir
  relay    until the sink has got every message
  bulk     one message with many recipients, until the sink has got every recipient

Without --against a private dqmail is started in a temporary folder.

  --against HOST:PORT   load a server that runs already; 127.0.0.0/8 only
  --pid N               that server's root process, for processor time and memory
  --maildir PATTERN     its Maildirs (local); %d is the user's number
  --sink PORT           where it relays to (relay, bulk); the sink listens on 127.0.0.1:PORT
  --dir DIR             where to make the private server's home (/tmp)
  --sessions N          connections at a time (20; bulk 1)
  --messages N          messages a run (2000; bulk 1)
  --size BYTES          of a message, header included (10240)
  --reuse               keep connections instead of one for each message
  --no-pipelining       wait for every reply even where PIPELINING is offered
  --recipients N        recipients of each message (1; bulk 10000)
  --recipient PATTERN   %n running number, %u user, %h domain number
  --users N             %u counts to N-1 (100)
  --domains N           %h counts to N-1 (1)
  --delay-ms N          the sink waits so long before it takes a message (0)
  --warmup N            messages sent beforehand, not measured (200; bulk 1)
  --runs N              repetitions (3)
  --limit SECONDS       longest time of one run (60)
  --settle SECONDS      longest wait for a quiet machine before a run (8)
  --json                one JSON object instead of the table

Examples
  deno task bench accept
  deno task bench local --sessions 1 --messages 500
  deno task bench bulk --recipients 10000 --domains 1000
  deno task bench relay --json > relay.json
  deno task bench local --against 127.0.0.1:2525 --recipient 'mu%u@local.example' --maildir '/home/mu%d/Maildir'
  deno task bench relay --against 127.0.0.1:2525 --sink 2600 --pid 4711

Exit codes: 0 measured, 1 a run was not complete, 2 wrong usage, 111 could not measure,
130 interrupted.
`;

/** Measures and prints; answers the exit code. */
async function bench(options: Options, stop: AbortSignal): Promise<number> {
  await using rig = await setUp(options);
  stop.throwIfAborted();
  // What is under way then fails, and the error travels past every `using` on its way out.
  stop.addEventListener("abort", () => void rig[Symbol.asyncDispose]());
  const atRest = serverUse(rig);
  await warmUp(rig);
  const runs: RunResult[] = [];
  let noisyStarts = 0;
  while (runs.length < options.runs) {
    if (options.settleMs > 0 && !await settle(options.settleMs)) noisyStarts++;
    runs.push(await runOnce(rig));
  }
  const report = makeReport(options, runs, { atRest, afterwards: serverUse(rig), noisyStarts }, new Date());
  console.log(options.json ? JSON.stringify(report) : formatTable(report));
  return report.failedRuns === 0 ? 0 : 1;
}

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    console.log(help);
    return 0;
  }
  const options = parseOptions(argv);
  if (!options.ok) {
    console.error(`bench: ${options.error}. See deno task bench --help`);
    return 2;
  }
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => stop.abort());
  try {
    return await bench(options.value, stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return 130;
    console.error(`bench: ${error instanceof Error ? error.message : error}`);
    return 111;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
