/**
 * A world for the pages and the API: every answer from a table, every order noted.
 * @module
 */
import { createApp } from "../../components/admin/app.ts";
import { Sessions } from "../../components/admin/auth/sessions.ts";
import { Throttle } from "../../components/admin/auth/throttle.ts";
import { Ticker } from "../../components/admin/live/ticker.ts";
import type { QueueQuestion, TailQuestion, World } from "../../components/admin/world.ts";
import { hashToken } from "../../components/lib/admin_token/token_file.ts";
import type { Finding } from "../../components/lib/doctor/finding.ts";
import type { TraceEvent } from "../../components/lib/trace/event.ts";
import type { ShownDestination, ShownMessage } from "../../components/lib/wire/control_protocol.ts";
import type { ShownControl } from "../../components/lib/wire/controls_protocol.ts";
import type { ListedRow, MessageContent } from "../../components/lib/wire/qread_protocol.ts";
import { overview } from "./samples.ts";

export const token = "dqa_test-token";
export const nowMs = Date.UTC(2030, 0, 2, 3, 4, 5);
const nowSeconds = nowMs / 1000;

/** Text that is markup where anybody forgets to escape it. */
export const hostile = `</td><script>alert("1")</script>'&amp;<img src=x onerror=alert(1)>`;

export const row: ListedRow = {
  id: 4711,
  sender: "amy@a.example",
  birthSeconds: nowSeconds - 600,
  sizeBytes: 2048,
  local: { left: 0, done: 0 },
  remote: { left: 1, done: 1 },
  recipients: ["bob@b.example", "carl@c.example"],
  nextSeconds: nowSeconds + 300,
  state: "waiting",
  journal: false,
  bouncing: true,
};

export const shown: ShownMessage = {
  message: 4711,
  sender: "amy@a.example",
  birthSeconds: nowSeconds - 600,
  sizeBytes: 2048,
  journal: false,
  state: "waiting",
  channels: [{
    channel: "remote",
    recipients: [
      {
        address: "bob@b.example",
        done: false,
        attempts: 2,
        lastSeconds: nowSeconds - 60,
        lastError: "b.example said: 451 try again",
      },
      { address: "carl@c.example", done: true },
    ],
    left: 1,
    done: 1,
    nextSeconds: nowSeconds + 300,
    held: false,
  }],
  failures: "<carl@c.example>:\nno such user\n",
};

export const content: MessageContent = {
  message: 4711,
  sizeBytes: 2048,
  readBytes: 2048,
  fields: [{ name: "From", value: "Amy <amy@a.example>" }, { name: "Subject", value: "Hello" }, {
    name: "X-Other",
    value: "1",
  }],
  kind: "plain",
  text: "Dear Bob,\nhello.\n",
  textIsCut: false,
  attachments: [{ name: "a.pdf", type: "application/pdf", sizeBytes: 12 }],
};

export const events: readonly TraceEvent[] = [
  {
    ...{ atMs: nowMs - 600_000, component: "qmail-smtpd", kind: "accepted", tie: "number", message: 4711, qp: 12 },
    ...{
      ip: "192.0.2.1",
      helo: "a.example",
      tls: "TLSv1.3",
      rule: "relayclients",
      text: "accepted ip=192.0.2.1 qp=12",
    },
  },
  {
    ...{ atMs: nowMs - 60_000, component: "qmail-send", kind: "deferral", tie: "number", delivery: 9, reply: 451 },
    ...{ recipient: "bob@b.example", nextMs: nowMs + 300_000, text: "delivery 9: deferral: 451_try_again/" },
  },
];

export const destination: ShownDestination = {
  name: "b.example",
  site: true,
  running: 1,
  waiting: 7,
  window: 5,
  unreachable: false,
  paused: false,
  rate: "100/60s",
  pausedUntilMs: nowMs + 60_000,
  lastCode: 451,
  lastError: "451 try again",
};

export const control: ShownControl = {
  name: "databytes",
  origin: "file",
  value: "10000000",
  cut: false,
  default: "0",
  meaning: "Largest message accepted over SMTP.",
  usedBy: ["qmail-smtpd"],
};

export const finding: Finding = {
  topic: "SPF",
  state: "missing",
  subject: "a.example",
  why: "nobody can tell who may send its mail",
  paste: ['a.example. IN TXT "v=spf1 -all"'],
};

const answered = <T>(status: T) => Promise.resolve({ kind: "answered" as const, status });

/** What was asked and ordered, in order. */
export type Asked =
  | { readonly kind: "act"; readonly action: string; readonly messages: readonly number[] }
  | { readonly kind: "steer"; readonly verb: string; readonly destination: string }
  | { readonly kind: "list"; readonly question: QueueQuestion }
  | { readonly kind: "tail"; readonly question: TailQuestion }
  | { readonly kind: "address"; readonly address: string };

/** A world in which all answer well, with `change` in the place of what a test says. */
export function fakeWorld(change: Partial<World> = {}): World & { readonly asked: readonly Asked[] } {
  const asked: Asked[] = [];
  const minutes = Array.from({ length: 60 }, (_, at) => ({
    ...{ startMs: nowMs - (59 - at) * 60_000, accepted: at, delivered: at, deferred: 1, failed: 0, bounced: 0 },
    refused: 2,
  }));
  return {
    asked,
    me: () => "mx.example.org",
    tokenHash: () => hashToken(token),
    nowMs: () => nowMs,
    overview: () => Promise.resolve(overview),
    depth: () => [{ atMs: nowMs - 60_000, messages: 39 }],
    rates: () => answered({ sinceMs: nowMs - 3_600_000, minutes }),
    controls: () => answered([control]),
    list: (question) => {
      asked.push({ kind: "list", question });
      const more = { place: 0, next: "cursor", matching: 1234, total: 5000, indexed: 5000, whole: true, unsearched: 0 };
      return answered({ rows: [row], ...more });
    },
    content: (message) => answered(message === shown.message ? content : undefined),
    show: (message) => answered(message === shown.message ? shown : undefined),
    act: (action, messages) => {
      asked.push({ kind: "act", action, messages });
      return answered(messages.map((message) => ({ message, done: true, gone: false, detail: "it will be tried" })));
    },
    destinations: () => answered([destination]),
    steer: (verb, name) => {
      asked.push({ kind: "steer", verb, destination: name });
      return answered({ destination: name, changed: true, paused: verb === "pause" ? [name] : [] });
    },
    traceMessage: (message, life) => {
      const known = message === shown.message ? events : [];
      return answered({ message, life, lives: 2, events: known, cut: false, whole: true, oldestMs: 0 });
    },
    traceAddress: (address) => {
      asked.push({ kind: "address", address });
      const life = {
        ...{ message: 4711, life: 1, sender: "amy@a.example", recipients: ["bob@b.example"], recipientCount: 4 },
        ...{ bytes: 2048, firstMs: nowMs - 600_000, lastMs: nowMs, ended: true, delivered: 1, deferred: 0, failed: 0 },
      };
      return answered({ lives: [life], refusals: [events[0]!], whole: false, oldestMs: nowMs - 86_400_000 });
    },
    tail: (question) => {
      asked.push({ kind: "tail", question });
      const lines = [{ atMs: nowMs, component: "qmail-send", text: "info msg 4711: bytes 2048 from <amy@a.example>" }];
      return answered({ lines, cursor: "1", whole: true, oldestMs: nowMs });
    },
    examine: () => Promise.resolve([finding]),
    ...change,
  };
}

export interface Made {
  readonly app: ReturnType<typeof createApp>;
  readonly world: ReturnType<typeof fakeWorld>;
  readonly sessions: Sessions;
  readonly errors: unknown[];
  readonly logged: string[];
  /** How long wrong tokens were kept waiting. */
  readonly waits: number[];
}

/** The whole app around such a world. */
export function makeApp(change: Partial<World> = {}): Made {
  const [world, sessions] = [fakeWorld(change), new Sessions()];
  const made = { world, sessions, errors: [] as unknown[], logged: [] as string[], waits: [] as number[] };
  const app = createApp({
    world,
    sessions,
    throttle: new Throttle((ms) => {
      made.waits.push(ms);
      return Promise.resolve();
    }),
    ticker: new Ticker(() => Promise.resolve(""), 1000),
    onError: (error) => made.errors.push(error),
    onEvent: (event) => made.logged.push(event),
  });
  return { ...made, app };
}

export const host = "127.0.0.1:8025";
export const origin = `http://${host}`;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** One browser, logged in or not: it keeps its cookie, and says where its forms come from. */
export class Browser {
  readonly #made: Made;
  cookie = "";

  constructor(made: Made) {
    this.#made = made;
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    const all: Record<string, string> = {
      Host: host,
      ...(this.cookie === "" ? {} : { Cookie: this.cookie }),
      ...headers,
    };
    const response = await this.#made.app.request(`${origin}${path}`, { headers: all });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  async post(
    path: string,
    fields: readonly (readonly [string, string])[],
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const all: Record<string, string> = {
      ...{ Host: host, Origin: origin, "Content-Type": "application/x-www-form-urlencoded" },
      ...(this.cookie === "" ? {} : { Cookie: this.cookie }),
      ...headers,
    };
    const body = new URLSearchParams(fields.map(([name, value]) => [name, value])).toString();
    const response = await this.#made.app.request(`${origin}${path}`, { method: "POST", headers: all, body });
    const [set] = response.headers.getSetCookie();
    if (set !== undefined) this.cookie = set.split(";")[0]!;
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  async logIn(): Promise<Answer> {
    return await this.post("/login", [["token", token]]);
  }

  /** The word that the forms of a page bring. */
  async csrf(): Promise<string> {
    const { text } = await this.get("/destinations");
    return /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? "";
  }
}

/** An app, and a browser that is logged in to it. */
export async function loggedIn(
  change: Partial<World> = {},
): Promise<{ readonly made: Made; readonly browser: Browser }> {
  const made = makeApp(change);
  const browser = new Browser(made);
  await browser.logIn();
  return { made, browser };
}

/** Every tag of a page, in order. */
export function tagsOf(html: string): string[] {
  return html.match(/<[^>]*>/g) ?? [];
}
