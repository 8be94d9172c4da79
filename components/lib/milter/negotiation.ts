/**
 * The beginning of a milter session: what is offered, and what the milter takes of it (SMFIC_OPTNEG).
 * @module
 */
import { err, ok, type Result } from "../result.ts";
import { formatPacket, type Packet, readUint32, uint32 } from "./packet.ts";
import {
  command,
  type CommandName,
  newestVersion,
  offeredActions,
  offeredSteps,
  oldestVersion,
  step,
} from "./protocol.ts";

/** What holds for one session. */
export interface Agreement {
  /** Of action: what the milter may do. */
  readonly actions: number;
  /** Of {@link step}. */
  readonly steps: number;
  readonly version: number;
}

export function formatNegotiation(): Uint8Array {
  return formatPacket(command.OPTNEG, uint32(newestVersion) + uint32(offeredActions) + uint32(offeredSteps));
}

/**
 * The milter's answer. A milter that asks for more actions than there are is taken at its word for the others; what it does
 * beyond them is an error when it does it. The lists of macros behind the numbers are not looked at: all there are are sent.
 */
export function parseNegotiation({ letter, data }: Packet): Result<Agreement, string> {
  const [version, actions, steps] = [0, 4, 8].map((at) => readUint32(data, at));
  if (letter !== command.OPTNEG || version === undefined || actions === undefined || steps === undefined) {
    return err("no negotiation");
  }
  if (version < oldestVersion || version > newestVersion) return err(`version ${version} of the protocol`);
  // The upper bits are about sizes of packets.
  const strange = steps & 0x0fffffff & ~(offeredSteps | refusedRecipients);
  if (strange !== 0) return err(`steps that were not offered: 0x${(strange >>> 0).toString(16)}`);
  return ok({ version, actions: actions & offeredActions, steps: steps & offeredSteps });
}

/** Recipients that the server has refused are told, too: there are none. */
const refusedRecipients = 0x800;

/** By command: the bit that leaves it out, and the one that says it has no answer. */
const bits: Readonly<Partial<Record<CommandName, { readonly leftOut: number; readonly noReply: number }>>> = {
  CONNECT: { leftOut: step.NOCONNECT, noReply: step.NR_CONN },
  HELO: { leftOut: step.NOHELO, noReply: step.NR_HELO },
  MAIL: { leftOut: step.NOMAIL, noReply: step.NR_MAIL },
  RCPT: { leftOut: step.NORCPT, noReply: step.NR_RCPT },
  DATA: { leftOut: step.NODATA, noReply: step.NR_DATA },
  HEADER: { leftOut: step.NOHDRS, noReply: step.NR_HDR },
  EOH: { leftOut: step.NOEOH, noReply: step.NR_EOH },
  BODY: { leftOut: step.NOBODY, noReply: step.NR_BODY },
};

/** Whether the milter wants to hear this. */
export function wants({ steps, version }: Agreement, name: CommandName): boolean {
  // Version 4 brought it.
  if (name === "DATA" && version < 4) return false;
  return (steps & (bits[name]?.leftOut ?? 0)) === 0;
}

/** Whether it answers this. */
export function answers({ steps }: Agreement, name: CommandName): boolean {
  return (steps & (bits[name]?.noReply ?? 0)) === 0;
}

/** Whether a field's value is told and given with the blank behind its colon. */
export function hasLeadingSpace({ steps }: Agreement): boolean {
  return (steps & step.HDR_LEADSPC) !== 0;
}
