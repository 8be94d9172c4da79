/**
 * qmail-spp's commands: what a plug-in prints, a line each, as a finding of the rule spp (qmail's interface; not one that
 * a client can reach, but no line may harm the dialogue all the same).
 *
 * "A" and "L" last longer than one command of the client's: they are notes in its environment, which the dialogue keeps.
 * @module
 */
import { parseEnvelopeAddress } from "../address/parse_path.ts";
import { notePrefix } from "./hook_environment.ts";
import type { PluginAnswer } from "./oracles.ts";
import { type Additions, defer, type Finding, pass, refuse, type Stage } from "./rule.ts";

/** No plug-in is run any more in this connection. */
export const pluginsOff: string = `${notePrefix}plug-ins off`;

/** The text that is the reply to the next MAIL, RCPT or DATA. */
export function laterNote(stage: Stage): string {
  return `${notePrefix}later ${stage}`;
}

const laterStages: ReadonlyMap<string, Stage> = new Map([["M", "mail"], ["R", "rcpt"], ["D", "data"]]);

const longestLine = 900;

/** Reads what the plug-ins of one stage said to a client that has this environment. */
export function findingOf(answer: PluginAnswer, stage: Stage, environment: ReadonlyMap<string, string>): Finding {
  if (answer.kind === "failure") return failure(answer.detail);
  const reading = new Reading(stage, environment);
  for (const line of answer.lines) {
    const finding = reading.take(line);
    if (finding !== undefined) return { ...finding, adds: { ...reading.additions(), ...finding.adds } };
  }
  return { ...pass("nothing against it"), adds: reading.additions() };
}

/** The refusal that an earlier plug-in ordered with "L"; the note is gone with it. */
export function laterFinding(text: string, stage: Stage, environment: ReadonlyMap<string, string>): Finding {
  const rest = new Map(environment);
  rest.delete(laterNote(stage));
  return { ...refuse("spp", replyOf(text)), adds: { environment: rest } };
}

class Reading {
  readonly #stage: Stage;
  readonly #lines: string[] = [];
  readonly #header: string[] = [];
  #environment: Map<string, string> | undefined;
  readonly #before: ReadonlyMap<string, string>;
  #address: string | undefined;

  constructor(stage: Stage, environment: ReadonlyMap<string, string>) {
    this.#stage = stage;
    this.#before = environment;
  }

  additions(): Additions {
    return {
      ...(this.#lines.length === 0 ? {} : { lines: this.#lines }),
      ...(this.#header.length === 0 ? {} : { header: this.#header }),
      ...(this.#environment === undefined ? {} : { environment: this.#environment }),
      ...(this.#address === undefined ? {} : { address: this.#address }),
    };
  }

  /** One command; a finding where nothing comes after it. */
  take(line: string): Finding | undefined {
    const rest = line.slice(1);
    switch (line[0]) {
      case "A":
        this.#changed().set(pluginsOff, "");
        return pass("a plug-in accepts, and switches plug-ins off");
      case "O":
        return { ...pass("a plug-in accepts"), ...(this.#stage === "rcpt" ? { adds: { skips: "relay" } } : {}) };
      case "N":
        return pass("a plug-in leaves it to the other rules");
      case "D":
        return { ...refuse("spp", ""), drop: true };
      case "E":
        return refuse("spp", replyOf(rest));
      case "R":
        return { ...refuse("spp", replyOf(rest)), drop: true };
      case "P":
        if (!isText(rest)) return failure("a line to send that is no text");
        this.#lines.push(rest);
        return undefined;
      case "H":
        // A field, or the continuation of the one before.
        if (!isText(rest) || !/^(?:[!-9;-~]+:|[ \t])/.test(rest)) return failure("a header line that is none");
        this.#header.push(rest);
        return undefined;
      case "C":
        return this.#replace(rest);
      case "S": {
        const equals = rest.indexOf("=");
        const name = rest.slice(0, Math.max(equals, 0));
        if (!isVariable(name)) return failure("a variable without a name");
        this.#changed().set(name, rest.slice(equals + 1));
        return undefined;
      }
      case "U":
        if (!isVariable(rest)) return failure("a variable without a name");
        this.#changed().delete(rest);
        return undefined;
      case "L": {
        const stage = laterStages.get(rest[0] ?? "");
        if (stage === undefined) return failure("an order for later that is none");
        this.#changed().set(laterNote(stage), rest.slice(1));
        return undefined;
      }
      default:
        // qmail-spp passes over what it does not know.
        return undefined;
    }
  }

  #replace(address: string): Finding | undefined {
    const isNull = address === "" && this.#stage === "mail";
    if (this.#stage !== "mail" && this.#stage !== "rcpt") return undefined;
    if (!isNull && parseEnvelopeAddress(address) === undefined) return failure("an address that is none");
    this.#address = address;
    return undefined;
  }

  #changed(): Map<string, string> {
    return this.#environment ??= new Map(this.#before);
  }
}

function failure(detail: string): Finding {
  const shown = detail.slice(0, 200).replace(/[^ -~]/g, "?");
  return defer("spp-failure", `451 4.3.0 qmail-spp failure: ${shown}`);
}

/** A plug-in's text as the reply; one without a code of its own gets one, as it would put the dialogue out of step. */
function replyOf(text: string): string {
  const shown = text.slice(0, longestLine).replace(/[^ -~]/g, "?");
  return /^[45][0-9]{2} /.test(shown) ? shown : `550 5.7.1 ${shown === "" ? "sorry" : shown}`;
}

function isText(line: string): boolean {
  // deno-lint-ignore no-control-regex
  return line !== "" && line.length <= longestLine && !/[\x00-\x08\x0a-\x1f\x7f]/.test(line);
}

function isVariable(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name);
}
