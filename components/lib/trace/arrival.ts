/**
 * How a message came in: the line by which a server, or the bounce of another message, put it into the queue, tied by its
 * `qp`; and what was said of that client's session and by filters, tied by client, sender and time.
 * @module
 */
import type { TraceEvent } from "./event.ts";
import { inOrder, type Life, type Placed, placed, type Search } from "./lives.ts";
import { backwards, type LogText, type Spent } from "./search.ts";

/** Octets of the log in front of a message's first line, and behind it (components' lines are some 40 ms late), that are looked through. */
const [frontBytes, behindBytes] = [4 * 1024 * 1024, 512 * 1024];
/** A session before its message; what a filter said before the server's line, and after it. */
const [sessionMs, filterMs, skewMs] = [600_000, 120_000, 500];

/** Answers `life` with the events of its arrival put in their places. */
export function* withArrival(log: LogText, life: Life, spent: Spent, limit: number): Search<Life> {
  const first = life.events.find(({ event }) => event.kind === "info");
  const qp = first?.event.qp;
  // The number of a life whose first lines are lost is not known.
  if (first === undefined || qp === undefined) return life;
  const near = { from: Math.max(0, first.at - frontBytes), to: Math.min(log.size, first.at + behindBytes) };
  const arrival = nearest(
    (yield* collect(log, [`qp=${qp}`, `qp ${qp}`, `"qp":${qp}`], near, spent, limit)).filter(({ event }) =>
      event.qp === qp && (event.kind === "accepted" || event.kind === "bounce" || event.kind === "report")
    ),
    first.at,
  );
  if (arrival === undefined) return life;
  const { ip } = arrival.event;
  if (ip === undefined) return { ...life, events: inOrder([arrival, ...life.events]) };
  const about = yield* collect(
    log,
    [`ip=${ip}`, `"ip":${JSON.stringify(ip)}`, ...senderWords(arrival.event)],
    {
      ...near,
      to: Math.min(log.size, arrival.at + behindBytes),
    },
    spent,
    limit,
  );
  return { ...life, events: inOrder([arrival, ...sessionOf(arrival, about), ...life.events]) };
}

/** Filters that do not tell the client. */
function senderWords({ sender = "" }: TraceEvent): readonly string[] {
  return sender === "" ? [] : [`from=${sender}`, `sender=${sender}`, `"from":${JSON.stringify(sender)}`];
}

function* collect(
  log: LogText,
  words: readonly string[],
  range: { readonly from: number; readonly to: number },
  spent: Spent,
  limit: number,
): Search<readonly Placed[]> {
  const found: Placed[] = [];
  for (const { hits } of backwards(log, words, range)) {
    for (const hit of hits) {
      const one = placed(hit);
      if (one !== undefined) found.push(one);
    }
    yield;
    if (spent() > limit) break;
  }
  return found;
}

function nearest(found: readonly Placed[], at: number): Placed | undefined {
  return found.reduce<Placed | undefined>(
    (best, one) => best === undefined || Math.abs(one.at - at) < Math.abs(best.at - at) ? one : best,
    undefined,
  );
}

/**
 * What belongs to the session in which `accepted` was said, as far as that can be told: the last TLS handshake and login
 * of this client before it, and since its last message from the same sender what was refused and what filters said.
 */
export function sessionOf(accepted: Placed, about: readonly Placed[]): readonly Placed[] {
  const { event: { atMs, ip, sender, component }, at } = accepted;
  const before = about.filter((one) => one.at < at && one.event.atMs >= atMs - sessionMs && one.event.ip === ip);
  const newest = (ones: readonly Placed[]) => ones.toSorted((one, other) => other.at - one.at)[0];
  const ofSession = before.filter(({ event }) => event.component === component);
  const tls = newest(ofSession.filter(({ event }) => event.kind === "connection" && event.tls !== undefined));
  const login = newest(ofSession.filter(({ event }) => event.kind === "connection" && event.login !== undefined));
  const mine = (event: TraceEvent) => event.sender === sender && (event.ip === undefined || event.ip === ip);
  const sinceMs = newest(before.filter(({ event }) => event.kind === "accepted" && mine(event)))?.event.atMs ?? 0;
  const said = about.filter(({ event, at: place }) =>
    mine(event) && event.atMs > sinceMs && event.atMs >= atMs - filterMs && event.atMs <= atMs + skewMs &&
    (event.kind === "filter" || (event.kind === "refused" && place < at))
  );
  const own = accepted.event.login === undefined ? [] : [login];
  return [tls, ...own, ...said].flatMap((one): Placed[] =>
    one === undefined ? [] : [{ at: one.at, event: { ...one.event, tie: "likely" } }]
  );
}
