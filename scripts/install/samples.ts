/**
 * Sets of control files to begin with, from config/samples: for a host that has none.
 * @module
 */
import { join } from "@std/path";
import { isDomain } from "../../config/values.ts";
import { checkout } from "../home/checkout.ts";

export const samples = ["single", "relay", "mini", "rspamd"] as const;
export type Sample = (typeof samples)[number];

const folder = join(checkout, "config", "samples");

/** What stands in the samples for the host's own values. */
const placeholders = { me: "mail.example.org", domain: "example.org", relay: "relay.example.net", qmqp: "192.0.2.1" };

export interface SampleValues {
  /** This host's full name. */
  readonly me: string;
  /** The domain whose mail it takes; absent: `me` without its first label. */
  readonly domain?: string | undefined;
  /** Where all mail goes (the sample "relay"). */
  readonly relay?: string | undefined;
  /** The server's address that mail is handed to (the sample "mini"). */
  readonly qmqp?: string | undefined;
}

/** `me` without its first label, as qmail's config-fast makes the domain; itself where too little would be left. */
export function domainOf(me: string): string {
  const rest = me.slice(me.indexOf(".") + 1);
  return rest.includes(".") ? rest : me;
}

/** What keeps a sample from being used with these values, undefined where nothing does. */
export function sampleDefect(sample: Sample, { me, domain, relay, qmqp }: SampleValues): string | undefined {
  if (!isDomain(me)) return `--me: expected this host's full name, got ${JSON.stringify(me)}`;
  if (domain !== undefined && !isDomain(domain)) return `--domain: expected a domain, got ${JSON.stringify(domain)}`;
  if (sample === "relay" && relay === undefined) return "the sample relay needs --relay HOST, where all mail goes";
  if (sample === "mini" && qmqp === undefined) {
    return "the sample mini needs --qmqp ADDRESS, the server mail is handed to";
  }
  return undefined;
}

/** The sample's files by name, with this host's values in the place of the examples. */
export function readSample(sample: Sample, values: SampleValues): ReadonlyMap<string, string> {
  const dir = join(folder, sample);
  const all: Record<keyof typeof placeholders, string> = {
    me: values.me,
    domain: values.domain ?? domainOf(values.me),
    relay: values.relay ?? placeholders.relay,
    qmqp: values.qmqp ?? placeholders.qmqp,
  };
  const examples = new Map(Object.entries(placeholders).map(([name, word]) => [word, all[name as keyof typeof all]]));
  const pattern = new RegExp(Object.values(placeholders).map((word) => word.replaceAll(".", "\\.")).join("|"), "g");
  return new Map(
    Array.from(Deno.readDirSync(dir), ({ name }) => name).filter((name) => name !== "README.md").sort().map((name) => [
      name,
      Deno.readTextFileSync(join(dir, name)).replace(pattern, (word) => examples.get(word)!),
    ]),
  );
}
