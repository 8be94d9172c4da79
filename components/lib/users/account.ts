/**
 * An account that mail is delivered as, and qmail's sextuple: whose mail it is, and by which `.qmail` file.
 * @module
 */

/** Text that came from a file as octets is kept as an octet string; the home is a path. */
export interface Account {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  /** Absolute path. */
  readonly home: string;
}

export interface Controlled extends Account {
  readonly dash: string;
  /** In its own case. */
  readonly extension: string;
}

/** A user or group number as a file has it; undefined where it is none. */
export function parseId(text: string): number | undefined {
  return /^[0-9]{1,10}$/.test(text) && Number(text) <= 0xffff_ffff ? Number(text) : undefined;
}
