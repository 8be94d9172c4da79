/**
 * What a bounce needs to know of the message that failed, from its first octets. The message is somebody else's: nothing of
 * its header is taken over unless it is what it should be.
 * @module
 */

/** The header at the beginning of a message, up to the empty line, which is left out. */
export function headerOf(beginning: string): string {
  if (beginning.startsWith("\n")) return "";
  const end = beginning.indexOf("\n\n");
  return end < 0 ? beginning : beginning.slice(0, end + 1);
}

/** As many whole fields as fit into `limit` octets. */
export function cutHeader(header: string, limit: number): string {
  if (header.length <= limit) return header;
  if (limit <= 0) return "";
  let end = header.lastIndexOf("\n", limit - 1) + 1;
  // A cut before a blank would be one within a field.
  while (end > 0 && isBlank(header[end])) end = end === 1 ? 0 : header.lastIndexOf("\n", end - 2) + 1;
  return header.slice(0, end);
}

function isBlank(octet: string | undefined): boolean {
  return octet === " " || octet === "\t";
}

/** Octets of an id that still goes into one line with the name of its field. */
const longestMessageId = 900;
const fieldName = "message-id:";

/** The first Message-ID of a header, with its brackets; `undefined` where there is none, or one that is malformed. */
export function messageIdOf(header: string): string | undefined {
  const lines = header.split("\n");
  const at = lines.findIndex((line) => line.slice(0, fieldName.length).toLowerCase() === fieldName);
  if (at < 0) return undefined;
  let id = lines[at]!.slice(fieldName.length);
  // Some programs put a long id on a line of its own; more than one further line is no id.
  if (isBlank(lines[at + 1]?.[0])) id += lines[at + 1];
  id = id.trim();
  return id.length <= longestMessageId && /^<[!-;=?-~]+>$/.test(id) && id.includes("@") ? id : undefined;
}
