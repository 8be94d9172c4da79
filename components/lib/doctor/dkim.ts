/**
 * The records of the keys that control/dkim names for the domain.
 * @module
 */
import { txtLine } from "../dkim/keys.ts";
import { type Ask, valuesOf } from "./ask.ts";
import { type Finding, findings } from "./finding.ts";
import type { Site, SiteKey } from "./site.ts";

const dkim = findings("DKIM");

export async function examineDkim(domain: string, { keys }: Site, ask: Ask): Promise<readonly Finding[]> {
  if (keys.length === 0) {
    const why = `control/dkim names no key, mail is not signed; deno task dkim keygen ${domain} makes one`;
    return [dkim.missing(domain, why)];
  }
  return await Promise.all(keys.map((key) => examineKey(key, ask)));
}

/** Tags by name, their values without blanks: base64 may be folded (RFC 6376 §3.2). */
function tagsOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(";").flatMap((part) => {
      const [, name, value] = /^\s*([a-z]+)\s*=(.*)$/is.exec(part) ?? [];
      return name === undefined ? [] : [[name, value!.replace(/\s+/g, "")] as const];
    }),
  );
}

async function examineKey({ domain, selector, record }: SiteKey, ask: Ask): Promise<Finding> {
  const name = `${selector.name}._domainkey.${domain}`;
  if (record === "unseen") return await examineUnseenKey(name, selector.from, ask);
  if (!record.ok) return dkim.wrong(name, record.error);
  const wanted = [txtLine(name, record.value)];
  const reply = await ask(name, "TXT");
  if (reply.status === "temporary") return dkim.unsure(name, "no name server gave an answer");
  const [text, ...more] = valuesOf(reply);
  const since = selector.from === "" ? "" : ` (it signs from ${selector.from} on)`;
  if (text === undefined) return dkim.missing(name, `nobody can check what this key signs${since}`, wanted);
  if (more.length > 0) return dkim.wrong(name, `${more.length + 1} records; there has to be one`, wanted);
  const [published, ours] = [tagsOf(text), tagsOf(record.value)];
  if (published.get("p") === "") return dkim.wrong(name, "the record says that the key is withdrawn", wanted);
  const isSame = published.get("p") === ours.get("p") && (published.get("k") ?? "rsa") === ours.get("k");
  if (!isSame) return dkim.wrong(name, "the record is about another key", wanted);
  const flags = published.get("t")?.split(":") ?? [];
  if (flags.includes("y")) {
    return dkim.note(name, "the record says t=y: it is only a test, and signatures do not count");
  }
  return dkim.good(name, `${ours.get("k")} key, as here${since}`);
}

/** Whether there is a record at all, for those who may not read the key it has to be about. */
async function examineUnseenKey(name: string, from: string, ask: Ask): Promise<Finding> {
  const reply = await ask(name, "TXT");
  if (reply.status === "temporary") return dkim.unsure(name, "no name server gave an answer");
  const [text, ...more] = valuesOf(reply);
  const since = from === "" ? "" : ` (it signs from ${from} on)`;
  if (text === undefined) return dkim.missing(name, `nobody can check what this key signs${since}`);
  if (more.length > 0) return dkim.wrong(name, `${more.length + 1} records; there has to be one`);
  const key = tagsOf(text).get("p");
  if (key === undefined) return dkim.wrong(name, "the record holds no key");
  if (key === "") return dkim.wrong(name, "the record says that the key is withdrawn");
  return dkim.good(name, `there is a record${since}; whether it is about the key that signs, deno task doctor tells`);
}
