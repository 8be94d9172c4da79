/**
 * control/dnsbllist and control/dnsallowlist: zones in which clients' addresses are looked up.
 * @module
 */
import { isDomain, type Parse } from "../../../config/values.ts";
import { err, ok } from "../result.ts";
import { type Entrance, entrances } from "./decision.ts";
import { listLines } from "./list_lines.ts";

export interface DnsList {
  readonly zone: string;
  readonly entrances: readonly Entrance[];
  /** Refused for good (553) instead of for now (451). */
  readonly permanent: boolean;
  /** What the client is told, "%IP%" for its address; undefined: that it is listed there. */
  readonly text: string | undefined;
}

const longestText = 300;

/**
 * Lines `zone`, with a "-" in front to refuse for good as rblsmtpd's texts have it, the entrances behind a blank (default
 * smtp alone), and behind a "|" the text for the client.
 */
export const parseDnsLists: Parse<readonly DnsList[]> = (text) => {
  const lists: DnsList[] = [];
  for (const line of listLines(text)) {
    const bar = line.indexOf("|");
    const said = bar < 0 ? undefined : line.slice(bar + 1).trim();
    const [first = "", words = "smtp", ...more] = (bar < 0 ? line : line.slice(0, bar)).trim().split(/[ \t]+/);
    const permanent = first.startsWith("-");
    const zone = first.slice(permanent ? 1 : 0).toLowerCase();
    const named = words.split(",").map((word) => entrances.find((entrance) => entrance === word));
    const known = named.filter((entrance) => entrance !== undefined);
    const isSayable = said === undefined || (said !== "" && said.length <= longestText && /^[ -~]*$/.test(said));
    if (!isDomain(zone) || more.length > 0 || known.length < named.length || !isSayable) {
      return err(
        `expected [-]zone[ entrance,...][|text], entrances of ${entrances.join(", ")}, got ${JSON.stringify(line)}`,
      );
    }
    lists.push({ zone, entrances: known, permanent, text: said });
  }
  return ok(lists);
};
