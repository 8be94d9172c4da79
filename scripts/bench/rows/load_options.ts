/**
 * The options of a load for one contender: those of its measurement, and over them what the operator said.
 * @module
 */
import { err, type Result } from "../../../components/lib/result.ts";
import { freePort } from "../instance.ts";
import { type Options, parseOptions } from "../options.ts";
import type { RowsOptions, Running } from "./options.ts";

/** Those of a measurement of the kind "load". The error says why a server that runs already cannot be measured so. */
export function loadOptions(measured: readonly string[], options: RowsOptions): Result<Options, string> {
  const bulk = measured[0] === "bulk";
  const argv = [
    ...measured,
    ...one(bulk ? "recipients" : "messages", bulk ? options.recipients : options.messages),
    ...(bulk ? [] : one("warmup", options.warmup)),
    ...["--runs", String(options.runs), "--limit", String(options.limitSeconds)],
  ];
  if (options.against !== undefined) return parseOptions([...argv, ...ofRunning(options.against, measured)]);
  const parsed = parseOptions([...argv, "--dir", options.dir]);
  // A server of another make has to be told of the sink before that listens.
  return parsed.ok ? { ok: true, value: { ...parsed.value, sinkPort: freePort() } } : err(parsed.error);
}

function one(name: string, value: number | string | undefined): readonly string[] {
  return value === undefined ? [] : [`--${name}`, String(value)];
}

/** Those that the scenario has a use for. */
function ofRunning(
  { address, pid, recipient, maildir, sinkPort, dir }: Running,
  measured: readonly string[],
): string[] {
  const inMaildirs = measured[0] === "local" || measured.includes("--mailboxes");
  const atSink = !inMaildirs && (measured[0] === "relay" || measured[0] === "bulk");
  return [
    ...["--against", address, ...one("pid", pid), ...one("dir", dir)],
    ...(atSink ? one("sink", sinkPort) : one("recipient", recipient)),
    ...(inMaildirs ? one("maildir", maildir) : []),
  ];
}
