/**
 * The dialogues that a local client's session is held against.
 * @module
 */
import { join } from "@std/path";
import { checkout } from "../../support/system.ts";
import { readTranscripts } from "../../support/transcript.ts";

/** The name that the dialogues expect. */
export const me = "mx.example.com";

/** Dialogues of the server that are the same for a local client: nothing in them hangs on who it is. */
const sharedWithServer = ["bare", "http", "lines", "order", "resets", "syntax", "unbuilt"];
export const localTranscripts = [
  ...readTranscripts(join(checkout, "tests/transcripts/sendmail")),
  ...readTranscripts(join(checkout, "tests/transcripts/smtpd")).filter(({ file }) =>
    sharedWithServer.includes(file.replace(/\.txt$/, ""))
  ),
];
