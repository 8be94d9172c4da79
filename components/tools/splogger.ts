/**
 * splogger [TAG [FACILITY]]: gives each line of its input to syslog, with the time to the microsecond in front. Exit codes:
 * 0; 111 where syslog's own program, logger, cannot be run or says that it failed.
 *
 * A datagram socket like /dev/log is out of reach in Deno but for an unstable interface, so logger(1) writes to it: one
 * process for each of the three priorities that occur, for as long as there is input.
 * @module
 */
import { toOctets } from "../lib/octets.ts";
import { runTool } from "../lib/process/tool.ts";
import { readInput, writeOctets } from "./support/input.ts";
import { SyslogLines, type SyslogPriority } from "./support/syslog_lines.ts";

const logger = "/usr/bin/logger";

/** syslog's facilities by number (RFC 5424 §6.2.1) in logger's words. */
const facilities = [
  ...["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"],
  ...["12", "13", "14", "15"],
  ...["local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"],
];
const mail = 2;

/** By number as qmail has it; what is none is mail. */
export function facilityName(text: string | undefined): string {
  return facilities[text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : mail] ?? facilities[mail]!;
}

class Loggers {
  readonly #tag: string;
  readonly #facility: string;
  readonly #running = new Map<SyslogPriority, Deno.ChildProcess>();
  readonly #writers = new Map<SyslogPriority, WritableStreamDefaultWriter<Uint8Array>>();

  constructor(tag: string, facility: string) {
    this.#tag = tag;
    this.#facility = facility;
  }

  async write(priority: SyslogPriority, line: string): Promise<void> {
    await writeOctets(this.#writers.get(priority) ?? this.#start(priority), toOctets(`${line}\n`));
  }

  #start(priority: SyslogPriority): WritableStreamDefaultWriter<Uint8Array> {
    const args = ["--tag", this.#tag, "--priority", `${this.#facility}.${priority}`, "--socket-errors=on"];
    const child = new Deno.Command(logger, { args, clearEnv: true, stdin: "piped" }).spawn();
    const writer = child.stdin.getWriter();
    writer.closed.catch(() => {});
    this.#running.set(priority, child);
    this.#writers.set(priority, writer);
    return writer;
  }

  /** Throws where one of them failed. */
  async end(): Promise<void> {
    for (const writer of this.#writers.values()) await writer.close().catch(() => {});
    for (const child of this.#running.values()) {
      if (!(await child.status).success) throw new Error("logger failed");
    }
  }
}

async function splog(tag: string, facility: string): Promise<void> {
  const loggers = new Loggers(tag, facility);
  const lines = new SyslogLines(() => Date.now() * 1000);
  try {
    for await (const piece of readInput()) {
      for (const { priority, line } of lines.push(piece)) await loggers.write(priority, line);
    }
    for (const { priority, line } of lines.end()) await loggers.write(priority, line);
  } finally {
    await loggers.end();
  }
}

if (import.meta.main) {
  const [tag = "splogger", facility] = Deno.args;
  await runTool("splogger", () => splog(tag, facilityName(facility)));
}
