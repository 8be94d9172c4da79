/**
 * The shapes of the API's answers and questions: what the document says, and what requests are checked by. Times are ISO
 * 8601 in UTC, sizes are bytes, addresses are text (octets that are no UTF-8 as `\xNN`).
 * @module
 */
import { z } from "@hono/zod-openapi";
import { traceKinds, traceTies } from "../../lib/trace/event.ts";
import { actions, messageStates, mostAtOnce } from "../../lib/wire/control_protocol.ts";
import { controlOrigins } from "../../lib/wire/controls_protocol.ts";
import { listedStates, mostRows, sortKeys, sortOrders } from "../../lib/wire/qread_protocol.ts";
import { mostLines, mostLives } from "../../lib/wire/trace_protocol.ts";

const count = () => z.number().int().nonnegative();
const time = () => z.iso.datetime();

export const failure = z.object({ error: z.string() }).openapi("Error");

const channels = z.object({ local: count(), remote: count() });
export const status = z.object({
  host: z.string(),
  takenAt: time(),
  ready: z.boolean(),
  defects: z.array(z.string()).openapi({ description: "What is wrong, a line each." }),
  queue: z.object({ accepted: count(), acceptedBytes: count(), refused: count(), journal: count() }).nullable(),
  send: z.object({
    messages: count(),
    notPreprocessed: count(),
    waitingForRetry: count(),
    running: channels,
    limits: channels,
    delivered: count(),
    deferred: count(),
    failed: count(),
    bounced: count(),
    ended: count(),
  }).nullable(),
}).openapi("Status");

export const components = z.object({
  components: z.array(z.object({
    name: z.string(),
    state: z.string(),
    pid: count().nullable(),
    uid: count().nullable(),
    restarts: count(),
    uptimeSeconds: count(),
    rssBytes: count(),
    ports: z.record(z.string(), count()),
    grant: z.array(z.string()),
  })),
}).openapi("Components");

export const rates = z.object({
  since: time(),
  minutes: z.array(z.object({
    start: time(),
    accepted: count(),
    delivered: count(),
    deferred: count(),
    failed: count(),
    bounced: count(),
    refused: count(),
  })),
}).openapi("Rates");

export const queueQuestion = z.object({
  text: z.string().max(1000).optional(),
  sender: z.string().max(1000).optional().openapi({ description: "`<>` for the null reverse-path." }),
  recipient: z.string().max(1000).optional(),
  domain: z.string().max(1000).optional(),
  state: z.enum(listedStates).optional(),
  sort: z.enum(sortKeys).optional(),
  order: z.enum(sortOrders).optional(),
  after: z.string().max(2200).optional().openapi({ description: "`next` of the answer before." }),
  count: z.coerce.number().int().min(1).max(mostRows).optional(),
});

const left = z.object({ left: count(), done: count() });
export const queue = z.object({
  messages: z.array(z.object({
    message: count(),
    sender: z.string(),
    recipients: z.array(z.string()).openapi({ description: "The first of them." }),
    arrived: time(),
    sizeBytes: count(),
    local: left,
    remote: left,
    next: time().nullable(),
    state: z.enum(listedStates),
    journal: z.boolean(),
    bouncing: z.boolean(),
  })),
  place: count(),
  next: z.string().nullable(),
  matching: count(),
  total: count(),
  indexed: count(),
  whole: z.boolean(),
  unsearched: count(),
}).openapi("Queue");

export const messageParam = z.object({
  message: z.string().regex(/^[0-9]{1,15}$/).openapi({ param: { name: "message", in: "path" } }),
});

export const message = z.object({
  message: count(),
  sender: z.string(),
  arrived: time(),
  sizeBytes: count(),
  journal: z.boolean(),
  state: z.enum(messageStates),
  channels: z.array(z.object({
    channel: z.enum(["local", "remote"]),
    left: count(),
    done: count(),
    next: time().nullable(),
    held: z.boolean(),
    heldSince: time().nullable(),
    recipients: z.array(z.object({
      address: z.string(),
      done: z.boolean(),
      attempts: count().nullable(),
      last: time().nullable(),
      lastError: z.string().nullable(),
    })),
  })),
  failures: z.string(),
}).openapi("Message");

export const content = z.object({
  message: count(),
  sizeBytes: count(),
  readBytes: count(),
  fields: z.array(z.object({ name: z.string(), value: z.string() })),
  kind: z.enum(["plain", "html", "none"]),
  text: z.string(),
  textIsCut: z.boolean(),
  attachments: z.array(z.object({ name: z.string(), type: z.string(), sizeBytes: count() })),
}).openapi("Content");

const event = z.object({
  at: time(),
  component: z.string(),
  kind: z.enum(traceKinds),
  text: z.string(),
  tie: z.enum(traceTies),
  message: count().optional(),
  qp: count().optional(),
  delivery: count().optional(),
  channel: z.enum(["local", "remote"]).optional(),
  sender: z.string().optional(),
  recipient: z.string().optional(),
  bytes: count().optional(),
  reply: count().optional(),
  next: time().optional(),
  tls: z.string().optional(),
  ip: z.string().optional(),
  helo: z.string().optional(),
  login: z.string().optional(),
  rule: z.string().optional(),
}).openapi("Event");

const looked = { whole: z.boolean(), oldest: time().nullable() };
export const lifeQuery = z.object({ life: z.coerce.number().int().min(1).max(1_000_000).optional() });
export const trace = z.object({
  message: count(),
  life: count(),
  lives: count(),
  events: z.array(event),
  cut: z.boolean(),
  ...looked,
}).openapi("Trace");

export const addressQuery = z.object({
  address: z.string().min(1).max(1000),
  count: z.coerce.number().int().min(1).max(mostLives).optional(),
});
export const addressTrace = z.object({
  lives: z.array(z.object({
    message: count(),
    life: count(),
    sender: z.string().nullable(),
    recipients: z.array(z.string()),
    recipientCount: count(),
    bytes: count().nullable(),
    first: time(),
    last: time(),
    ended: z.boolean(),
    delivered: count(),
    deferred: count(),
    failed: count(),
  })),
  refusals: z.array(event),
  ...looked,
}).openapi("AddressTrace");

export const tailQuery = z.object({
  count: z.coerce.number().int().min(1).max(mostLines).optional(),
  component: z.string().max(100).optional(),
  contains: z.string().max(1000).optional(),
  after: z.string().max(100).optional().openapi({ description: "`cursor` of the answer before: only newer lines." }),
});
export const tail = z.object({
  lines: z.array(z.object({ at: time(), component: z.string(), text: z.string() })),
  cursor: z.string(),
  ...looked,
}).openapi("Tail");

export const order = z.object({
  action: z.enum(actions),
  messages: z.array(count()).min(1).max(mostAtOnce),
}).openapi("Order");
export const results = z.object({
  results: z.array(z.object({ message: count(), done: z.boolean(), gone: z.boolean(), detail: z.string() })),
}).openapi("Results");

export const destinations = z.object({
  destinations: z.array(z.object({
    name: z.string(),
    site: z.boolean(),
    running: count(),
    waiting: count(),
    window: count(),
    unreachable: z.boolean(),
    paused: z.boolean(),
    rate: z.string(),
    pausedUntil: time().nullable(),
    lastCode: count(),
    lastError: z.string(),
  })),
}).openapi("Destinations");
export const steering = z.object({
  action: z.enum(["pause", "resume"]),
  destination: z.string().min(1).max(255),
}).openapi("Steering");
export const steered = z.object({ destination: z.string(), changed: z.boolean(), paused: z.array(z.string()) })
  .openapi("Steered");

export const doctorQuery = z.object({
  domain: z.string().min(1).max(255),
  ips: z.string().max(1000).optional().openapi({
    description: "Addresses that mail leaves from, with commas between.",
  }),
});
export const findings = z.object({
  domain: z.string(),
  findings: z.array(z.object({
    topic: z.string(),
    state: z.enum(["good", "missing", "wrong", "unsure", "note"]),
    subject: z.string(),
    why: z.string(),
    paste: z.array(z.string()).optional(),
  })),
}).openapi("Findings");

export const config = z.object({
  controls: z.array(z.object({
    name: z.string(),
    origin: z.enum(controlOrigins),
    value: z.string(),
    cut: z.boolean(),
    default: z.string(),
    defect: z.string().nullable(),
    meaning: z.string(),
    usedBy: z.array(z.string()),
  })),
}).openapi("Config");
