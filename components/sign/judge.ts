/**
 * What is signed, and what is sealed. Mail that goes unsigned is no trouble: it passes as it came.
 * @module
 */
import { arcSet } from "../lib/dkim/arc.ts";
import { authorDomain } from "../lib/dkim/author.ts";
import { type HeaderField, relaxedBodyHash, splitMessage, withLfLines } from "../lib/dkim/canonical.ts";
import { dkimSignature, type Signing } from "../lib/dkim/sign.ts";
import type { Signers } from "../lib/dkim/signers.ts";
import type { FilterMessage, Judge, Verdict } from "../lib/filters/filter.ts";
import { toOctets } from "../lib/octets.ts";

/** What a judge knows of the world. */
export interface World {
  signers(): Signers;
  nowSeconds(): number;
  /** Domain whose key seals; "": none. */
  sealer(): string;
  /** Our name in Authentication-Results. */
  authservId(): string;
  /** Something the operator may want to know: why mail with a key goes without. */
  note(event: string, fields: Readonly<Record<string, string>>): void;
}

const pass: Verdict = { kind: "pass" };

/** Fields that a message gets on its way: one that has them was brought by somebody else before. */
const traces = new Set(["delivered-to", "return-path", "resent-from"]);

/**
 * Whether it has been on its way before it came to us. One Received is that of our server, or of sendmail -bs; whatever a
 * stranger brought has the queue's beside it, once it is handed in again.
 */
function hasTravelled(fields: readonly HeaderField[]): boolean {
  return fields.filter(({ name }) => name === "received").length > 1 || fields.some(({ name }) => traces.has(name));
}

/**
 * Whether it is ours to sign: of somebody who has logged in, or else written here or by a client that may relay. A forward
 * is a stranger's, and so may be what a program of a .qmail file hands in again or a gateway brings: to sign that would lend
 * our name to whoever writes it into From.
 */
export function isOurs({ client }: FilterMessage, fields: readonly HeaderField[]): boolean {
  if (client === undefined || client.entrance === "forward") return false;
  if (client.login !== undefined) return true;
  return (client.relaying || client.entrance === "local") && !hasTravelled(fields);
}

/** The filter sign. */
export function signJudge(world: World): Judge {
  return async (message) => {
    const split = splitMessage(withLfLines(message.content));
    if (split === undefined || !isOurs(message, split.fields)) return pass;
    const domain = authorDomain(split.fields);
    const nowSeconds = world.nowSeconds();
    const keys = domain === undefined ? [] : world.signers().forAuthor(domain, nowSeconds);
    if (keys.length === 0) return pass;
    const signing: Signing = { fields: split.fields, bodyHash: relaxedBodyHash(split.body), nowSeconds };
    const signatures = await Promise.all(keys.map((key) => dkimSignature(signing, key)));
    return { kind: "pass", header: toOctets(signatures.join("")) };
  };
}

/** The filter arcseal: whatever it is given is sealed, as far as the filter verify has judged it here. */
export function sealJudge(world: World): Judge {
  return async ({ content, sender }) => {
    const nowSeconds = world.nowSeconds();
    const sealer = world.sealer();
    const keys = sealer === "" ? [] : world.signers().forAuthor(sealer, nowSeconds);
    // RFC 8617 §4.1.3 knows no other algorithm that verifiers have.
    const key = keys.find(({ algorithm }) => algorithm === "rsa-sha256");
    const split = key === undefined ? undefined : splitMessage(withLfLines(content));
    if (key === undefined || split === undefined) return pass;
    const signing: Signing = { fields: split.fields, bodyHash: relaxedBodyHash(split.body), nowSeconds };
    const sealed = await arcSet(signing, world.authservId(), key);
    if (sealed.kind === "set") return { kind: "pass", header: toOctets(sealed.text) };
    world.note("unsealed", { sender, reason: sealed.kind });
    return pass;
  };
}
