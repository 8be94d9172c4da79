/**
 * What the scripts that start qmail's parts tell: on which addresses its servers listen (tcpserver, sslserver), by which
 * rules, and what is done with mail of who has no `.qmail` file (qmail-start's first argument).
 * @module
 */
import type { Service } from "../../config/values.ts";
import { type Command, isLiteral, shellCommands } from "./shell_words.ts";

export interface ServerFound {
  readonly service: Service;
  readonly host: string;
  readonly port: number;
  /** tcpserver's -c. */
  readonly connections?: number;
  /** tcpserver's -x: the compiled rules. */
  readonly rules?: string;
}

export interface LauncherFacts {
  readonly servers: readonly ServerFound[];
  /** The instructions that qmail-start is given. */
  readonly defaultDelivery?: string;
  /** What is said there that only a person can carry over. */
  readonly notes: readonly string[];
}

/** Options of tcpserver and sslserver that have a value. */
const valued = "cxBgulbtvnCKVwf3Iesk";
/** Of those, the ones that only sslserver gives one. */
const plainForTcp = "vnCKVwf3Iesk";

const ports: Readonly<Record<string, number>> = {
  smtp: 25,
  smtps: 465,
  submissions: 465,
  submission: 587,
  pop3: 110,
  "pop-3": 110,
  pop3s: 995,
  qmtp: 209,
  qmqp: 628,
};

/** Variables that change what a server does, and how that is said here. */
const variables: Readonly<Record<string, string>> = {
  QMAILQUEUE: "name the program in control/filters, or in control/tcp.smtp",
  RELAYCLIENT: "name the clients in control/relayclients, or in control/tcp.smtp",
  DATABYTES: "write it into control/databytes, or into control/tcp.smtp",
  RCPTCHECK: "name the program in control/rcptcheck",
  RBLSMTPD: "see control/dnsbllist",
};

function baseName(word: string): string {
  return word.slice(word.lastIndexOf("/") + 1);
}

function serviceOf(program: string, port: number, tls: boolean): Service | undefined {
  switch (program) {
    case "qmail-smtpd":
      return tls || port === 465 ? "submissions" : port === 587 ? "submission" : "smtp";
    case "qmail-popup":
    case "qmail-pop3d":
      return tls || port === 995 ? "pop3s" : "pop3";
    case "qmail-qmtpd":
      return tls ? "qmtps" : "qmtp";
    case "qmail-qmqpd":
      return "qmqp";
    default:
      return undefined;
  }
}

/** The options of a server in front of its address; `rest` is address, port, program and its arguments. */
function serverOptions(
  words: readonly string[],
  tls: boolean,
): { options: Map<string, string>; rest: readonly string[] } {
  const options = new Map<string, string>();
  const takesValue = (letter: string) =>
    valued.includes(letter) && (tls || !plainForTcp.includes(letter)) &&
    // Both have -v for "verbose".
    letter !== "v";
  let at = 0;
  for (; at < words.length && /^-./.test(words[at]!); at++) {
    const word = words[at]!;
    if (word === "--") {
      at++;
      break;
    }
    for (let letter = 1; letter < word.length; letter++) {
      if (!takesValue(word[letter]!)) continue;
      options.set(word[letter]!, letter + 1 < word.length ? word.slice(letter + 1) : words[++at] ?? "");
      break;
    }
  }
  return { options, rest: words.slice(at) };
}

function hostOf(word: string): string | undefined {
  if (word === "0" || word === "") return "0.0.0.0";
  if (word === "::" || word === ":0") return "::";
  if (word === "localhost") return "127.0.0.1";
  return /^[0-9.]+$|^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(word) ? word : undefined;
}

function serverIn(command: Command): { server?: ServerFound; note?: string } {
  const at = command.findIndex((word) => ["tcpserver", "sslserver"].includes(baseName(word)));
  if (at < 0) return {};
  const { options, rest } = serverOptions(command.slice(at + 1), baseName(command[at]!) === "sslserver");
  const [hostWord = "", portWord = "", ...program] = rest;
  const name = program.map(baseName).find((word) => serviceOf(word, 0, false) !== undefined);
  if (name === undefined) return {};
  const port = ports[portWord] ?? (/^[0-9]{1,5}$/.test(portWord) ? Number(portWord) : undefined);
  const host = hostOf(hostWord);
  if (host === undefined || port === undefined || port < 1 || port > 65535) {
    return {
      note: `where ${name} listens is not said in so many words (${hostWord} ${portWord}): see control/listeners`,
    };
  }
  // With UCSPITLS sslserver speaks plainly until STARTTLS: the port tells.
  const isTls = baseName(command[at]!) === "sslserver" && ![25, 587, 110, 209].includes(port);
  const connections = options.get("c");
  const rules = options.get("x");
  return {
    server: {
      service: serviceOf(name, port, isTls)!,
      host,
      port,
      ...connections !== undefined && /^[0-9]{1,6}$/.test(connections) ? { connections: Number(connections) } : {},
      ...rules !== undefined && isLiteral(rules) ? { rules } : {},
    },
  };
}

/** What `text`, a script that starts something, says of qmail. */
export function readLauncher(text: string): LauncherFacts {
  const servers: ServerFound[] = [];
  const notes: string[] = [];
  let defaultDelivery: string | undefined;
  for (const command of shellCommands(text)) {
    const { server, note } = serverIn(command);
    if (server !== undefined) servers.push(server);
    if (note !== undefined) notes.push(note);
    const start = command.findIndex((word) => baseName(word) === "qmail-start");
    const instructions = start < 0 ? undefined : command[start + 1];
    // Without an argument qmail-start has this one.
    if (start >= 0) defaultDelivery ??= instructions === undefined ? "./Mailbox" : literalOr(instructions, undefined);
    for (const word of command) {
      const [, name, value = ""] = /^([A-Z]+)=(.*)$/s.exec(word) ?? [];
      const advice = name === undefined ? undefined : variables[name];
      if (advice !== undefined) notes.push(`${name}=${value} is set there: ${advice}`);
    }
    const popup = command.findIndex((word) => baseName(word) === "qmail-popup");
    if (popup >= 0) {
      const program = command[popup + 2] ?? "";
      notes.push(`POP3 passwords were checked by ${program}: name it in control/checkpassword, or make users/passwd`);
    }
  }
  return { servers, notes, ...defaultDelivery === undefined ? {} : { defaultDelivery } };
}

function literalOr<T>(word: string, otherwise: T): string | T {
  return isLiteral(word) ? word : otherwise;
}
