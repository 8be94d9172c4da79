/**
 * What qmail leaves in its queue, case by case, and what has to become of each: every recipient that is still `T` gets the
 * message once or comes back in one bounce, nobody else hears of it.
 *
 * The other host of `r.example` refuses `refused…` and defers `later…`; this host has the mailboxes demo and postmaster,
 * and `virt.example` is demo's. Senders are demo's extensions, so that bounces arrive, too.
 * @module
 */
import type { OriginalFiles, Times } from "./original_queue.ts";

/** Something that arrived: in a mailbox, at the other host, or as a bounce's report about `paragraphs`. */
export type Arrival =
  | { readonly kind: "local" | "remote"; readonly to: string; readonly from: string }
  | { readonly kind: "bounce"; readonly to: string; readonly from: string; readonly paragraphs: readonly string[] };

export interface OriginalCase {
  /** Also in the message's field X-Case. */
  readonly name: string;
  readonly files: Omit<OriginalFiles, "mess">;
  readonly times?: Times;
  readonly arrives: readonly Arrival[];
  /** Not due before somebody asks (SIGALRM). */
  readonly waits?: true;
}

const now = Math.floor(Date.now() / 1000);
const day = 86_400;
const weekAgo = now - 8 * day;

const head = "u500\0p4711\0";
const local = (to: string, from: string): Arrival => ({ kind: "local", to, from });
const remote = (to: string, from: string): Arrival => ({ kind: "remote", to, from });
const bounce = (to: string, ...paragraphs: readonly string[]): Arrival => ({
  kind: "bounce",
  to,
  from: "",
  paragraphs,
});
/** To the postmaster, from the sender whose own bounces go nowhere. */
const doubleBounce = (...paragraphs: readonly string[]): Arrival => ({
  kind: "bounce",
  to: "postmaster@localhost",
  from: "#@[]",
  paragraphs,
});

const noMailbox = (address: string) => `<${address}>:\nSorry, no mailbox here by that name. (#5.1.1)\n`;
const refused = (address: string) =>
  `<${address}>:\n127.0.0.1 does not like recipient.\nRemote host said: 550 not this one\n`;
/** Of a transaction that had nobody else. */
const refusedAlone = (address: string) => `${refused(address)}Giving up on 127.0.0.1.\n`;
const tooLong = (address: string) =>
  `<${address}>:\n127.0.0.1 does not like recipient.\nRemote host said: 451 not this one\n` +
  "I'm not going to try again; this message has been in the queue too long.\n";
/** Written by the original. */
const before = "<gone@r.example>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 no such user\n" +
  "Giving up on 192.0.2.1.\n";

const s4: readonly OriginalCase[] = [
  {
    name: "S4 for both channels",
    files: { todo: `${head}Fdemo-a@localhost\0Tdemo@localhost\0Tdemo-x@LocalHost\0Tr1@r.example\0Tr2@r.example\0` },
    arrives: [
      local("demo@localhost", "demo-a@localhost"),
      local("demo-x@LocalHost", "demo-a@localhost"),
      remote("r1@r.example", "demo-a@localhost"),
      remote("r2@r.example", "demo-a@localhost"),
    ],
  },
  {
    name: "S4 with recipients to rewrite",
    files: { todo: `${head}Fdemo-b@localhost\0Tdemo\0Tinfo@virt.example\0Tr3%r.example@localhost\0` },
    arrives: [
      local("demo@localhost", "demo-b@localhost"),
      local("demo-info@virt.example", "demo-b@localhost"),
      remote("r3@r.example", "demo-b@localhost"),
    ],
  },
  {
    name: "S4 with failures on both channels, a virtual domain's among them",
    files: {
      todo: `${head}Fdemo-c@localhost\0Tnobody@localhost\0Tx@nobody.example\0Trefused@r.example\0Tdemo@localhost\0`,
    },
    arrives: [
      local("demo@localhost", "demo-c@localhost"),
      bounce(
        "demo-c@localhost",
        noMailbox("nobody@localhost"),
        noMailbox("x@nobody.example"),
        refusedAlone("refused@r.example"),
      ),
    ],
  },
  {
    name: "S4 with S5 begun",
    files: {
      todo: `${head}Fdemo-d@localhost\0Tdemo@localhost\0Tr4@r.example\0`,
      info: "Fdemo-d@localh",
      local: "Tdemo@localhost\0Tdem",
      remote: "",
    },
    arrives: [local("demo@localhost", "demo-d@localhost"), remote("r4@r.example", "demo-d@localhost")],
  },
  {
    name: "S4 with S5 written and intd gone",
    files: {
      todo: `${head}Fdemo-e@localhost\0Tdemo@localhost\0Tr5@r.example\0`,
      intd: null,
      info: "Fdemo-e@localhost\0",
      local: "Tdemo@localhost\0",
      remote: "Tr5@r.example\0",
    },
    arrives: [local("demo@localhost", "demo-e@localhost"), remote("r5@r.example", "demo-e@localhost")],
  },
  { name: "S4 without a recipient", files: { todo: `${head}Fdemo-f@localhost\0` }, arrives: [] },
  {
    name: "S4 from the null sender",
    files: { todo: `${head}F\0Tnobody@localhost\0Tdemo@localhost\0` },
    arrives: [local("demo@localhost", ""), doubleBounce(noMailbox("nobody@localhost"))],
  },
  {
    name: "S4 of a double bounce",
    files: { todo: `${head}F#@[]\0Tnobody@localhost\0Tdemo@localhost\0` },
    arrives: [local("demo@localhost", "#@[]")],
  },
  {
    name: "S4 with a VERP sender",
    files: { todo: `${head}Fdemo-l-@localhost-@[]\0Tdemo@localhost\0Tr6@r.example\0Trefused@r.example\0` },
    arrives: [
      local("demo@localhost", "demo-l-demo=localhost@localhost"),
      remote("r6@r.example", "demo-l-r6=r.example@localhost"),
      bounce("demo-l-@localhost", refusedAlone("refused@r.example")),
    ],
  },
  {
    name: "S4 with 8-bit addresses",
    files: {
      todo:
        `${head}Fdemo-\xc3\xbcber@localhost\0Tdemo-\xe4\xff@localhost\0Tj\xc3\xbcrgen@r.example\0Tn\xe4@localhost\0`,
    },
    arrives: [
      local("demo-\xe4\xff@localhost", "demo-\xc3\xbcber@localhost"),
      remote("j\xc3\xbcrgen@r.example", "demo-\xc3\xbcber@localhost"),
      bounce("demo-\xc3\xbcber@localhost", noMailbox("n\xe4@localhost")),
    ],
  },
  {
    name: "S4 older than a message's lifetime",
    files: { todo: `${head}Fdemo-g@localhost\0Tdemo@localhost\0Tr7@r.example\0` },
    times: { mess: weekAgo, intd: weekAgo },
    arrives: [local("demo@localhost", "demo-g@localhost"), remote("r7@r.example", "demo-g@localhost")],
  },
];

const s5: readonly OriginalCase[] = [
  {
    name: "S5 local",
    files: { info: "Fdemo-h@localhost\0", local: "Tdemo@localhost\0Tdemo-y@localhost\0Tnobody@localhost\0" },
    arrives: [
      local("demo@localhost", "demo-h@localhost"),
      local("demo-y@localhost", "demo-h@localhost"),
      bounce("demo-h@localhost", noMailbox("nobody@localhost")),
    ],
  },
  {
    name: "S5 remote",
    files: { info: "Fdemo-i@localhost\0", remote: "Tr8@r.example\0Trefused@r.example\0" },
    arrives: [remote("r8@r.example", "demo-i@localhost"), bounce("demo-i@localhost", refused("refused@r.example"))],
  },
  {
    name: "S5 on both channels, some done",
    files: {
      info: "Fdemo-j@localhost\0",
      local: "Ddemo@localhost\0Tdemo-info@virt.example\0Ddemo-z@localhost\0",
      remote: "Tr9@r.example\0Dr10@r.example\0Tr11@r.example\0",
    },
    times: { info: now - 3 * day, local: now - day, remote: now - day },
    arrives: [
      local("demo-info@virt.example", "demo-j@localhost"),
      remote("r9@r.example", "demo-j@localhost"),
      remote("r11@r.example", "demo-j@localhost"),
    ],
  },
  {
    name: "S5 with a failure written down, and one to come",
    files: {
      info: "Fdemo-k@localhost\0",
      local: "Tnobody-x@nobody.example\0",
      remote: "Dgone@r.example\0Tr12@r.example\0",
      bounce: `${before}\n`,
    },
    arrives: [
      remote("r12@r.example", "demo-k@localhost"),
      bounce("demo-k@localhost", before, noMailbox("x@nobody.example")),
    ],
  },
  {
    name: "S5 all done",
    files: { info: "Fdemo-m@localhost\0", local: "Ddemo@localhost\0", remote: "Dr13@r.example\0Dr14@r.example\0" },
    arrives: [],
  },
  {
    name: "S5 all done with a failure",
    files: { info: "Fdemo-n@localhost\0", remote: "Dgone@r.example\0", bounce: `${before}\n` },
    arrives: [bounce("demo-n@localhost", before)],
  },
  { name: "S5 with nothing but info", files: { info: "Fdemo-o@localhost\0" }, arrives: [] },
  {
    name: "S5 with nothing but info and bounce",
    files: { info: "Fdemo-p@localhost\0", bounce: `${before}\n` },
    arrives: [bounce("demo-p@localhost", before)],
  },
  {
    name: "S5 from the null sender",
    files: { info: "F\0", local: "Ddemo@localhost\0Tdemo-q@localhost\0", remote: "Trefused@r.example\0" },
    arrives: [local("demo-q@localhost", ""), doubleBounce(refusedAlone("refused@r.example"))],
  },
  {
    name: "S5 of a double bounce",
    files: { info: "F#@[]\0", local: "Tnobody@localhost\0", bounce: `${before}\n` },
    arrives: [],
  },
  {
    name: "S5 with a VERP sender",
    files: { info: "Fdemo-v-@localhost-@[]\0", remote: "Dr15@r.example\0Tr16@r.example\0", bounce: `${before}\n` },
    arrives: [remote("r16@r.example", "demo-v-r16=r.example@localhost"), bounce("demo-v-@localhost", before)],
  },
  {
    name: "S5 with 8-bit addresses",
    files: { info: "Fdemo-\xff@localhost\0", local: "Ddemo-\xfe@localhost\0Tdemo-\xfd@localhost\0T\xfc@localhost\0" },
    arrives: [
      local("demo-\xfd@localhost", "demo-\xff@localhost"),
      bounce("demo-\xff@localhost", noMailbox("\xfc@localhost")),
    ],
  },
  {
    name: "S5 older than a message's lifetime",
    files: {
      info: "Fdemo-w@localhost\0",
      local: "Tdemo@localhost\0",
      remote: "Dr17@r.example\0Tlater@r.example\0Tr18@r.example\0",
    },
    times: { info: weekAgo },
    arrives: [
      local("demo@localhost", "demo-w@localhost"),
      remote("r18@r.example", "demo-w@localhost"),
      bounce("demo-w@localhost", tooLong("later@r.example")),
    ],
  },
  {
    name: "S5 with its next attempts in the future",
    files: { info: "Fdemo-t@localhost\0", local: "Tdemo@localhost\0", remote: "Tr19@r.example\0Dr20@r.example\0" },
    times: { info: now - day, local: now + day, remote: now + 2 * day },
    arrives: [local("demo@localhost", "demo-t@localhost"), remote("r19@r.example", "demo-t@localhost")],
    waits: true,
  },
];

export const originalCases: readonly OriginalCase[] = [...s4, ...s5];

/** What was never accepted: nobody may ever get it. */
export const garbage: readonly OriginalCase[] = [
  { name: "S2", files: {}, arrives: [] },
  { name: "S2 of last week", files: {}, times: { mess: weekAgo }, arrives: [] },
  { name: "S3 with half an envelope", files: { intd: "u500\0p47" }, arrives: [] },
  {
    name: "S3 of last week with a whole envelope",
    files: { intd: `${head}Fdemo-u@localhost\0Tdemo@localhost\0` },
    times: { mess: weekAgo, intd: weekAgo },
    arrives: [],
  },
];

/** The text in the queue of the case `name`. */
export function originalText(name: string): string {
  return "Received: (qmail 4711 invoked by uid 500); 21 Nov 2026 10:00:00 -0000\n" +
    `X-Case: ${name}\nSubject: taken over\n\n.dots and an octet: \xff\n`;
}
