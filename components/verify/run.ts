/**
 * verify's shell: the socket `verify`, the resolver, dmarcrpt, the clock, the log.
 * @module
 */
import { ResolverClient } from "../lib/dns/resolver_client.ts";
import { serveFilter } from "../lib/filters/serve.ts";
import { logEvent } from "../lib/log/log.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { DmarcrptClient } from "../lib/wire/dmarcrpt_client.ts";
import { makeJudge, type VerifySettings } from "./judge.ts";

/** Starts serving. Throws CannotStart on a malformed control file. */
export function run({ home }: Start): Running {
  const controls = new ControlValues(home, "verify");
  const resolver = new ResolverClient(home);
  const reports = new DmarcrptClient(home);
  const settings = (): VerifySettings => {
    const { me, authservid, dmarc, receivedspf, spfbehavior } = controls.current;
    return { me, authservId: authservid, dmarc, receivedSpf: receivedspf, spfBehavior: spfbehavior };
  };
  const serving = serveFilter({
    home,
    name: "verify",
    judge: makeJudge({
      settings,
      resolve: (name, type) => resolver.resolve(name, type),
      nowMs: () => Date.now(),
      observe: (observation) => reports.note(observation),
      log: (fields) => logEvent("verified", fields),
    }),
  });
  return {
    reload: () => controls.reload(),
    stop: async () => {
      await serving.stop();
      resolver.close();
      reports.close();
    },
  };
}
