/**
 * The two fields that say what a part's octets are (RFC 2045 §5, §6), read strictly: whatever two programs could read in
 * two ways is not understood here.
 * @module
 */

export interface MediaType {
  /** Lower-case. */
  readonly type: string;
  readonly subtype: string;
  /** Undefined: there is none, or none that can be relied on. */
  readonly boundary: string | undefined;
}

const mediaType = /^[ \t\n]*([!#$%&'*+.^_`{|}~\w-]+)\/([!#$%&'*+.^_`{|}~\w-]+)[ \t\n]*(?=;|$)/;
const parameter = /[ \t\n;]*([^ \t\n=;"]+)[ \t\n]*=[ \t\n]*("[^"\\]*"|[^ \t\n;"()<>@,[\]\\]+)[ \t\n]*(?=;|$)/y;
const usableBoundary = /^[ -~]{0,249}[!-~]$/;

/**
 * Reads the value of a Content-Type field, an octet string with its continuation lines; undefined where it is malformed.
 *
 * @example
 * ```ts
 * import { parseMediaType } from "./content_fields.ts";
 * parseMediaType(' Multipart/Mixed; boundary="a b"\n'); // { type: "multipart", subtype: "mixed", boundary: "a b" }
 * ```
 */
export function parseMediaType(value: string): MediaType | undefined {
  const found = mediaType.exec(value);
  if (found === null) return undefined;
  const [whole, type, subtype] = found;
  return {
    type: type!.toLowerCase(),
    subtype: subtype!.toLowerCase(),
    boundary: boundaryOf(value.slice(whole.length)),
  };
}

function boundaryOf(parameters: string): string | undefined {
  let boundary: string | undefined;
  parameter.lastIndex = 0;
  let end = 0;
  for (let found = parameter.exec(parameters); found !== null; found = parameter.exec(parameters)) {
    end = parameter.lastIndex;
    const name = found[1]!.toLowerCase();
    if (!name.startsWith("boundary")) continue;
    // Twice, or in the parts of RFC 2231: which one counts is anybody's guess.
    if (name !== "boundary" || boundary !== undefined) return undefined;
    boundary = found[2]!.replace(/^"(.*)"$/s, "$1");
  }
  if (parameters.slice(end).toLowerCase().includes("boundary")) return undefined;
  return boundary !== undefined && usableBoundary.test(boundary) ? boundary : undefined;
}

const transferEncodings = ["7bit", "8bit", "binary", "quoted-printable", "base64"] as const;
export type TransferEncoding = (typeof transferEncodings)[number];

/** Reads the value of a Content-Transfer-Encoding field; undefined for anything but the five of RFC 2045 §6.1. */
export function parseTransferEncoding(value: string): TransferEncoding | undefined {
  const [name, ...more] = value.split(/[ \t\n]+/).filter((word) => word !== "");
  return more.length > 0 ? undefined : transferEncodings.find((encoding) => encoding === name?.toLowerCase());
}
