/**
 * Whom the rules ask when a decision is only explained: who knows the mailboxes and the DNS, where they run. Nobody is asked
 * who would take it for real: to count or to greylist a message changes what happens to the next, and a program may do
 * anything. What was not asked is noted.
 * @module
 */
import { Askable } from "../../components/lib/server/oracles.ts";
import type { Oracles } from "../../components/lib/policy/oracles.ts";
import type { Home, SocketName } from "../../config/home.ts";
import { wake } from "../ask.ts";

export interface ExplainOracles extends Disposable {
  readonly oracles: Oracles;
  /** The name of a client's address, as the server looks it up for tcprules. */
  hostOf(ip: string): Promise<string | undefined>;
  /** What could not be asked, and why, each time it should have been; the answers given instead mean nothing. */
  readonly unasked: readonly string[];
}

/** Connects to nothing but the sockets of `home` that are there. */
export async function explainOracles(home: Home): Promise<ExplainOracles> {
  const askable = new Askable(home);
  const getpwAway = await whyAway(home, "qmail-getpw");
  const resolverAway = await whyAway(home, "resolver");
  const unasked: string[] = [];
  const note = <T>(what: string, answer: T): T => {
    unasked.push(what);
    return answer;
  };
  const dns: Oracles["dns"] = (name, type) =>
    resolverAway === undefined
      ? askable.dns(name, type)
      : note(`${type} of ${name} (resolver: ${resolverAway})`, { kind: "failure" });
  return {
    unasked,
    oracles: {
      mailbox: (address) =>
        getpwAway === undefined
          ? askable.mailbox(address)
          : note(`mailbox ${address} (qmail-getpw: ${getpwAway})`, "possible"),
      dns,
      greylist: () => note("greylist (tally would take note of it)", { kind: "unsure" }),
      count: ({ key }) => note(`count of ${key} (tally would count it)`, { kind: "unsure" }),
      rcptcheck: (environment) => note(`RCPTCHECK ${environment.get("RCPTCHECK")} (no program is run)`, 0),
      spp: (stage) => note(`plug-ins of [${stage}] (no program is run)`, { kind: "lines", lines: [] }),
    },
    hostOf: async (ip) => {
      if (resolverAway === undefined) return await askable.hostOf(ip);
      return note(`name of ${ip}, for the rules of tcp.smtp (resolver: ${resolverAway})`, undefined);
    },
    [Symbol.dispose]: () => askable.close(),
  };
}

/** Undefined where somebody listens, or does when asked to. */
async function whyAway(home: Home, socket: SocketName): Promise<string | undefined> {
  try {
    (await Deno.connect({ transport: "unix", path: home.socket(socket) })).close();
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
    return await wake(home, socket) ? undefined : "does not run";
  }
}
