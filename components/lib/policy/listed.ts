/**
 * Looking up a client's address in DNS lists (RFC 5782).
 * @module
 */
import type { DnsList } from "./dns_lists_file.ts";
import { listedName } from "./networks.ts";
import type { DnsAnswer, Oracles, Soon } from "./oracles.ts";
import { allSoon, soon } from "./rule.ts";

/** The first list that has the address; `failed`: one of the lists gave no answer. */
export interface Listing {
  readonly list: DnsList | undefined;
  readonly failed: boolean;
}

const nowhere: Listing = { list: undefined, failed: false };

/** Asks all the lists at once. */
export function listedBy(ip: string, lists: readonly DnsList[], oracles: Oracles): Soon<Listing> {
  const names = lists.map(({ zone }) => listedName(ip, zone));
  if (names.includes(undefined)) return nowhere;
  return soon(allSoon(names.map((name) => oracles.dns(name!, "A"))), (answers) => ({
    list: lists.find((_, at) => hasIt(answers[at]!)),
    failed: answers.some(isFailure),
  }));
}

/**
 * A listing is an address in 127.0.0.0/8 (RFC 5782 §2.3); any other comes from a name server that answers everything.
 * 127.255.255.0/24 is what lists say to those whom they do not serve.
 */
function hasIt(answer: DnsAnswer): boolean {
  return answer.kind === "answers" &&
    answer.records.some(({ value }) => value.startsWith("127.") && !value.startsWith("127.255.255."));
}

function isFailure(answer: DnsAnswer): boolean {
  return answer.kind === "failure" ||
    (answer.kind === "answers" && answer.records.some(({ value }) => value.startsWith("127.255.255.")));
}
