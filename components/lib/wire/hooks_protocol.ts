/**
 * What hooks is asked (socket `hooks`).
 *
 * `rcptcheck` runs one program, `spp` the plug-ins of one section; the answers carry the request's id. `program` has no
 * answer: it says which program stands in for qmail-queue on this connection, and from then on the connection speaks
 * qmail-queue's own protocol (queue_protocol.ts), whose answers may have `text`: what the program said beside its code.
 * @module
 */
import { type PluginAnswer, type PluginStage, pluginStages } from "../policy/oracles.ts";
import type { Environment } from "../tcprules/tcp_rules.ts";
import * as field from "./fields.ts";
import type { Frame, RawHead } from "./frame.ts";
import { parseQueueRequest, type QueueRequest } from "./queue_protocol.ts";
import { ProtocolError } from "./server.ts";

export type HooksRequest =
  | { readonly op: "rcptcheck"; readonly id: number; readonly program: string; readonly environment: Environment }
  | { readonly op: "spp"; readonly id: number; readonly stage: PluginStage; readonly environment: Environment }
  | { readonly op: "program"; readonly program: string; readonly environment: Environment }
  | QueueRequest;

/** `failure`: it could not be asked, or came to no end of its own; `detail` is printable. */
export type RcptcheckReply =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "failure"; readonly detail: string };

/** Far more than environmentDefect() lets through: what is refused there is refused by a reason. */
const mostVariables = 1000;
const [longestName, longestValue, longestPath] = [1000, 16_384, 1000];
/** Of a plug-in's line; the lines of a section together are bounded by what a program may print. */
const longestLine = 64 * 1024;

/** Variables as a frame carries them. */
export function environmentPairs(environment: Environment): readonly (readonly [string, string])[] {
  return [...environment];
}

/** Throws ProtocolError. */
export function parseHooksRequest(frame: Frame): HooksRequest {
  const { head } = frame;
  switch (head["op"]) {
    case "rcptcheck":
      return { op: "rcptcheck", id: field.wholeNumber(head, "id"), ...programFields(head) };
    case "spp":
      return {
        op: "spp",
        id: field.wholeNumber(head, "id"),
        stage: field.oneOf(head, "stage", pluginStages),
        environment: parseEnvironment(head),
      };
    case "program":
      return { op: "program", ...programFields(head) };
    default:
      return parseQueueRequest(frame);
  }
}

function programFields(head: RawHead): { readonly program: string; readonly environment: Environment } {
  return { program: field.text(head, "program", longestPath), environment: parseEnvironment(head) };
}

function parseEnvironment(head: RawHead): Environment {
  const pairs = head["environment"];
  if (!Array.isArray(pairs) || pairs.length > mostVariables || !pairs.every(isPair)) {
    throw new ProtocolError('expected pairs of octet strings in the field "environment"');
  }
  return new Map(pairs);
}

function isPair(pair: unknown): pair is [string, string] {
  if (!Array.isArray(pair) || pair.length !== 2) return false;
  const [name, value] = pair as unknown[];
  return isOctets(name, longestName) && isOctets(value, longestValue);
}

function isOctets(value: unknown, most: number): value is string {
  if (typeof value !== "string" || value.length > most) return false;
  for (let at = 0; at < value.length; at++) if (value.charCodeAt(at) > 255) return false;
  return true;
}

/** Throws ProtocolError. */
export function parseRcptcheckReply({ head }: Frame): RcptcheckReply {
  return field.oneOf(head, "kind", ["exited", "failure"]) === "exited"
    ? { kind: "exited", code: field.wholeNumber(head, "code") }
    : { kind: "failure", detail: field.text(head, "detail") };
}

/** Throws ProtocolError. */
export function parsePluginAnswer({ head }: Frame): PluginAnswer {
  if (field.oneOf(head, "kind", ["lines", "failure"]) === "failure") {
    return { kind: "failure", detail: field.text(head, "detail") };
  }
  const lines = head["lines"];
  if (!Array.isArray(lines) || !lines.every((line) => isOctets(line, longestLine))) {
    throw new ProtocolError('expected octet strings in the field "lines"');
  }
  return { kind: "lines", lines };
}
