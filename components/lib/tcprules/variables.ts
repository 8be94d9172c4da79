/**
 * The variables of a connection's environment that mean something to the SMTP server itself, as values (those that its
 * rules look at are theirs), and how a configuration names a program.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import { isPlainPath } from "../disk/plain_path.ts";
import { err, ok, type Result } from "../result.ts";
import type { Environment } from "./tcp_rules.ts";

/** Absent: not set, or nothing that can be used. Octet strings. */
export interface ConnectionVariables {
  /** DATABYTES: instead of control/databytes; 0 means no limit. */
  readonly databytes?: number;
  /** QMAILQUEUE: the program that queues. */
  readonly qmailqueue?: string;
}

export function readVariables(environment: Environment): ConnectionVariables {
  const databytes = wholeNumber(environment.get("DATABYTES") ?? "");
  const qmailqueue = environment.get("QMAILQUEUE") ?? "";
  return {
    ...(databytes === undefined ? {} : { databytes }),
    // Set and empty is not set: there is no program of that name.
    ...(qmailqueue === "" ? {} : { qmailqueue }),
  };
}

function wholeNumber(text: string): number | undefined {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Names of programs among the variables. */
export const programVariables = ["QMAILQUEUE", "RCPTCHECK"] as const;
/** Whole numbers among them. */
const numberVariables = ["DATABYTES", "SMTPD_GREETDELAY"] as const;

/** What was expected of a variable that the server knows; undefined: nothing is wrong with it. */
export function knownVariableDefect(name: string, value: string): string | undefined {
  if ((programVariables as readonly string[]).includes(name) && value !== "" && !isProgramPath(value)) {
    return `a program in ${name}: a plain path, absolute or below the home`;
  }
  if ((numberVariables as readonly string[]).includes(name) && wholeNumber(value) === undefined) {
    return `a whole number in ${name}`;
  }
  return undefined;
}

/** Whether a configuration may name a program so: by a plain path, absolute or (as `bin/qmail-queue`) below the home. */
export function isProgramPath(path: string): boolean {
  // env(1) would take one with "=" for a variable.
  return path.length <= 255 && !path.includes("=") && isPlainPath(path.startsWith("/") ? path : `/${path}`);
}

/** A control file that holds such a path. */
export function parseProgram(text: string): Result<string, string> {
  const line = (text.split("\n", 1)[0] ?? "").replace(/[ \t\r]+$/, "");
  return isProgramPath(line)
    ? ok(line)
    : err(`expected the plain path of a program, absolute or below the home, got ${JSON.stringify(line)}`);
}

/** The absolute path of a program that a configuration names. */
export function programPath(path: string, home: Home): string {
  return path.startsWith("/") ? path : `${home.dir}/${path}`;
}

/** Whether QMAILQUEUE names what would queue without it as well. */
export function isOwnQueue(path: string, home: Home): boolean {
  return programPath(path, home) === home.bin("qmail-queue");
}
