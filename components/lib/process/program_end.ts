/**
 * How a program of somebody else's ended, as the script around it tells.
 * @module
 */
import { endedCode } from "./program_words.ts";

/** By itself, by a signal, or because its time was over. */
export type ProgramEnd =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "crashed" }
  | { readonly kind: "timeout" };

/** 128 and a signal's number: what a shell answers for a process that died of it. */
const [firstSignalCode, lastSignalCode] = [129, 192];

/** What the script's own end says of the program's. `code` counts where `signal` is null. */
export function endOf(
  { code, signal }: { readonly code: number; readonly signal: string | null },
  timedOut: boolean,
): ProgramEnd {
  if (timedOut && (signal !== null || code === endedCode)) return { kind: "timeout" };
  const crashed = signal !== null || (code >= firstSignalCode && code <= lastSignalCode);
  return crashed ? { kind: "crashed" } : { kind: "exited", code };
}
