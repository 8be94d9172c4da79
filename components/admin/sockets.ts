/**
 * The world as the other components' sockets tell it.
 * @module
 */
import type { Home } from "../../config/home.ts";
import type { Controls } from "../../config/schema.ts";
import { isQueryName } from "../lib/dns/name.ts";
import type { Ask } from "../lib/doctor/ask.ts";
import { siteOf } from "../lib/doctor/site.ts";
import {
  mostDestinations,
  parseActionReply,
  parseDestinationsReply,
  parsePauseReply,
  parseShowReply,
} from "../lib/wire/control_protocol.ts";
import { parseControls } from "../lib/wire/controls_protocol.ts";
import type { Frame } from "../lib/wire/frame.ts";
import { parseContentReply, parseListReply } from "../lib/wire/qread_protocol.ts";
import { parseResolveReply, type ResolveReply } from "../lib/wire/resolver_protocol.ts";
import { parseQueueStatus, parseSendStatus, parseSupervisorStatus } from "../lib/wire/status_protocol.ts";
import { parseAddressTrace, parseMessageTrace, parseRates, parseTail } from "../lib/wire/trace_protocol.ts";
import { type DepthSample, withSample } from "./depth.ts";
import type { Answer, Overview } from "./overview.ts";
import { ask, type Question } from "./question.ts";
import type { World } from "./world.ts";

/** Statuses are at hand; whoever has to read files may take longer. */
const [statusMs, lookMs, readMs, actMs] = [1000, 3000, 10_000, 30_000];
/** For all questions about a domain: somebody waits for the page, and silent name servers take their time over each. */
const examineMs = 12_000;
const depthEveryMs = 60_000;

/** A {@link World} with what has to be ended when it is not needed any more. */
export interface SocketWorld extends World, Disposable {}

/** `controls`: admin's control files as they are now. */
export function worldOf(home: Home, controls: () => Controls): SocketWorld {
  const put = <T>(socket: Question<T>["socket"], limitMs: number, parse: (frame: Frame) => T, request: object) =>
    ask(home, { socket, request, parse, limitMs });

  const takeOverview = async (): Promise<Overview> => {
    const status = { op: "status" };
    const [supervisor, queue, send] = await Promise.all([
      put("supervisor-status", statusMs, parseSupervisorStatus, status),
      put("queue-status", statusMs, parseQueueStatus, status),
      put("send-status", statusMs, parseSendStatus, status),
    ]);
    return { host: controls().me, homeDir: home.dir, takenAtMs: Date.now(), supervisor, queue, send };
  };
  // Those that nobody has to log in for, or that every open page asks again and again.
  const overview = shared(takeOverview);
  const destinations = shared(() =>
    put("send-control", lookMs, parseDestinationsReply, { op: "destinations", count: mostDestinations })
  );
  const rates = shared(() => put("multilog", lookMs, parseRates, { op: "rates" }));

  let samples: readonly DepthSample[] = [];
  const sample = async () => {
    const { send } = await overview();
    if (send.kind === "answered") samples = withSample(samples, { atMs: Date.now(), messages: send.status.messages });
  };
  void sample();
  const timer = setInterval(() => void sample(), depthEveryMs);

  return {
    me: () => controls().me,
    tokenHash: () => controls().admintoken,
    nowMs: Date.now,
    overview,
    depth: () => samples,
    rates,
    destinations,
    controls: () => put("supervisor-status", lookMs, parseControls, { op: "controls" }),
    list: (question) => put("qread", readMs, parseListReply, { op: "list", ...question }),
    content: (message) => put("qread", readMs, parseContentReply, { op: "content", message }),
    show: (message) => put("send-control", lookMs, parseShowReply, { op: "show", message }),
    act: (op, messages) => put("send-control", actMs, parseActionReply, { op, messages }),
    steer: (op, destination) => put("send-control", lookMs, parsePauseReply, { op, destination }),
    traceMessage: (message, life) => put("multilog", readMs, parseMessageTrace, { op: "trace", message, life }),
    traceAddress: (address, count) => put("multilog", readMs, parseAddressTrace, { op: "trace", address, count }),
    tail: (question) => put("multilog", lookMs, parseTail, { op: "tail", ...question }),
    examine: async (domain, named) => {
      // Loaded when it is first asked for: what reads SPF records takes more memory than all else here.
      const { examine } = await import("../lib/doctor/examine.ts");
      const site = siteOf(controls(), domain, { named, namedBy: "the addresses that were given", own: [] });
      return await examine(domain, site, { ask: askerOf(home), fetchPolicy: undefined, nowMs: Date.now() });
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** Questions that come while one is under way share its answer, so that no flood of them gets through to others. */
function shared<T>(take: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return () => underWay ??= take().finally(() => underWay = undefined);
}

const temporary: ResolveReply = { status: "temporary", authenticated: false, records: [] };

/** Asks the resolver; the same question once. What it has not answered in time nobody knows. */
function askerOf(home: Home): Ask {
  const endMs = performance.now() + examineMs;
  const answers = new Map<string, Promise<Answer<ResolveReply>>>();
  return async (name, type) => {
    const wanted = name.replace(/\.$/, "").toLowerCase();
    if (!isQueryName(wanted)) return { ...temporary, status: "nxdomain" };
    const key = `${wanted} ${type}`;
    const [request, limitMs] = [{ op: "resolve", name: wanted, type }, Math.max(0, endMs - performance.now())];
    const asked = answers.get(key) ?? ask(home, { socket: "resolver", request, parse: parseResolveReply, limitMs });
    answers.set(key, asked);
    const answer = await asked;
    return answer.kind === "answered" ? answer.status : temporary;
  };
}
