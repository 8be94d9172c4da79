/**
 * ARC sealing (RFC 8617 §5.1): what we saw of a message's authentication, in a form that the next hosts can check after a
 * forward has broken SPF, or a list DKIM.
 * @module
 */
import { type HeaderField, relaxedField } from "./canonical.ts";
import { coveredText, foldTags, signedField, type Signing, type SigningKey } from "./sign.ts";

/** RFC 8617 §4.2.1. */
const mostSets = 50;
const setNames = ["arc-authentication-results", "arc-message-signature", "arc-seal"] as const;

/** Covered by the message signature. RFC 8617 §4.1.2: other fields of ARC and Authentication-Results are not. */
const coveredByMessageSignature = new Set([
  ...["from", "sender", "reply-to", "subject", "date", "message-id", "to", "cc", "mime-version", "content-type"],
  ...["content-transfer-encoding", "in-reply-to", "references", "dkim-signature", "list-id", "list-unsubscribe"],
  "list-unsubscribe-post",
]);

type ArcSet = Readonly<Record<(typeof setNames)[number], HeaderField>>;

/** `none`: no sets. `broken`: sets that are not one of each kind for 1 to N, or too many. */
type Chain = { readonly kind: "sets"; readonly sets: readonly ArcSet[] } | { readonly kind: "broken" };

function valueOf({ text }: HeaderField): string {
  return text.slice(text.indexOf(":") + 1);
}

function tagOf(field: HeaderField, tag: string): string | undefined {
  for (const one of valueOf(field).split(";")) {
    const [, name, value] = /^\s*([a-z]+)\s*=\s*([^\s]*)\s*$/i.exec(one) ?? [];
    if (name?.toLowerCase() === tag) return value;
  }
  return undefined;
}

function chainOf(fields: readonly HeaderField[]): Chain {
  const found = new Map<string, HeaderField>();
  let count = 0;
  for (const field of fields) {
    if (!(setNames as readonly string[]).includes(field.name)) continue;
    const instance = tagOf(field, "i");
    if (instance === undefined || !/^[0-9]{1,2}$/.test(instance)) return { kind: "broken" };
    const key = `${field.name} ${Number(instance)}`;
    if (found.has(key)) return { kind: "broken" };
    found.set(key, field);
    count++;
  }
  const sets: ArcSet[] = [];
  for (let at = 1; at <= count / setNames.length; at++) {
    const set = setNames.map((name) => found.get(`${name} ${at}`));
    if (set.includes(undefined)) return { kind: "broken" };
    sets.push(Object.fromEntries(set.map((field) => [field!.name, field!])) as ArcSet);
  }
  return count === sets.length * setNames.length ? { kind: "sets", sets } : { kind: "broken" };
}

/**
 * The results of the Authentication-Results field (RFC 8601) that this host put there: the first one, for those that were
 * there before stand below it. Without blanks at the ends and line ends; undefined: there is none.
 */
export function ownResults(fields: readonly HeaderField[], authservId: string): string | undefined {
  for (const field of fields) {
    if (field.name !== "authentication-results") continue;
    const value = valueOf(field).replace(/[\n\t ]+/g, " ").trim();
    const [, id] = /^"?([^\s;"]+)"?[^;]*;/.exec(value) ?? [];
    if (id?.toLowerCase() === authservId.toLowerCase()) return value;
  }
  return undefined;
}

/** `not-checked`: nobody here has looked at the chain that is there, or at the message. `ended`: nobody may add to it. */
export type Unsealed = "not-checked" | "ended";

/** What comes in front of the message, LF lines; or why it stays as it is. `key`: an RSA one. */
export async function arcSet(
  signing: Signing,
  authservId: string,
  key: SigningKey,
): Promise<{ readonly kind: "set"; readonly text: string } | { readonly kind: Unsealed }> {
  const { fields, bodyHash, nowSeconds } = signing;
  const results = ownResults(fields, authservId);
  if (results === undefined) return { kind: "not-checked" };
  const chain = chainOf(fields);
  // Nothing is to be added to what has no order or has failed before (RFC 8617 §5.1.1, §5.1.2).
  if (chain.kind === "broken" || chain.sets.length >= mostSets) return { kind: "ended" };
  const { sets } = chain;
  const last = sets.at(-1);
  if (last !== undefined && tagOf(last["arc-seal"], "cv")?.toLowerCase() === "fail") return { kind: "ended" };
  const seen = /(?:^|;)\s*arc\s*=\s*(none|pass|fail)\b/i.exec(results)?.[1]?.toLowerCase();
  const validity = last === undefined ? "none" : seen;
  if (last !== undefined && validity !== "pass" && validity !== "fail") return { kind: "not-checked" };

  const instance = `i=${sets.length + 1}`;
  const own = [`a=${key.algorithm}`, `d=${key.domain}`, `s=${key.selector}`, `t=${nowSeconds}`];
  const [id = "", ...rest] = results.split(";").map((part) => part.trim());
  const authentication = foldTags("ARC-Authentication-Results", [instance, id, ...rest]);
  const names = fields.filter(({ name }) => coveredByMessageSignature.has(name)).map(({ name }) => name);
  const messageTags = [instance, ...own, "c=relaxed/relaxed", `h=${names.join(":")}`, `bh=${bodyHash}`, "b="];
  const messageField = foldTags("ARC-Message-Signature", messageTags);
  const message = await signedField(messageField, coveredText(fields, names), key);
  // A failed chain is what is sealed no more: only the new set is covered then.
  const before = validity === "fail" ? [] : sets.flatMap((set) => setNames.map((name) => set[name]));
  const covered = [
    ...before,
    { name: setNames[0], text: authentication },
    { name: setNames[1], text: message.slice(0, -1) },
  ];
  const sealField = foldTags("ARC-Seal", [instance, ...own, `cv=${validity}`, "b="]);
  const seal = await signedField(sealField, covered.map((field) => `${relaxedField(field)}\r\n`).join(""), key);
  return { kind: "set", text: `${seal}${message}${authentication}\n` };
}
