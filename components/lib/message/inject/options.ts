/**
 * What a call of qmail-inject asks for: its command line, its environment and the control files (qmail's interface), all
 * as octet strings.
 * @module
 */
import { type HostDefaults, parseHost } from "../../address/host_defaults.ts";
import { localPartTokens, type Token } from "../../address/token.ts";
import { err, ok, type Result } from "../../result.ts";

/** The control files' values. */
export interface InjectControls {
  readonly defaulthost: string;
  readonly defaultdomain: string;
  readonly plusdomain: string;
  readonly idhost: string;
}

/** Variables that qmail-inject looks at. */
export const injectVariables = [
  ...["QMAILUSER", "MAILUSER", "USER", "LOGNAME"],
  ...["QMAILHOST", "MAILHOST"],
  ...["QMAILNAME", "MAILNAME", "NAME"],
  ...["QMAILSUSER", "QMAILSHOST"],
  ...["QMAILINJECT", "QMAILMFTFILE"],
  ...["QMAILDEFAULTHOST", "QMAILDEFAULTDOMAIN", "QMAILPLUSDOMAIN", "QMAILIDHOST"],
] as const;
export type InjectVariable = (typeof injectVariables)[number];

/** Those variables that are set. */
export type InjectEnvironment = ReadonlyMap<InjectVariable, string>;

export interface InjectArguments {
  /** Who gets it: those of the command line, of the header, both, or of the header where the command line has none. */
  readonly recipientsFrom: "arguments" | "header" | "both" | "either";
  /** The finished message is printed instead of queued. */
  readonly print: boolean;
  /** `-f`. */
  readonly sender: string | undefined;
  readonly recipients: readonly string[];
}

/** Who the message is from, where nobody says it: the tokens of local part and host, and the name. */
export interface Identity {
  readonly user: readonly Token[];
  readonly host: readonly Token[];
  readonly name: string | undefined;
  readonly senderUser: string;
  readonly senderHost: readonly Token[];
}

/** QMAILINJECT's letters. */
export interface InjectFlags {
  readonly nameInComment: boolean;
  readonly dropReturnPath: boolean;
  readonly dropFrom: boolean;
  readonly dropMessageId: boolean;
  readonly senderPerRecipient: boolean;
  readonly senderPerMessage: boolean;
}

export interface InjectOptions {
  readonly arguments: InjectArguments;
  readonly hosts: HostDefaults;
  readonly idHost: string;
  readonly identity: Identity;
  readonly flags: InjectFlags;
}

const sources = new Map<string, InjectArguments["recipientsFrom"]>([
  ["a", "arguments"],
  ["h", "header"],
  ["H", "both"],
  ["A", "either"],
]);

/** The command line `[-nNaAhH] [-f sender] [recipient …]`. Error: text for the caller. */
export function parseInjectArguments(words: readonly string[]): Result<InjectArguments, string> {
  let recipientsFrom: InjectArguments["recipientsFrom"] = "either";
  let print = false;
  let sender: string | undefined;
  let index = 0;
  for (; index < words.length && /^-./s.test(words[index]!); index++) {
    const word = words[index]!;
    if (word === "--") {
      index++;
      break;
    }
    for (let letter = 1; letter < word.length; letter++) {
      const option = word[letter]!;
      if (option === "f") {
        sender = word.slice(letter + 1) || words[++index];
        if (sender === undefined) return err("option requires an argument -- f");
        break;
      } else if (option === "n" || option === "N") print = option === "n";
      else if (sources.has(option)) recipientsFrom = sources.get(option)!;
      else return err(`illegal option -- ${option}`);
    }
  }
  return ok({ recipientsFrom, print, sender, recipients: words.slice(index) });
}

function firstOf(environment: InjectEnvironment, ...names: readonly InjectVariable[]): string | undefined {
  return names.map((name) => environment.get(name)).find((value) => value !== undefined);
}

/** As {@link firstOf}; a variable that is there and empty names nobody. */
function firstWith(environment: InjectEnvironment, ...names: readonly InjectVariable[]): string | undefined {
  return names.map((name) => environment.get(name)).find((value) => value !== undefined && value !== "");
}

/** All together. Error: the host name (of a variable or control file) that is none. */
export function injectOptions(
  parsed: InjectArguments,
  environment: InjectEnvironment,
  controls: InjectControls,
): Result<InjectOptions, string> {
  const texts = {
    defaultHost: firstWith(environment, "QMAILDEFAULTHOST") ?? controls.defaulthost,
    defaultDomain: firstWith(environment, "QMAILDEFAULTDOMAIN") ?? controls.defaultdomain,
    plusDomain: firstWith(environment, "QMAILPLUSDOMAIN") ?? controls.plusdomain,
    host: firstWith(environment, "QMAILHOST", "MAILHOST"),
    senderHost: firstWith(environment, "QMAILSHOST"),
  };
  for (const text of Object.values(texts)) {
    if (text !== undefined && parseHost(text) === undefined) return err(text);
  }
  const tokens = (text: string): Token[] => parseHost(text) ?? [];
  const host = tokens(texts.host ?? texts.defaultHost);
  const user = firstWith(environment, "QMAILUSER", "MAILUSER", "USER", "LOGNAME") ?? "anonymous";
  const letters = environment.get("QMAILINJECT") ?? "";
  return ok({
    arguments: parsed,
    hosts: {
      defaultHost: tokens(texts.defaultHost),
      defaultDomain: tokens(texts.defaultDomain),
      plusDomain: tokens(texts.plusDomain),
    },
    // deno-lint-ignore no-control-regex
    idHost: (firstWith(environment, "QMAILIDHOST") ?? controls.idhost).replace(/[\x00-\x20<>\x7f]/g, ""),
    identity: {
      user: localPartTokens(harmless(user)),
      host,
      name: firstOf(environment, "QMAILNAME", "MAILNAME", "NAME"),
      senderUser: harmless(firstWith(environment, "QMAILSUSER") ?? user),
      senderHost: texts.senderHost === undefined ? host : tokens(texts.senderHost),
    },
    flags: {
      nameInComment: letters.includes("c"),
      dropReturnPath: letters.includes("s"),
      dropFrom: letters.includes("f"),
      dropMessageId: letters.includes("i"),
      senderPerRecipient: letters.includes("r"),
      senderPerMessage: letters.includes("m"),
    },
  });
}

/** No line of a header and no address of an envelope can end in a user's name. */
function harmless(user: string): string {
  // deno-lint-ignore no-control-regex
  return user.replace(/[\x00\r\n]/g, " ");
}
