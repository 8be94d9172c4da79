/**
 * Whom the control files give a qmail-smtpd a reason to ask: what its grant may call, and what its shell connects to.
 * @module
 */
import type { Controls } from "../../../config/schema.ts";
import type { Service } from "../../../config/values.ts";
import type { Home } from "../../../config/home.ts";
import { tcpRulesOf } from "../tcprules/control_files.ts";
import { isOwnQueue, programVariables } from "../tcprules/variables.ts";

/** By the names of their sockets. */
export interface Asks {
  readonly resolver: boolean;
  readonly tally: boolean;
  readonly hooks: boolean;
  readonly auth: boolean;
}

export type AsksControls = Pick<
  Controls,
  | ("dnsallowlist" | "dnsbllist" | "greylist" | "helocheck" | "mfdnscheck" | "policy" | "ratelimits")
  | ("listeners" | "rcptcheck" | "smtpauth" | "smtpplugins" | "tcp.smtp" | "tcp.smtp.cdb")
>;

/** Values of control/helocheck and HELOCHECK that take a look at the DNS. */
const helochecksWithDns: readonly string[] = ["A", "M", "="];

export function asksOf(controls: AsksControls, home: Home): Asks {
  const rules = tcpRulesOf(controls);
  const isAsked = (rule: Controls["policy"][number]) => controls.policy.includes(rule);
  const helochecks = [controls.helocheck, ...rules?.valuesOf("HELOCHECK") ?? []];
  const greylists = isAsked("greylist") && controls.greylist > 0;
  const dns = isAsked("dnsbl") && controls.dnsbllist.length > 0 ||
    greylists && controls.dnsallowlist.length > 0 ||
    isAsked("helocheck") && helochecks.some((value) => helochecksWithDns.includes(value)) ||
    isAsked("mfdnscheck") && (controls.mfdnscheck !== "0" || (rules?.valuesOf("MFDNSCHECK").size ?? 0) > 0);
  const programs = programVariables.flatMap((name) => [...rules?.valuesOf(name) ?? []]);
  return {
    resolver: dns || rules?.needsHost === true,
    tally: greylists || isAsked("ratelimit") && controls.ratelimits.length > 0,
    hooks: controls.smtpplugins.size > 0 || controls.rcptcheck !== "" ||
      programs.some((program) => program !== "" && !isOwnQueue(program, home)),
    auth: controls.smtpauth.length > 0 && controls.listeners.some(({ service }) => isForSubmission(service)),
  };
}

/** Whether clients of an entrance log in. */
export function isForSubmission(entrance: Service): boolean {
  return entrance === "submission" || entrance === "submissions";
}
