/**
 * Which path is which page.
 * @module
 */
import type { Context, Hono } from "hono";
import type { Child } from "hono/jsx";
import { isAddress, isDomain } from "../../../config/values.ts";
import { utf8Octets } from "../../lib/octets.ts";
import type { AdminEnv } from "../auth/guard.ts";
import { supervisedOf } from "../overview.ts";
import { bare, parseQueueQuery, questionOf } from "../queue_query.ts";
import type { World } from "../world.ts";
import { addOrders } from "./orders.tsx";
import { ConfigMain } from "./config.tsx";
import { DestinationsMain } from "./destinations.tsx";
import { DoctorMain } from "./doctor.tsx";
import { type PageFrame, renderPage } from "./layout.tsx";
import { lineCounts, LogMain, TraceMain } from "./log.tsx";
import { MessageMain, spokenMessage } from "./message.tsx";
import { OverviewMain, spokenOverview } from "./overview.tsx";
import { QueueMain, spokenQueue } from "./queue.tsx";

/** Lives of an address that are listed. */
const shownLives = 50;
/** Words of a form, at the most. */
const longestWord = 1000;
const mostIps = 20;

/** Message numbers in paths; anything else is no page. */
const messagePath = "/queue/:message{[0-9]{1,15}}";

/** In the place of an answer that nobody needs. */
const unasked = { kind: "away", why: "was not asked" } as const;

type C = Context<AdminEnv>;

/** The pages; whoever gets here is logged in. */
export function addPages(app: Hono<AdminEnv>, world: World): void {
  const frame = (c: C, title: string, place: string, spoken = ""): PageFrame => ({
    ...{ title, place, spoken, host: world.me() },
    session: c.get("session")!,
  });
  const send = (c: C, head: PageFrame, main: Child) => c.html(renderPage(head, main));
  const word = (c: C, name: string) => (c.req.query(name) ?? "").trim().slice(0, longestWord);

  app.get("/", async (c) => {
    const [overview, rates] = await Promise.all([world.overview(), world.rates()]);
    const page = { overview, rates, depth: world.depth() };
    return send(c, frame(c, "Overview", "/", spokenOverview(page)), <OverviewMain {...page} />);
  });

  app.get("/queue", async (c) => {
    const query = parseQueueQuery(new URL(c.req.url).searchParams);
    const page = {
      ...{ query, session: c.get("session")!, nowMs: world.nowMs() },
      answer: await world.list(questionOf(query)),
    };
    return send(c, frame(c, "Queue", "/queue", spokenQueue(page)), <QueueMain {...page} />);
  });

  app.get(messagePath, async (c) => {
    const message = Number(c.req.param("message"));
    const life = Math.max(1, Number(/^[0-9]{1,6}$/.exec(c.req.query("life") ?? "")?.[0] ?? 1));
    // What it says stays as it is: a page that renews itself has no use for it.
    const isRenewed = c.req.header("x-live") !== undefined;
    const [shown, content, trace] = await Promise.all([
      world.show(message),
      isRenewed ? unasked : world.content(message),
      world.traceMessage(message, life),
    ]);
    const page = { message, shown, content, trace, session: c.get("session")!, nowMs: world.nowMs() };
    return send(c, frame(c, `Message ${message}`, "/queue", spokenMessage(page)), <MessageMain {...page} />);
  });

  app.get("/destinations", async (c) => {
    const page = { answer: await world.destinations(), session: c.get("session")!, nowMs: world.nowMs() };
    return send(c, frame(c, "Destinations", "/destinations"), <DestinationsMain {...page} />);
  });

  app.get("/log", async (c) => {
    const [component, contains] = [word(c, "component"), word(c, "contains")];
    const count = lineCounts.find((one) => String(one) === c.req.query("count")) ?? lineCounts[0];
    const question = {
      count,
      ...(component === "" ? {} : { component: component.slice(0, 100) }),
      ...(contains === "" ? {} : { contains }),
    };
    const [answer, overview] = await Promise.all([world.tail(question), world.overview()]);
    const components = ["supervisor", ...supervisedOf(overview).map(({ name }) => name)];
    const page = { component, contains, count, components, answer };
    return send(c, frame(c, "Log", "/log"), <LogMain {...page} />);
  });

  app.get("/trace", async (c) => {
    const address = word(c, "address");
    const answer = address === "" ? unasked : await world.traceAddress(utf8Octets(bare(address)), shownLives);
    return send(c, frame(c, "What became of mail", "/log"), <TraceMain address={address} answer={answer} />);
  });

  app.get("/find", (c) => {
    const text = bare(word(c, "q"));
    if (/^[0-9]{1,15}$/.test(text)) return c.redirect(`/queue/${text}`, 303);
    return c.redirect(text === "" ? "/queue" : `/trace?${new URLSearchParams({ address: text })}`, 303);
  });

  app.get("/doctor", async (c) => {
    const [given, ips] = [c.req.query("domain"), word(c, "ips")];
    const domain = (given === undefined ? world.me() : word(c, "domain")).toLowerCase().replace(/\.$/, "");
    const addresses = ips.split(/[\s,]+/).filter((ip) => ip !== "");
    const error = given === undefined
      ? undefined
      : !isDomain(domain)
      ? "Expected a domain, in A-labels."
      : addresses.length > mostIps || !addresses.every(isAddress)
      ? "Expected addresses, with blanks between them."
      : undefined;
    const found = given === undefined || error !== undefined ? {} : { found: await world.examine(domain, addresses) };
    const main = <DoctorMain domain={domain} ips={ips} {...error === undefined ? {} : { error }} {...found} />;
    return send(c, frame(c, "Doctor", "/doctor"), main);
  });

  app.get("/config", async (c) => {
    const page = { text: word(c, "text"), onlySet: c.req.query("set") === "1", answer: await world.controls() };
    return send(c, frame(c, "Config", "/config"), <ConfigMain {...page} />);
  });

  addOrders(app, world, frame, send);
}
