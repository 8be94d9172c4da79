/**
 * What the doctor finds, as data.
 * @module
 */

export const topics = [
  "host",
  "MX",
  "address",
  "PTR",
  "SPF",
  "DKIM",
  "DMARC",
  "MTA-STS",
  "TLS-RPT",
  "TLSA",
  "certificate",
] as const;
export type Topic = (typeof topics)[number];

/** `note`: nothing has to be done, but somebody may want to know. `unsure`: nobody could say. */
export type State = "good" | "missing" | "wrong" | "unsure" | "note";

export interface Finding {
  readonly topic: Topic;
  readonly state: State;
  /** What it is about: a name or an address. */
  readonly subject: string;
  readonly why: string;
  /** Lines of a zone file, or of another file, that would make it good. */
  readonly paste?: readonly string[];
}

/** Findings of one topic. */
export function findings(topic: Topic) {
  const make = (state: State) => (subject: string, why: string, paste?: readonly string[]): Finding => ({
    topic,
    state,
    subject,
    why,
    ...(paste === undefined ? {} : { paste }),
  });
  return {
    good: make("good"),
    missing: make("missing"),
    wrong: make("wrong"),
    unsure: make("unsure"),
    note: make("note"),
  };
}

/** 0: all is good; 1: there is something to do; 111: nothing that is known, but not all could be asked. */
export function exitCodeOf(found: readonly Finding[]): 0 | 1 | 111 {
  if (found.some(({ state }) => state === "missing" || state === "wrong")) return 1;
  return found.some(({ state }) => state === "unsure") ? 111 : 0;
}
