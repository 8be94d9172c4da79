/**
 * The variables in which an operator's program in a chain finds who brought the message (ucspi-tcp's interface, and
 * qmail's RELAYCLIENT). Octet strings.
 * @module
 */
import type { ClientNote } from "./filter.ts";

export function noteVariables(client: ClientNote | undefined): Map<string, string> {
  const variables = new Map<string, string>();
  if (client === undefined) return variables;
  const set = (name: string, value: string | undefined) => {
    // Neither may stand in a variable of a program of hooks.
    if (value !== undefined) variables.set(name, value.replace(/[\0\n]/g, "?"));
  };
  set("PROTO", client.ip.includes(":") ? "TCP6" : "TCP");
  set("TCPREMOTEIP", client.ip);
  set("TCPREMOTEHOST", client.host);
  set("TCPREMOTEINFO", client.login);
  if (client.helo !== "") set("SMTPHELOHOST", client.helo);
  set("SMTPAUTHUSER", client.login);
  if (client.relaying) set("RELAYCLIENT", "");
  return variables;
}
