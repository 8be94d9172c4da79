/**
 * mta-sts's shell: the socket `mta-sts`, the resolver, who keeps policies over a restart, the clock, and the connections that policies are fetched over.
 * @module
 */
import type { Controls } from "../../config/schema.ts";
import { isDomain } from "../../config/values.ts";
import { ResolverClient } from "../lib/dns/resolver_client.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { Slots } from "../lib/process/slots.ts";
import type { StsLookup } from "../lib/sts/cache_rules.ts";
import { parseStsRecords } from "../lib/sts/record.ts";
import { serveUnix } from "../lib/wire/server.ts";
import { parseStsRequest, type StsReply } from "../lib/wire/sts_protocol.ts";
import { type FetchOptions, fetchPolicy, type FetchResult } from "./fetch.ts";
import { PolicyMemory } from "./memory.ts";
import { Policies } from "./policies.ts";

/** Each a connection and 64 KiB at the most; whoever waits behind them is served without a policy meanwhile. */
const [mostFetches, mostWaiting] = [20, 1000];
/** The longest that RFC 8461 §3.3 knows is a minute; nobody waits for that: who asked was answered before. */
const defaultFetchMs = 30_000;
/** How often it is looked for policies to fetch anew. */
const refreshMs = 600_000;
const defaultPatienceMs = 8000;
/** Longer than the other process takes to start beside this one; with the patience, less than clients wait. */
const defaultRecallMs = 5000;
const none: StsReply = { kind: "none" };

/** What tests put in the place of the world. */
export interface RunOptions {
  /** For one fetch. */
  readonly fetchMs?: number;
  /** Who asks waits for so long, and is then answered with what is known. */
  readonly patienceMs?: number;
  /** How long whoever keeps policies is waited for at the start. */
  readonly recallMs?: number;
  readonly nowSeconds?: () => number;
}

/** Starts serving. Throws CannotStart on a malformed control file. */
export function run(
  { home }: Start,
  {
    fetchMs = defaultFetchMs,
    patienceMs = defaultPatienceMs,
    recallMs = defaultRecallMs,
    nowSeconds = () => Math.floor(Date.now() / 1000),
  }: RunOptions = {},
): Running {
  const controls = new ControlValues(home, "mta-sts");
  const resolver = new ResolverClient(home);
  const slots = new Slots(mostFetches, mostWaiting);

  async function lookUp(domain: string): Promise<StsLookup> {
    const { status, records } = await resolver.resolve(`_mta-sts.${domain}`, "TXT");
    if (status === "temporary") return { kind: "temporary" };
    const id = parseStsRecords(records.map(({ value }) => value));
    return id === undefined ? { kind: "none" } : { kind: "id", id };
  }

  const policies = new Policies({
    lookUp,
    fetch: (domain) =>
      slots.runUnlessFull(() => fetchPolicy(domain, fetchOptions(controls.current, resolver, fetchMs))),
    patience: (work) => patience(work, patienceMs),
    nowSeconds,
    onFetched: logFetch,
    onKnown: (domain, known) => memory.remember(domain, known),
  });
  const memory = new PolicyMemory(home, policies, recallMs);
  const ask = async (domain: string) => {
    if (memory.ready !== undefined) await memory.ready;
    return await policies.ask(domain);
  };

  const server = serveUnix(home.socket("mta-sts"), {
    onFrame(frame, pipe) {
      const { id, domain } = parseStsRequest(frame);
      const name = domain.toLowerCase();
      // What is no name of a domain (an address literal, say) has no policy.
      const answer = isDomain(name) ? ask(name) : Promise.resolve(none);
      void answer.then((reply) => pipe.send({ id, ...reply }));
      return pipe.drained();
    },
    onError: (error) => logEvent("garbage", { socket: "mta-sts", reason: describeError(error) }),
  });
  let refreshing = false;
  const timer = setInterval(() => {
    if (refreshing) return;
    refreshing = true;
    void policies.refresh().finally(() => refreshing = false);
  }, refreshMs);

  return {
    reload: () => controls.reload(),
    remembers: () => policies.size > 0,
    stop() {
      // Those who need an answer have stopped before; to anybody else the lost connection means what is known.
      clearInterval(timer);
      server.stop();
      server.closeAll();
      memory.close();
      resolver.close();
      return Promise.resolve();
    },
  };
}

/** Behind an answer that comes too late the work goes on. */
async function patience(work: Promise<void>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const enough = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
  await Promise.race([work, enough]).finally(() => clearTimeout(timer));
}

function fetchOptions(
  { mtastsport, mxprivate, tlsclientca }: Controls,
  resolver: ResolverClient,
  limitMs: number,
): FetchOptions {
  return {
    resolve: resolver.resolve.bind(resolver),
    port: mtastsport,
    privateAddresses: mxprivate,
    authorities: tlsclientca === "built in" ? undefined : tlsclientca,
    limitMs,
  };
}

function logFetch(domain: string, result: FetchResult): void {
  if (result.kind === "failed") {
    logEvent("sts_failed", { domain, flaw: result.flaw, why: result.why });
  } else {
    const { mode, mx, maxAgeSeconds } = result.policy;
    logEvent("sts_policy", { domain, mode, mx: mx.join(",") || "-", max_age: maxAgeSeconds });
  }
}
