/** Tells tlsrpt how connections went; where control/tlsrpt is 0, nobody. @module */
import type { Home } from "../../../config/home.ts";
import { NoteClient } from "./note_client.ts";
import { longestString, mostStrings, type TlsrptNote } from "./tlsrpt_protocol.ts";

/** One connection to the socket `tlsrpt`. */
export class TlsrptClient extends NoteClient<TlsrptNote> {
  constructor(home: Home) {
    super(
      home,
      "tlsrpt",
      (note) => ({ op: "note", ...note, policyStrings: cut(note.policyStrings) }),
    );
  }
}

function cut(strings: readonly string[]): readonly string[] {
  return strings.slice(0, mostStrings).map((string) => string.slice(0, longestString));
}
