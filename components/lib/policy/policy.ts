/**
 * The policy that the rules make: asks those of a stage in their order, the first refusal is the decision. It answers at
 * once where every rule does.
 * @module
 */
import { parseEnvelopeAddress } from "../address/parse_path.ts";
import type { Rules, Step } from "./compile.ts";
import type { ClientFacts, Decision, Policy } from "./decision.ts";
import { addressOf, askedAbout, clientAsked, type Ground, rcptAsked } from "./ground.ts";
import type { Oracles, Soon } from "./oracles.ts";
import type { RuleName } from "./order_file.ts";
import type { Additions, AuthAsked, ClientAsked, DataAsked, Finding, MailAsked, RcptAsked } from "./rule.ts";

/** What the rules said along the way. */
interface Gathered extends Additions {
  readonly skipped: ReadonlySet<RuleName>;
}

/** One question under way. `address` and `replaced` are of the stages that have an address. */
interface Course<A> {
  readonly steps: readonly Step<A>[];
  readonly oracles: Oracles;
  readonly addressOf: (asked: A) => string;
  readonly replaced: (asked: A, address: string) => A;
}

/** Makes a policy of rules and of whom they ask. */
export function policyOf({ steps, ground }: Rules, oracles: Oracles): Policy {
  const none = (): string => "";
  const same = <A>(asked: A): A => asked;
  const connect: Course<ClientAsked> = { steps: steps.connect, oracles, addressOf: none, replaced: same };
  const helo: Course<ClientAsked> = { steps: steps.helo, oracles, addressOf: none, replaced: same };
  const auth: Course<AuthAsked> = { steps: steps.auth, oracles, addressOf: none, replaced: same };
  const data: Course<DataAsked> = { steps: steps.data, oracles, addressOf: none, replaced: same };
  const mail: Course<MailAsked> = {
    steps: steps.mail,
    oracles,
    addressOf: ({ sender }) => sender,
    replaced: (asked, sender) => ({ ...asked, sender }),
  };
  const rcpt = rcptCourse(steps.rcpt, ground, oracles);
  return {
    connect: (client) => decide(connect, clientAsked(client)),
    helo: (client) => decide(helo, clientAsked(client)),
    mail: (client, path) => decide(mail, { ...clientAsked(client), sender: addressOf(path) }),
    rcpt: (client, facts, path) => decide(rcpt, rcptAsked(client, facts, path, ground)),
    inTurn: inTurnBy(ground, steps.rcpt),
    ...(steps.auth.length === 0
      ? {}
      : { auth: (client, mechanism) => decide(auth, { ...clientAsked(client), mechanism }) }),
    ...(steps.data.length === 0
      ? {}
      : { data: (client, facts) => decide(data, { ...clientAsked(client), mail: facts }) }),
  };
}

/** Limits on recipients count those before; a plug-in may set variables for those behind. */
function inTurnBy({ controls }: Ground, steps: readonly Step<RcptAsked>[]): (client: ClientFacts) => boolean {
  const limits = [controls.brtlimit, controls.maxrcpt, controls.tarpitcount];
  const forAll = limits.some((limit) => limit > 0) || steps.some(({ rule }) => rule === "spp");
  return ({ environment }) =>
    forAll ||
    environment.size > 0 && ["BRTLIMIT", "MAXRECIPIENTS", "TARPITCOUNT"].some((name) => environment.has(name));
}

function rcptCourse(steps: readonly Step<RcptAsked>[], ground: Ground, oracles: Oracles): Course<RcptAsked> {
  return {
    steps,
    oracles,
    addressOf: ({ recipient }) => recipient,
    replaced: (asked, recipient) => {
      if (parseEnvelopeAddress(recipient) === undefined) {
        throw new Error("a rule put no address in a recipient's place");
      }
      return askedAbout(asked, asked.mail, recipient, false, ground);
    },
  };
}

function decide<A>(course: Course<A>, asked: A, from = 0, gathered?: Gathered): Soon<Decision> {
  const { steps, oracles } = course;
  for (let at = from; at < steps.length; at++) {
    const { rule, judge } = steps[at]!;
    if (gathered?.skipped.has(rule)) continue;
    const finding = judge(asked, oracles);
    if (finding instanceof Promise) {
      return finding.then((known) => goOn(course, asked, at, known, gathered));
    }
    if (finding.kind === "refuse" || finding.adds !== undefined) return goOn(course, asked, at, finding, gathered);
  }
  const address = course.addressOf(asked);
  return gathered === undefined ? { kind: "accept", address } : { kind: "accept", address, ...shown(gathered) };
}

/** Takes note of what the rule at `at` found, and asks those behind it. */
function goOn<A>(course: Course<A>, asked: A, at: number, finding: Finding, gathered?: Gathered): Soon<Decision> {
  const { adds } = finding;
  const more = adds === undefined ? gathered : gather(gathered, adds);
  if (finding.kind === "pass") {
    const next = adds?.address === undefined ? asked : course.replaced(asked, adds.address);
    return decide(course, next, at + 1, more);
  }
  const { reason, reply, counted, drop } = finding;
  const { header: _, early: __, ...rest } = more === undefined ? {} as Additions : shown(more);
  return {
    kind: "refuse",
    address: course.addressOf(asked),
    reason,
    reply,
    counted,
    ...(drop === undefined ? {} : { drop }),
    ...rest,
  };
}

const nothing: Gathered = { skipped: new Set() };

function gather(gathered: Gathered = nothing, adds: Additions): Gathered {
  const delayMs = Math.max(gathered.delayMs ?? 0, adds.delayMs ?? 0);
  return {
    ...gathered,
    ...adds,
    ...(delayMs === 0 ? {} : { delayMs }),
    ...joined("header", gathered, adds),
    ...joined("lines", gathered, adds),
    skipped: adds.skips === undefined ? gathered.skipped : new Set([...gathered.skipped, adds.skips]),
  };
}

function joined(name: "header" | "lines", one: Additions, other: Additions): Additions {
  const all = [...one[name] ?? [], ...other[name] ?? []];
  return all.length === 0 ? {} : { [name]: all };
}

/** What of it a dialogue is told. */
function shown({ skipped: _, skips: __, address: ___, ...rest }: Gathered): Additions {
  return rest;
}
