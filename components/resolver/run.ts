/**
 * The resolver's shell: the socket `resolver`, the cache, the lookups under way, the clock.
 * @module
 */
import { nameserversOf, resolvConfPath } from "../../config/nameservers.ts";
import type { Controls } from "../../config/schema.ts";
import type { Endpoint } from "../../config/values.ts";
import { ifThere } from "../lib/disk/if_there.ts";
import { isQueryName } from "../lib/dns/name.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import { netAddress } from "../lib/permissions/grant.ts";
import { CannotStart, type Running, type Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { parseResolveRequest, type ResolveReply } from "../lib/wire/resolver_protocol.ts";
import { serveUnix } from "../lib/wire/server.ts";
import { AnswerCache, keyOf } from "./cache.ts";
import { exchange } from "./exchange.ts";
import { type Answer, beginLookup, continueLookup, temporaryAnswer } from "./lookup.ts";
import { believesAd, localEndOf, NameServers, type TrustAd } from "./name_servers.ts";
import type { Question } from "./packet.ts";
import { Slots } from "../lib/process/slots.ts";

/** A socket each; a process usually may open 1024. */
const mostUnderWay = 256;
const mostWaiting = 10_000;

const nxdomain: ResolveReply = { status: "nxdomain", authenticated: false, records: [] };

/** Starts serving. Throws {@link CannotStart} on a malformed control file. */
export function run({ home }: Start): Running {
  const controls = new ControlValues(home, "resolver");
  const first = readServers(controls.current);
  if (typeof first === "string") throw new CannotStart(first);
  let servers = new NameServers(first);
  let trustAd: TrustAd = controls.current.trustad;
  const cache = new AnswerCache();
  const underWay = new Map<string, Promise<ResolveReply>>();
  const slots = new Slots(mostUnderWay, mostWaiting);

  async function resolveAfresh(key: string, question: Question): Promise<ResolveReply> {
    const asked = servers;
    try {
      const nowMs = performance.now();
      const answer = await slots.runUnlessFull(() => lookUp(question, asked, trustAd, nowMs)) ?? temporaryAnswer;
      // What the servers of before a reload said is still an answer, but none to remember.
      if (asked === servers) cache.put(key, answer, performance.now());
      return answer.reply;
    } finally {
      underWay.delete(key);
    }
  }

  const server = serveUnix(home.socket("resolver"), {
    onError: (error) => logEvent("client_error", { error: describeError(error) }),
    onFrame(frame, pipe) {
      const { id, name, type } = parseResolveRequest(frame);
      const question = { name: name.toLowerCase(), type };
      const key = keyOf(question);
      const known = isQueryName(name) ? cache.get(key, performance.now()) : nxdomain;
      if (known !== undefined) {
        pipe.send({ id, ...known });
      } else {
        let reply = underWay.get(key);
        if (reply === undefined) underWay.set(key, reply = resolveAfresh(key, question));
        void reply.then((reply) => pipe.send({ id, ...reply }));
      }
      return pipe.drained();
    },
  });

  return {
    reload() {
      const defects = controls.reload();
      if (defects.length > 0) return defects;
      const read = readServers(controls.current);
      if (typeof read === "string") return [read];
      servers = new NameServers(read);
      trustAd = controls.current.trustad;
      cache.clear();
      return [];
    },
    stop() {
      // Those who need an answer have stopped before; to anybody else the lost connection means "temporary".
      server.stop();
      server.closeAll();
      return Promise.resolve();
    },
  };
}

/** The servers to ask, or what stands in the way: this process may ask only those it was started for. */
function readServers(controls: Controls): readonly Endpoint[] | string {
  let resolvConf: string | undefined;
  try {
    if (controls.nameservers.length === 0) resolvConf = ifThere(() => Deno.readTextFileSync(resolvConfPath));
  } catch (error) {
    return `cannot read ${resolvConfPath}: ${describeError(error)}`;
  }
  const servers = nameserversOf(controls, resolvConf);
  const addresses = servers.flatMap((server) => [netAddress(server), netAddress(localEndOf(server))]);
  const refused = addresses.find((host) => Deno.permissions.querySync({ name: "net", host }).state !== "granted");
  return refused === undefined ? servers : `this process may not use ${refused}: restart it for these name servers`;
}

/** `sinceMs`: when it was asked for; the wait for a slot counts, since the client waits as well. */
async function lookUp(
  question: Question,
  servers: NameServers,
  trustAd: TrustAd,
  sinceMs: number,
): Promise<Answer> {
  const nowMs = performance.now();
  const believes = (server: Endpoint) => believesAd(server, trustAd);
  let step = beginLookup(question, { servers: servers.inOrder(nowMs), believes, sinceMs, nowMs });
  while (step.kind === "ask") {
    const { server } = step.ask;
    const exchanged = await exchange(step.ask);
    const trouble = exchanged.kind === "failed" ? exchanged.why : exchanged.kind === "silent" ? "silent" : undefined;
    const change = servers.note(server, trouble === undefined, performance.now());
    if (change === "down") logEvent("nameserver_down", { server: netAddress(server), why: trouble ?? "" });
    if (change === "up") logEvent("nameserver_up", { server: netAddress(server) });
    step = continueLookup(step.lookup, exchanged, performance.now());
  }
  return step.answer;
}
