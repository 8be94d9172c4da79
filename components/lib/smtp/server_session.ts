/**
 * One SMTP dialogue, the server's side, as a function: (state, command) → next state, reply, and what to do next. Knows no
 * socket, clock, queue or rule; texts for the client are here and in server_*.ts, those of refusals come with the policy's
 * decision. RFC 5321 for the dialogue, RFC 2033 for LMTP, qmail's words with the status codes of RFC 3463. qmail-smtpd
 * speaks it with the network, `sendmail -bs` with whoever started it.
 *
 * Unlike qmail: a second MAIL in a transaction is refused (RFC 5321 §4.1.4), ESMTP parameters are looked at, and a client
 * that errs too often is cut off.
 * @module
 */
import { assertNever } from "../result.ts";
import type { Decision } from "../policy/decision.ts";
import { type Command, isHttpVerb, type Parameter, parseCommand } from "./command.ts";
import { parseMailParameters, parseRcptParameters } from "./parameters.ts";
import { acceptLogin, onAuth, refuseLogin } from "./server_auth.ts";
import { beginContent, onBdat, onData, refuseChunk } from "./server_chunks.ts";
import { badReply, extensions, faultReply, greet } from "./server_replies.ts";
import { maxEnvelopeOctets, offers, type Settings } from "./server_settings.ts";
import {
  type Ask,
  cutOff,
  fail,
  newSession,
  oneLine,
  type Refusal,
  say,
  type Session,
  type Step,
} from "./server_state.ts";
import { formatMailbox, type ForwardPath, type ReversePath } from "../address/mailbox.ts";
import { parseXclient } from "./xclient.ts";

export { onAuthLine, onAuthStep } from "./server_auth.ts";
export { type ContentEnd, onChunkEnd, onContentEnd } from "./server_chunks.ts";
export { farewells } from "./server_replies.ts";
export { maxAuthLine, type Settings } from "./server_settings.ts";
export {
  type Ask,
  type Chunk,
  mailFacts,
  newSession,
  type Next,
  type Opening,
  type Refusal,
  type Session,
  type Step,
} from "./server_state.ts";

/** Octets of a line that the policy gives: of a reply (RFC 5321 §4.5.3.1.5), and of a header (§4.5.3.1.6), without CRLF. */
const longestReply = 510;
const longestHeaderLine = 998;
/** Lines of one message that recipients may add to; a transaction may have very many. */
const mostHeaderLines = 100;

/** Reads a line as this state has it: octets from 0x80 up are for mails that were announced so. */
export function parseLine(session: Session, line: string, settings: Settings): Command {
  const { transaction } = session;
  const smtputf8 = transaction === undefined ? offers(settings, "SMTPUTF8") : transaction.parameters.smtputf8 === true;
  return parseCommand(line, { smtputf8 });
}

/** Carries out one command. */
export function onCommand(session: Session, command: Command, settings: Settings): Step {
  const refusal = whyNotNow(session, command, settings);
  if (refusal !== undefined) {
    return command.verb === "BDAT"
      ? refuseChunk(session, command, refusal, settings)
      : fail(session, refusal, settings);
  }
  switch (command.verb) {
    case "HELO":
    case "EHLO":
    case "LHLO":
      return onHello(session, command.verb, command.domain, settings);
    case "MAIL":
      return onMail(session, command.reversePath, command.parameters, settings);
    case "RCPT":
      return onRcpt(session, command.forwardPath, command.parameters, settings);
    case "DATA":
      return onData(session, settings);
    case "BDAT":
      return onBdat(session, command, settings);
    case "RSET":
      return say({ ...session, transaction: undefined }, "250 2.0.0 flushed");
    case "NOOP":
      return say(session, "250 2.0.0 ok");
    case "VRFY":
      return say(session, "252 2.1.5 send some mail, i'll try my best");
    case "HELP":
      return say(session, "214 2.0.0 dqmail speaks SMTP as in RFC 5321");
    case "QUIT":
      return { session, reply: `221 2.0.0 ${settings.greeting}\r\n`, next: { kind: "close", reason: undefined } };
    case "STARTTLS":
      return onStartTlsCommand(session, settings);
    case "AUTH":
      return onAuth(session, command.mechanism, command.initial, settings);
    case "XCLIENT":
      return onXclient(session, command.attributes, settings);
    case "UNKNOWN":
      if (isHttpVerb(command.name)) return cutOff(session, "421 4.7.0 this is no web server\r\n", "http");
      return fail(session, "502 5.5.1 unimplemented", settings);
    case "BAD":
      // How much content follows is not known, so that whatever comes next could be content, or a command.
      if (command.of === "BDAT") return cutOff(session, "501 5.5.4 bad chunk size\r\n", "bad-chunk-size");
      return fail(session, badReply(command.of, command.reason), settings);
    default:
      return assertNever(command);
  }
}

/** A command line over the limit; what it said is not looked at. */
export function onLongLine(session: Session, settings: Settings): Step {
  return fail(session, "500 5.5.2 line too long", settings);
}

/** Goes on with the policy's decision. */
export function onDecision(session: Session, ask: Ask, decision: Decision, settings: Settings): Step {
  const step = decision.kind === "accept"
    ? onAccept(session, ask, decision, settings)
    : onRefuse(session, ask, decision, settings);
  const { lines = [], delayMs } = decision;
  const before = lines.map((line) => `${oneLine(line, longestReply)}\r\n`).join("");
  const said = before === "" ? step : { ...step, reply: before + step.reply };
  return delayMs === undefined || delayMs <= 0 ? said : { ...said, delayMs };
}

/** Goes on after {@link Next} `starttls`; `behind`: octets came behind the command, before the channel was encrypted. */
export function onStartTls(
  session: Session,
  state: "ready" | "unavailable" | "octets behind",
  settings: Settings,
): Step {
  switch (state) {
    case "ready":
      return { session, reply: "220 2.0.0 ready for tls\r\n", next: { kind: "handshake" } };
    case "unavailable":
      return fail(session, "454 4.7.0 tls not available", settings, false);
    case "octets behind":
      // Somebody on the way may have put them there, to be taken for the client's (CVE-2011-0411).
      return cutOff(session, "554 5.5.1 nothing may follow STARTTLS\r\n", "octets-behind-starttls");
    default:
      return assertNever(state);
  }
}

/** The channel is encrypted: all that was said before is forgotten (RFC 3207 §4.2), except what it cost. */
export function onSecured(session: Session, { isBound }: { readonly isBound: boolean }): Session {
  const { errors, failedLogins, mails, refused, header, turnedAway } = session;
  const secured = isBound ? "bound" : "secured";
  return {
    ...newSession,
    ...{ errors, failedLogins, mails, refused, turnedAway, secured },
    header: { ...header, helo: [] },
  };
}

/** What stands in the way of a command before its own conditions are looked at. */
function whyNotNow(session: Session, command: Command, settings: Settings): string | undefined {
  const { verb } = command;
  if (session.turnedAway && verb !== "QUIT") return "503 5.5.1 you were told to go away";
  if (settings.mailNeedsTls === true && session.secured === "" && isUnderTls.has(verb)) {
    return "530 5.7.0 must issue a STARTTLS command first";
  }
  if (settings.mailNeedsAuth === true && session.login === undefined && isUnderLogin.has(verb)) {
    return "530 5.7.0 authentication required";
  }
  return undefined;
}

const isUnderLogin: ReadonlySet<Command["verb"]> = new Set<Command["verb"]>(["MAIL", "RCPT", "DATA", "BDAT", "VRFY"]);
/** RFC 3207 §4: all but EHLO, STARTTLS, NOOP and QUIT; whether a mechanism may be used in the clear is AUTH's own rule. */
const isUnderTls: ReadonlySet<Command["verb"]> = new Set<Command["verb"]>([...isUnderLogin, "HELO", "RSET", "HELP"]);

function onHello(session: Session, verb: "HELO" | "EHLO" | "LHLO", helo: string, settings: Settings): Step {
  const isLmtp = settings.dialect === "lmtp";
  if (isLmtp !== (verb === "LHLO")) {
    // RFC 2033 §4.1: a client that has come to the wrong kind of server is to notice.
    return fail(session, isLmtp ? "500 5.5.1 this is LMTP, say LHLO" : "500 5.5.1 this is no LMTP", settings);
  }
  return { session, reply: "", next: { kind: "policy", ask: { on: "helo", helo, esmtp: verb !== "HELO" } } };
}

function onMail(session: Session, path: ReversePath, raw: readonly Parameter[], settings: Settings): Step {
  if (session.transaction !== undefined) return fail(session, "503 5.5.1 MAIL already given", settings);
  const parsed = parseMailParameters(raw, {
    binaryMime: offers(settings, "CHUNKING") && offers(settings, "BINARYMIME"),
    smtputf8: offers(settings, "SMTPUTF8"),
    dsn: offers(settings, "DSN"),
    requireTls: offers(settings, "REQUIRETLS") && session.secured !== "",
    auth: settings.mechanisms !== undefined && settings.mechanisms.length > 0,
  });
  if (!parsed.ok) return fail(session, parameterReplies[parsed.error], settings);
  const { sizeBytes = 0 } = parsed.value;
  const { databytes, mostMails = 0 } = settings;
  if (databytes > 0 && sizeBytes > databytes) {
    const refusal: Refusal = { event: "refused-mail", from: formatSender(path), reason: "size" };
    return { ...fail(session, faultReply("size"), settings), refusal };
  }
  if (mostMails > 0 && session.mails >= mostMails) {
    const refusal: Refusal = { event: "refused-mail", from: formatSender(path), reason: "too-many-mails" };
    return { ...say(session, "452 4.5.3 too many messages in this session"), refusal };
  }
  return { session, reply: "", next: { kind: "policy", ask: { on: "mail", path, raw, parameters: parsed.value } } };
}

function onRcpt(session: Session, path: ForwardPath, raw: readonly Parameter[], settings: Settings): Step {
  const { transaction } = session;
  if (transaction === undefined) return fail(session, "503 5.5.1 MAIL first", settings);
  if (transaction.chunks !== undefined) return fail(session, "503 5.5.1 RCPT after BDAT", settings);
  const parsed = parseRcptParameters(raw, { dsn: offers(settings, "DSN") });
  if (!parsed.ok) return fail(session, parameterReplies[parsed.error], settings);
  const { mostRecipients = 0 } = settings;
  if (mostRecipients > 0 && transaction.count >= mostRecipients) return tooManyRecipients(session, path);
  const options = raw.length === 0 ? undefined : parsed.value;
  return { session, reply: "", next: { kind: "policy", ask: { on: "rcpt", path, options } } };
}

/** No error of the client's: it sends what was taken, and the others after it (RFC 5321 §4.5.3.1.10). */
function tooManyRecipients(session: Session, path: ForwardPath): Step {
  const to = path.kind === "postmaster" ? "postmaster" : formatMailbox(path.mailbox);
  const from = session.transaction?.sender ?? "";
  return {
    ...say(session, "452 4.5.3 too many recipients"),
    refusal: { event: "refused-rcpt", from, to, reason: "too-many-recipients" },
  };
}

function onStartTlsCommand(session: Session, settings: Settings): Step {
  if (session.secured !== "") return fail(session, "503 5.5.1 already under TLS", settings);
  if (settings.startTls !== true) return fail(session, "502 5.5.1 unimplemented", settings);
  if (session.transaction !== undefined) return fail(session, "503 5.5.1 no tls during mail transaction", settings);
  if (session.login !== undefined) return fail(session, "503 5.5.1 no tls after auth", settings);
  return { session, reply: "", next: { kind: "starttls" } };
}

function onXclient(session: Session, argument: string, settings: Settings): Step {
  if (settings.xclient !== true) return fail(session, "550 5.7.0 insufficient authorization", settings);
  if (session.transaction !== undefined) return fail(session, "503 5.5.1 no XCLIENT during mail transaction", settings);
  const attributes = parseXclient(argument);
  if (!attributes.ok) return fail(session, `501 5.5.4 ${attributes.error}`, settings);
  const { helo, login, proto } = attributes.value;
  const { secured, errors, failedLogins, mails, refused } = session;
  return {
    session: {
      ...newSession,
      ...{ secured, errors, failedLogins, mails, refused },
      helo: helo?.kind === "known" ? helo.value : "",
      esmtp: proto?.kind === "known" && proto.value === "ESMTP",
      login: login === undefined ? session.login : login.kind === "known" ? login.value : undefined,
    },
    reply: "",
    next: { kind: "xclient", attributes: attributes.value },
  };
}

type Accepted = Decision & { readonly kind: "accept" };
type Refused = Decision & { readonly kind: "refuse" };

function onAccept(session: Session, ask: Ask, decision: Accepted, settings: Settings): Step {
  const { header, transaction } = session;
  const lines = (decision.header ?? []).map((line) => oneLine(line, longestHeaderLine));
  switch (ask.on) {
    case "connect":
      return { ...say({ ...session, header: { ...header, connect: lines } }, ""), reply: greet(settings) };
    case "helo": {
      const { helo, esmtp } = ask;
      const next = { ...session, helo, esmtp, transaction: undefined, header: { ...header, helo: lines } };
      return say(next, esmtp ? extensions(next, settings) : `250 ${settings.greeting}`);
    }
    case "auth":
      return acceptLogin(session, ask);
    case "mail": {
      const { path, parameters } = ask;
      const sender = decision.address;
      const common = { recipients: undefined, count: 0, octets: sender.length + 2, header: lines, chunks: undefined };
      const begun = { sender, path, parameters, ...common };
      return say({ ...session, transaction: begun, mails: session.mails + 1 }, "250 2.1.0 ok");
    }
    case "rcpt": {
      if (transaction === undefined) throw new Error("a decision on a recipient outside of a transaction");
      const octets = transaction.octets + decision.address.length + 2;
      if (octets > maxEnvelopeOctets) return tooManyRecipients(session, ask.path);
      const recipients = { last: decision.address, options: ask.options, earlier: transaction.recipients };
      const count = transaction.count + 1;
      const top = lines.length === 0 || transaction.header.length >= mostHeaderLines
        ? transaction.header
        : [...transaction.header, ...lines];
      const next = { ...transaction, recipients, count, octets, header: top };
      return say({ ...session, transaction: next }, "250 2.1.5 ok");
    }
    case "data": {
      if (transaction === undefined) throw new Error("a decision on content outside of a transaction");
      const top = [...transaction.header, ...lines];
      return beginContent({ ...session, transaction: { ...transaction, header: top } }, ask.chunk, settings);
    }
    default:
      return assertNever(ask);
  }
}

function onRefuse(session: Session, ask: Ask, decision: Refused, settings: Settings): Step {
  const refusal: Refusal = { event: `refused-${ask.on}`, ...whose(session, ask, decision), reason: decision.reason };
  const next = ask.on === "rcpt" ? { ...session, refused: session.refused + 1 } : session;
  const text = oneLine(decision.reply, longestReply);
  // 421 says that the connection ends (RFC 5321 §3.8).
  if (decision.drop === true || text.startsWith("421")) {
    return { ...cutOff(next, text === "" ? "" : `${text}\r\n`, decision.reason), refusal };
  }
  const reply = text === "" ? "550 5.7.1 refused" : text;
  switch (ask.on) {
    case "connect":
      // The client is waited for (RFC 5321 §3.1).
      return { ...say({ ...next, turnedAway: true }, reply), refusal };
    case "auth":
      return refuseLogin(next, ask, reply, decision.reason, settings);
    case "data":
      if (ask.chunk === undefined) break;
      return { ...refuseChunk(next, ask.chunk, reply, settings, decision.counted), refusal };
    case "helo":
    case "mail":
    case "rcpt":
      break;
    default:
      return assertNever(ask);
  }
  return { ...fail(next, reply, settings, decision.counted), refusal };
}

function whose({ transaction }: Session, { on }: Ask, { address }: Refused): Pick<Refusal, "from" | "to"> {
  switch (on) {
    case "connect":
    case "helo":
    case "auth":
      return {};
    case "mail":
      return { from: address };
    case "rcpt":
      return { from: transaction?.sender ?? "", to: address };
    case "data":
      return { from: transaction?.sender ?? "" };
    default:
      return assertNever(on);
  }
}

function formatSender(path: ReversePath): string {
  return path.kind === "null" ? "" : formatMailbox(path.mailbox);
}

const parameterReplies = { "unknown": "555 5.5.4 unknown parameter", "bad value": "501 5.5.4 syntax error" } as const;
