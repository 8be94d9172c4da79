/**
 * What forms have done: asked for once more where no script did, carried out, and told on the page that follows.
 * @module
 */
import type { Context, Hono } from "hono";
import type { Child } from "hono/jsx";
import { utf8Octets } from "../../lib/octets.ts";
import { type Action, type ActionResult, actions, destinationOf, mostAtOnce } from "../../lib/wire/control_protocol.ts";
import { questionFor, wordsOf } from "../actions.ts";
import { type AdminEnv, callerOf, forgeryOf, refuse } from "../auth/guard.ts";
import { safeNext } from "../auth/routes.ts";
import type { Notice } from "../auth/sessions.ts";
import { textOf } from "../text.ts";
import type { World } from "../world.ts";
import { ConfirmMain } from "./actions.tsx";
import { pauseQuestion } from "./destinations.tsx";
import type { PageFrame } from "./layout.tsx";

type C = Context<AdminEnv>;
type FrameOf = (c: C, title: string, place: string) => PageFrame;
type Send = (c: C, head: PageFrame, main: Child) => Response | Promise<Response>;

/** Results that are told one by one. */
const mostTold = 20;

export function addOrders(app: Hono<AdminEnv>, world: World, frame: FrameOf, send: Send): void {
  app.post("/queue/act", async (c) => {
    const form = await c.req.parseBody({ all: true });
    const forgery = forgeryOf(c.req.raw.headers, callerOf(c), form["csrf"]);
    if (forgery !== undefined) return refuse(c, 403, forgery);
    const session = c.get("session")!;
    const back = safeNext(form["back"]);
    const action = actions.find((one) => one === form["action"]);
    const messages = numbersOf(form["message"]);
    if (action === undefined || messages === undefined) return refuse(c, 400, "expected an action and message numbers");
    if (messages.length === 0) {
      session.notice = { good: false, text: ["No message was chosen."] };
      return c.redirect(back, 303);
    }
    if (form["confirmed"] !== "1") {
      const { title, final } = wordsOf(action);
      const fields = [["action", action], ["back", back], ...messages.map((id) => ["message", String(id)] as const)];
      const question = {
        ...{ session, back, final, to: "/queue/act", yes: title },
        question: questionFor(action, messages),
        fields: fields as readonly (readonly [string, string])[],
      };
      return send(c, frame(c, title, "/queue"), <ConfirmMain {...question} />);
    }
    const answer = await world.act(action, messages);
    session.notice = answer.kind === "away"
      ? { good: false, text: [`qmail-send ${answer.why}: nothing is known to have been done.`] }
      : noticeOf(action, answer.status);
    return c.redirect(back, 303);
  });

  app.post("/destinations/act", async (c) => {
    const form = await c.req.parseBody();
    const forgery = forgeryOf(c.req.raw.headers, callerOf(c), form["csrf"]);
    if (forgery !== undefined) return refuse(c, 403, forgery);
    const session = c.get("session")!;
    const verb = form["action"] === "pause" || form["action"] === "resume" ? form["action"] : undefined;
    const given = typeof form["destination"] === "string" ? form["destination"].trim() : "";
    const name = destinationOf(utf8Octets(given));
    if (verb === undefined) return refuse(c, 400, "expected pause or resume");
    if (name === undefined) {
      session.notice = { good: false, text: ["That can be no destination's name."] };
      return c.redirect("/destinations", 303);
    }
    if (form["confirmed"] !== "1") {
      const question = {
        ...{ session, back: "/destinations", final: false, to: "/destinations/act" },
        yes: verb === "pause" ? "Pause" : "Resume",
        question: pauseQuestion(verb, textOf(name)),
        fields: [["action", verb], ["destination", given]] as const,
      };
      return send(c, frame(c, question.yes, "/destinations"), <ConfirmMain {...question} />);
    }
    const answer = await world.steer(verb, name);
    const done = verb === "pause" ? "is paused" : "is not paused any more";
    session.notice = answer.kind === "away"
      ? { good: false, text: [`qmail-send ${answer.why}.`] }
      : { good: true, text: [`${textOf(name)} ${answer.status.changed ? done : "was so already"}.`] };
    return c.redirect("/destinations", 303);
  });
}

/** The numbers of a form's fields, each once; undefined: something else stood there, or they were too many. */
function numbersOf(value: unknown): readonly number[] | undefined {
  const words: readonly unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [value];
  if (words.length > mostAtOnce) return undefined;
  if (!words.every((word) => typeof word === "string" && /^[0-9]{1,15}$/.test(word))) return undefined;
  return [...new Set(words.map(Number))];
}

function noticeOf(action: Action, results: readonly ActionResult[]): Notice {
  const done = results.filter((result) => result.done).length;
  const summary = results.length === 1 ? [] : [`${wordsOf(action).title}: ${done} of ${results.length} messages.`];
  const lines = results.slice(0, mostTold).map(({ message, done, detail }) =>
    `${message}: ${done ? "" : "not done: "}${textOf(detail)}`
  );
  const more = results.length > mostTold ? [`and ${results.length - mostTold} more`] : [];
  return { good: done === results.length, text: [...summary, ...lines, ...more] };
}
