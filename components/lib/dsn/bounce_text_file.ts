/**
 * control/custombouncetext (qmail-ldap's name): what the operator has to say in a bounce.
 * @module
 */
import type { Parse } from "../../../config/values.ts";
import { err, ok } from "../result.ts";

const mostOctets = 2000;

/**
 * The text, its lines with LF behind each; "" for none. Programs that read bounces take a paragraph that begins with "<" for
 * a recipient's, and one that begins with "-" for the end of them.
 */
export const parseBounceText: Parse<string> = (text) => {
  const lines = text.split("\n").map((line) => line.trimEnd());
  const wrong = lines.find((line) => /^[<-]|[^ -~]/.test(line));
  if (wrong !== undefined) {
    return err(`expected lines of ASCII that begin neither with < nor with -, got ${JSON.stringify(wrong)}`);
  }
  const said = lines.join("\n").replace(/^\n+|\n+$/g, "");
  if (said.length > mostOctets) return err(`expected at most ${mostOctets} octets, got ${said.length}`);
  return ok(said === "" ? "" : `${said}\n`);
};
