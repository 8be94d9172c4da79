/**
 * Numbers and letters of the milter protocol, version 6 (libmilter's mfdef.h, by their names there without the prefix).
 * @module
 */

export const newestVersion = 6;
/** Older ones have no header fields that can be changed. */
export const oldestVersion = 2;

/** What a milter may do to a message (SMFIF_). */
export const action = {
  ADDHDRS: 0x01,
  CHGBODY: 0x02,
  ADDRCPT: 0x04,
  DELRCPT: 0x08,
  CHGHDRS: 0x10,
  QUARANTINE: 0x20,
  CHGFROM: 0x40,
} as const;

/** All of them but a quarantine: there is no such place. */
export const offeredActions = action.ADDHDRS | action.CHGBODY | action.ADDRCPT | action.DELRCPT | action.CHGHDRS |
  action.CHGFROM;

/** What a milter may do without (NO…), and where it gives no answer (NR_…) (SMFIP_). */
export const step = {
  NOCONNECT: 0x1,
  NOHELO: 0x2,
  NOMAIL: 0x4,
  NORCPT: 0x8,
  NOBODY: 0x10,
  NOHDRS: 0x20,
  NOEOH: 0x40,
  NR_HDR: 0x80,
  NOUNKNOWN: 0x100,
  NODATA: 0x200,
  SKIP: 0x400,
  NR_CONN: 0x1000,
  NR_HELO: 0x2000,
  NR_MAIL: 0x4000,
  NR_RCPT: 0x8000,
  NR_DATA: 0x10000,
  NR_UNKN: 0x20000,
  NR_EOH: 0x40000,
  NR_BODY: 0x80000,
  HDR_LEADSPC: 0x100000,
} as const;

/** All of them: one session brings one message that is there already, so any part of it may be left out. */
export const offeredSteps: number = Object.values(step).reduce((all, one) => all | one, 0);

/** Commands, to the milter (SMFIC_). */
export const command = {
  BODY: "B",
  CONNECT: "C",
  MACRO: "D",
  BODYEOB: "E",
  HELO: "H",
  HEADER: "L",
  MAIL: "M",
  EOH: "N",
  OPTNEG: "O",
  QUIT: "Q",
  RCPT: "R",
  DATA: "T",
} as const;
export type CommandName = keyof typeof command;

/** Octets of a body's piece. */
export const bodyChunkBytes = 65_535;
