/**
 * Rules that ask programs of an operator: rcptcheck, spp. What runs them is another process.
 * @module
 */
import {
  authEnvironment,
  clientEnvironment,
  dataEnvironment,
  mailEnvironment,
  rcptcheckEnvironment,
  rcptEnvironment,
} from "../hook_environment.ts";
import type { HookEnvironment, Oracles, PluginStage, RcptcheckAnswer, Soon } from "../oracles.ts";
import { findingOf, laterFinding, laterNote, pluginsOff } from "../plugin_commands.ts";
import {
  type ClientAsked,
  defer,
  type Finding,
  type Judges,
  pass,
  type Refusal,
  refuse,
  type Rule,
  soon,
  type Stage,
} from "../rule.ts";

const variable = "RCPTCHECK";

/** The program that RCPTCHECK in the client's environment names, by its exit codes (qmail's interface). */
export const rcptcheck: Rule = () => {
  const unasked = pass("no RCPTCHECK for this client");
  const good = pass("RCPTCHECK knows it");
  const none = refuse("rcptcheck", "553 5.1.1 sorry, no mailbox here by that name");
  const unable: Refusal = { ...defer("rcptcheck-111", "421 4.3.0 unable to verify recipient"), drop: true };
  const broken: Refusal = { ...defer("rcptcheck-120", "421 4.3.0 unable to execute recipient check"), drop: true };
  // Nobody who could run it: no reason to end the connection.
  const away = defer("rcptcheck-away", "451 4.3.0 unable to execute recipient check");
  const said = (code: RcptcheckAnswer): Finding => {
    if (code === undefined) return away;
    return code === 100 ? none : code === 111 ? unable : code === 120 ? broken : good;
  };
  return {
    rcpt: (asked, oracles) => {
      // Set and empty is not set: there is no program of that name.
      if (asked.client.environment.size === 0 || !asked.client.environment.get(variable)) return unasked;
      return soon(oracles.rcptcheck(rcptcheckEnvironment(asked)), said);
    },
  };
};

/** qmail-spp's plug-ins; NOSPP in the client's environment switches them off. */
export const spp: Rule = ({ plugins, isOurs }) => {
  if (plugins.size === 0) return "control/smtpplugins has no commands";
  const off = pass("plug-ins are off for this client");
  const unasked = pass("no plug-in at this stage");
  const judgeOf =
    <A extends ClientAsked>(stage: Stage, section: PluginStage, environmentOf: (asked: A) => HookEnvironment) =>
    (asked: A, oracles: Oracles): Soon<Finding> => {
      const { environment } = asked.client;
      const later = environment.get(laterNote(stage));
      if (later !== undefined) return laterFinding(later, stage, environment);
      if (!plugins.has(section)) return unasked;
      if (environment.has("NOSPP") || environment.has(pluginsOff)) return off;
      return soon(oracles.spp(section, environmentOf(asked)), (answer) => findingOf(answer, stage, environment));
    };
  const judges: Judges = {
    connect: judgeOf("connect", "connection", ({ client }) => clientEnvironment(client)),
    helo: judgeOf("helo", "helo", ({ client }) => clientEnvironment(client)),
    auth: judgeOf("auth", "auth", authEnvironment),
    mail: judgeOf("mail", "mail", mailEnvironment),
    rcpt: judgeOf("rcpt", "rcpt", (asked) => rcptEnvironment(asked, isOurs(asked.recipient) === true)),
    data: judgeOf("data", "data", dataEnvironment),
  };
  return judges;
};
