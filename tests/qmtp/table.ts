/**
 * The conformance table: what QMTP and QMQP servers answer to these octets. The file says itself what its fields mean; it
 * is there for servers of other makes, too.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { formatNetstring } from "../../components/lib/qmtp/netstring.ts";

/** Octet strings. */
export interface TableRow {
  readonly name: string;
  readonly input: readonly (string | { readonly repeat: string; readonly times: number })[];
  readonly answers: readonly string[];
  readonly queued: readonly {
    readonly sender: string;
    readonly recipients: readonly string[];
    readonly text: string;
  }[];
  readonly end: "open" | "closed";
  readonly databytes?: number;
}

export type Protocol = "qmtp" | "qmqp";

export const protocols: readonly Protocol[] = ["qmtp", "qmqp"];

const table: Readonly<Record<Protocol, readonly TableRow[]>> = JSON.parse(
  Deno.readTextFileSync(new URL("conformance.json", import.meta.url)),
);

export function rowsOf(protocol: Protocol): readonly TableRow[] {
  return table[protocol];
}

export function inputOf({ input }: TableRow): string {
  return input.map((part) => typeof part === "string" ? part : part.repeat.repeat(part.times)).join("");
}

/** What a server did. `said` is an octet string; the messages come without a Received field of the server's own. */
export interface Done {
  readonly said: string;
  readonly queued: TableRow["queued"];
  readonly end: TableRow["end"];
}

/** Holds it against the row. */
export function assertRow(row: TableRow, done: Done): void {
  let said = done.said;
  for (const answer of row.answers) {
    const got = /^([0-9]+):/.exec(said);
    assert(got !== null, `expected an answer ${answer}, got ${JSON.stringify(said)}`);
    const octets = said.slice(got[0].length, got[0].length + Number(got[1]));
    assertEquals(said.slice(0, got[0].length + octets.length + 1), formatNetstring(octets));
    const pattern = answer.replace(/[.()]/g, "\\$&").replaceAll("*", "[0-9]+");
    assert(new RegExp(`^${pattern}$`).test(octets), `expected ${answer}, got ${octets}`);
    said = said.slice(got[0].length + octets.length + 1);
  }
  assertEquals(said, "");
  assertEquals(done.queued, row.queued);
  assertEquals(done.end, row.end);
}

/** A queued message's text, its first field's two lines apart, which have to be the server's own. */
export function textBehindReceived(content: string, protocol: Protocol): string {
  const word = protocol.toUpperCase();
  const match = new RegExp(`^Received: from unknown \\(\\[127\\.0\\.0\\.1\\]\\)\\n  by \\S+ with ${word}; .*\\n`).exec(
    content,
  );
  assert(match !== null, `expected a Received field with ${word}, got ${JSON.stringify(content.slice(0, 200))}`);
  return content.slice(match[0].length);
}
