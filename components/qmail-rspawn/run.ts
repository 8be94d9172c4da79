/**
 * qmail-rspawn's shell: takes deliveries from qmail-send, opens the message, and has qmail-remote send it.
 * @module
 */
import { deferral, reportAll, serveSpawner, type Spawn } from "../lib/delivery/spawner.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { formatMessageOptions, selectRecipients } from "../lib/queue/message_options.ts";
import type { DeliveryReport } from "../lib/wire/delivery_protocol.ts";
import { RemoteLink } from "./remote_link.ts";
import { destinationOf, groupByWay } from "./route.ts";

// No name in the DNS is longer, and qmail-remote's protocol takes none.
const longestDomain = 255;
const noHostName: DeliveryReport = { verdict: "D", text: "Sorry, address must include host name. (#5.1.3)\n" };
const noSuchHost: DeliveryReport = { verdict: "D", text: "Sorry, I couldn't find any host by that name. (#5.1.2)\n" };
// Unlike qmail: whatever is wrong on our side, a missing program included, the mail stays.
const unreachable: DeliveryReport = deferral("Unable to run qmail-remote. (#4.3.0)\n");

/** Starts serving. Throws CannotStart when a control file is malformed. */
export function run({ home }: Start): Running {
  const controls = new ControlValues(home, "qmail-rspawn");
  const remote = new RemoteLink(home.socket("qmail-remote"));

  const spawn: Spawn = async ({ sender, recipients: all, options }, file) => {
    const reports = new Array<DeliveryReport>(all.length);
    // The same to the end: what goes together by these routes might not by others.
    const routes = controls.current;
    const ask = async (domain: string | undefined, places: readonly number[]) => {
      const recipients = places.map((place) => all[place]!);
      if (domain === undefined) return reportAll(recipients, noHostName);
      if (domain.length > longestDomain) return reportAll(recipients, noSuchHost);
      const link = await remote.get();
      if (link === undefined) return reportAll(recipients, unreachable);
      const asked = options && formatMessageOptions(selectRecipients(options, places), recipients);
      const destination = destinationOf(domain, sender, routes);
      return await link.deliver({ ...destination, sender, recipients, options: asked }, file);
    };
    // All are waited for, also where one fails: another that still reads would find the file closed.
    const asked = await Promise.allSettled(
      groupByWay(all, sender, routes).map(async ({ domain, places }) => {
        const answered = await ask(domain, places);
        places.forEach((place, index) => reports[place] = answered[index]!);
      }),
    );
    for (const one of asked) if (one.status === "rejected") throw one.reason;
    return reports;
  };

  const spawner = serveSpawner(home, "qmail-rspawn", spawn);
  return {
    reload: () => controls.reload(),
    stop: async () => {
      await spawner.stop();
      remote.close();
    },
  };
}
