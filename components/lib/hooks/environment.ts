/**
 * The variables that programs of an operator find: those of the connection (ucspi-tcp's interface), and what none of them
 * may be. Octet strings, as the client chose them: no command line may ever be made of one.
 * @module
 */
import type { Environment } from "../tcprules/tcp_rules.ts";

/** A connection. Absent is what is not known. */
export interface ConnectionFacts {
  readonly remoteIp: string;
  readonly remotePort?: number;
  readonly remoteHost?: string;
  /** Who has logged in. */
  readonly remoteInfo?: string;
  readonly localIp?: string;
  readonly localPort?: number;
  readonly localHost?: string;
}

/** `environment` with PROTO and the TCP variables of a connection. */
export function connectionVariables(environment: Environment, facts: ConnectionFacts): Map<string, string> {
  const variables = new Map(environment);
  // What tcprules may not say of a connection, it does not get said by leaving it out either.
  for (const name of connectionNames) variables.delete(name);
  const set = (name: string, value: string | number | undefined) => {
    if (value !== undefined) variables.set(name, String(value));
  };
  set("PROTO", facts.remoteIp.includes(":") ? "TCP6" : "TCP");
  set("TCPREMOTEIP", facts.remoteIp);
  set("TCPREMOTEPORT", facts.remotePort);
  set("TCPREMOTEHOST", facts.remoteHost);
  set("TCPREMOTEINFO", facts.remoteInfo);
  set("TCPLOCALIP", facts.localIp);
  set("TCPLOCALPORT", facts.localPort);
  set("TCPLOCALHOST", facts.localHost);
  return variables;
}

const connectionNames = [
  ...["PROTO", "TCPREMOTEIP", "TCPREMOTEPORT", "TCPREMOTEHOST", "TCPREMOTEINFO", "TCPLOCALIP", "TCPLOCALPORT"],
  "TCPLOCALHOST",
];

/** Octets of all variables together at the most, and their number. */
const [mostOctets, mostVariables] = [64 * 1024, 200];
const longestValue = 4096;

/** What is wrong with an environment; undefined: a program may get it. */
export function environmentDefect(environment: Environment): string | undefined {
  let octets = 0;
  for (const [name, value] of environment) {
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(name)) return "a variable's name is none";
    if (isLoaders(name)) return `${name} may not be set`;
    if (/[\0\n]/.test(value)) return `${name} holds a NUL or a line end`;
    if (value.length > longestValue) return `${name} is too long`;
    octets += name.length + value.length + 2;
  }
  return environment.size > mostVariables || octets > mostOctets ? "too many variables" : undefined;
}

/** Variables by which whoever sets them decides what code runs in a program. */
function isLoaders(name: string): boolean {
  return name === "PATH" || name === "IFS" || name === "ENV" || name === "SHELLOPTS" || name === "PS4" ||
    /^(?:LD_|BASH|GCONV_PATH|PERL5|PERLLIB|PYTHON|RUBY|NODE_)/.test(name);
}
