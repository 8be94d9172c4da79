/**
 * What grows, as data: in each dimension the steps from small to large, each a scenario whose cost should stay flat.
 * @module
 */

/** One point of a curve. */
export interface Step {
  readonly x: number;
  /** The command line of a scenario. */
  readonly argv: readonly string[];
  /** Messages that wait in the queue before it begins. */
  readonly queued?: number;
  /** Too large for the short form. */
  readonly full?: boolean;
}

export interface Dimension {
  readonly name: DimensionName;
  readonly title: string;
  /** What grows, with its unit. */
  readonly label: string;
  /** Of what the cost is told. */
  readonly per: "message" | "recipient" | "MiB";
  /** Whether the most memory that the processes on a message's way have had is looked at. */
  readonly peaks: boolean;
  readonly steps: readonly Step[];
}

export const dimensionNames = ["queue", "recipients", "size", "mailboxes", "connections"] as const;
export type DimensionName = (typeof dimensionNames)[number];

/** So many recipients give a cost that the clock's 10 ms do not blur. */
const leastRecipients = 5000;
/** Of each connection, so that there is more than its beginning. */
const messagesEach = 4;
const mostSessions = 20;

const sizes = [[1, 1000], [10, 1000], [100, 300], [1024, 60], [10_240, 12], [51_200, 4]] as const;

export const dimensions: readonly Dimension[] = [
  {
    name: "queue",
    title: "Messages that wait in the queue",
    label: "messages that wait",
    per: "message",
    peaks: false,
    steps: [1000, 10_000, 100_000, 1_000_000].map((queued) => ({
      x: queued,
      queued,
      argv: ["local", "--users", "10", "--messages", "1000"],
      full: queued > 10_000,
    })),
  },
  {
    name: "recipients",
    title: "Recipients of a message",
    label: "recipients of a message",
    per: "recipient",
    peaks: false,
    steps: [1, 10, 100, 1000, 10_000, 100_000].map((recipients) => {
      const messages = Math.max(Math.ceil(leastRecipients / recipients), 1);
      const sessions = Math.min(messages, mostSessions);
      return { x: recipients, argv: ["bulk", ...counts({ recipients, messages, sessions, warmup: sessions })] };
    }),
  },
  {
    name: "size",
    title: "Size of a message",
    label: "KiB",
    per: "MiB",
    peaks: true,
    steps: sizes.map(([kib, messages]) => {
      const sessions = kib > 1024 ? 4 : mostSessions;
      return {
        x: kib,
        argv: ["accept", ...counts({ size: kib * 1024, messages, sessions, warmup: Math.ceil(messages / 5) })],
      };
    }),
  },
  {
    name: "mailboxes",
    title: "Mailboxes",
    label: "mailboxes",
    per: "message",
    peaks: false,
    steps: [10, 100, 1000, 10_000].map((users) => ({
      x: users,
      argv: ["local", ...counts({ users, messages: 2000 })],
    })),
  },
  {
    name: "connections",
    title: "Connections at a time, all at work",
    label: "connections",
    per: "message",
    peaks: false,
    steps: [1, 10, 100, 1000, 5000].map((sessions) => ({
      x: sessions,
      argv: [
        "accept",
        "--reuse",
        ...counts({ size: 1024, sessions, messages: Math.max(2000, messagesEach * sessions) }),
      ],
    })),
  },
];

/** As options. */
function counts(numbers: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, String(value)]);
}
