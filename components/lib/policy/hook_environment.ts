/**
 * The environment that programs of an operator get: what tcprules set, and what the servers of qmail's world and its
 * plug-ins name in one (qmail's interface). Octet strings; addresses are no syntax of any shell's here, they are values.
 * @module
 */
import { addressOf } from "./ground.ts";
import type { ClientFacts } from "./decision.ts";
import type { HookEnvironment } from "./oracles.ts";
import type { AuthAsked, DataAsked, MailAsked, RcptAsked } from "./rule.ts";

/** Begins names in a client's environment that are notes of the policy's own; no variable can be called so. */
export const notePrefix = " ";

/** What is known of the client. */
export function clientEnvironment(client: ClientFacts): Map<string, string> {
  const environment = new Map<string, string>([["PROTO", "TCP"], ["TCPREMOTEIP", client.ip]]);
  if (client.relaying) environment.set("RELAYCLIENT", "");
  for (const [name, value] of client.environment) {
    if (!name.startsWith(notePrefix)) environment.set(name, value);
  }
  if (client.helo !== "") environment.set("SMTPHELOHOST", client.helo);
  if (client.login !== undefined) environment.set("SMTPAUTHUSER", client.login);
  return withoutNul(environment);
}

export function authEnvironment({ client, mechanism }: AuthAsked): HookEnvironment {
  return clientEnvironment(client).set("SMTPAUTHMETHOD", mechanism);
}

export function mailEnvironment({ client, sender }: MailAsked): HookEnvironment {
  return withoutNul(clientEnvironment(client).set("SMTPMAILFROM", sender));
}

export function dataEnvironment({ client, mail }: DataAsked): HookEnvironment {
  return withoutNul(
    clientEnvironment(client)
      .set("SMTPMAILFROM", addressOf(mail.sender))
      .set("SMTPRCPTCOUNT", String(mail.accepted))
      .set("SMTPRCPTCOUNTALL", String(mail.accepted + mail.refused)),
  );
}

/** `isOurs`: rcpthosts has its domain. */
export function rcptEnvironment(asked: RcptAsked, isOurs: boolean): HookEnvironment {
  const { client, mail, recipient } = asked;
  return withoutNul(
    clientEnvironment(client)
      .set("SMTPMAILFROM", addressOf(mail.sender))
      .set("SMTPRCPTTO", recipient)
      .set("SMTPRCPTCOUNT", String(mail.accepted))
      .set("SMTPRCPTCOUNTALL", String(mail.accepted + mail.refused + 1))
      .set("SMTPRCPTHOSTSOK", isOurs ? "1" : "0"),
  );
}

/** RCPTCHECK's names. */
export function rcptcheckEnvironment({ client, mail, recipient }: RcptAsked): HookEnvironment {
  return withoutNul(clientEnvironment(client).set("SENDER", addressOf(mail.sender)).set("RECIPIENT", recipient));
}

/** A NUL would end the value in the program; no command of a client's holds one, but this place should not have to know. */
function withoutNul(environment: Map<string, string>): Map<string, string> {
  for (const [name, value] of environment) if (value.includes("\0")) environment.set(name, value.replaceAll("\0", "?"));
  return environment;
}
