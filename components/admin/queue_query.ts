/**
 * What a request for a page of the queue asks for, from its URL and back.
 * @module
 */
import { utf8Octets } from "../lib/octets.ts";
import {
  type ListedState,
  listedStates,
  mostRows,
  type SortKey,
  sortKeys,
  type SortOrder,
  sortOrders,
} from "../lib/wire/qread_protocol.ts";
import type { QueueQuestion } from "./world.ts";

/** The question as the operator wrote it: text, not octets. */
export interface QueueQuery {
  readonly text: string;
  readonly sender: string;
  readonly recipient: string;
  readonly domain: string;
  readonly state: ListedState | "";
  readonly sort: SortKey;
  readonly order: SortOrder;
  readonly after: string;
  readonly count: number;
}

export const defaultQuery: QueueQuery = {
  text: "",
  sender: "",
  recipient: "",
  domain: "",
  state: "",
  sort: "born",
  order: "descending",
  after: "",
  count: 50,
};

/** Longer than any address. */
const longestWord = 1000;

/** Reads a URL's words; what is none of ours, or makes no sense, counts as absent. */
export function parseQueueQuery(words: URLSearchParams): QueueQuery {
  const text = (name: string) => (words.get(name) ?? "").trim().slice(0, longestWord);
  const oneOf = <const W extends string>(name: string, choices: readonly W[]) =>
    choices.find((choice) => choice === words.get(name));
  const count = Number(words.get("count") ?? defaultQuery.count);
  return {
    text: text("text"),
    sender: text("sender"),
    recipient: text("recipient"),
    domain: text("domain"),
    state: oneOf("state", listedStates) ?? "",
    sort: oneOf("sort", sortKeys) ?? defaultQuery.sort,
    order: oneOf("order", sortOrders) ?? defaultQuery.order,
    after: (words.get("after") ?? "").slice(0, 2 * longestWord),
    count: Number.isSafeInteger(count) ? Math.min(Math.max(count, 1), mostRows) : defaultQuery.count,
  };
}

/** The path of the page that asks this; what is as usual is left out. */
export function queuePath(query: QueueQuery): string {
  const words = Object.entries(query).filter(([name, value]) => value !== defaultQuery[name as keyof QueueQuery])
    .map(([name, value]): [string, string] => [name, String(value)]);
  return words.length === 0 ? "/queue" : `/queue?${new URLSearchParams(words)}`;
}

/** The word for the null reverse-path in a search. */
const nullPath = "<>";

/** The question to qread; addresses become octets. */
export function questionOf(
  { text, sender, recipient, domain, state, sort, order, after, count }: QueueQuery,
): QueueQuestion {
  return {
    sort,
    order,
    count,
    ...(after === "" ? {} : { after }),
    filter: {
      ...(sender !== "" ? { sender: sender === nullPath ? "" : utf8Octets(bare(sender)) } : {}),
      ...(recipient !== "" ? { recipient: utf8Octets(bare(recipient)) } : {}),
      ...(domain !== "" ? { domain: utf8Octets(domain.replace(/^@/, "")) } : {}),
      ...(state === "" ? {} : { state }),
      ...(text !== "" ? { text: utf8Octets(bare(text)) } : {}),
    },
  };
}

/** An address may have been copied with its angle brackets, a message's number with its hash sign. */
export function bare(text: string): string {
  return text.replace(/^<(.*)>$/s, "$1").replace(/^#(?=[0-9]+$)/, "");
}

/** The other order of a column that the page is sorted by; a column's own first order for another. */
export function sortedBy(query: QueueQuery, sort: SortKey): QueueQuery {
  const first: SortOrder = sort === "sender" || sort === "next" || sort === "id" ? "ascending" : "descending";
  const turned: SortOrder = query.order === "ascending" ? "descending" : "ascending";
  return { ...query, sort, order: query.sort === sort ? turned : first, after: "" };
}
