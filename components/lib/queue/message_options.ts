/**
 * What a client asked for beside the addresses of an envelope: delivery status notifications (RFC 3461), REQUIRETLS
 * (RFC 8689), SMTPUTF8 (RFC 6531) and the kind of its content (RFC 6152, RFC 3030). Octet strings throughout.
 *
 * Between processes, in the journal and in queue/options it has the form of {@link formatMessageOptions}: lines of
 * printable ASCII, for everything a client chose stands there as xtext. No octet of it can begin a line or end a record.
 *
 * ```text
 * dqo1
 * RET=HDRS
 * ENVID=QQ314159
 * REQUIRETLS
 * SMTPUTF8
 * BODY=8BITMIME
 * RCPT 0 bob@b.example NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob@b.example
 * ```
 * @module
 */
import { err, ok, type Result } from "../result.ts";
import { formatXtext, parseXtext } from "../smtp/xtext.ts";

/** When the sender wants to hear of a recipient (RFC 3461 §4.1). `never` excludes the others. */
export interface Notify {
  readonly never: boolean;
  readonly success: boolean;
  readonly failure: boolean;
  readonly delay: boolean;
}

/** Of one recipient. Absent: not given by the client. */
export interface RecipientOptions {
  readonly notify?: Notify;
  /** Original recipient: address type, ";", address; xtext undone (RFC 3461 §4.2). */
  readonly orcpt?: string;
}

/** Of the message as a whole. Absent: not given by the client. */
export interface MessageOptions {
  /** What a report copies of the message (RFC 3461 §4.3). */
  readonly ret?: "FULL" | "HDRS";
  /** Envelope identifier; xtext undone (RFC 3461 §4.4). */
  readonly envid?: string;
  readonly requireTls?: boolean;
  readonly smtputf8?: boolean;
  readonly body?: "8BITMIME" | "BINARYMIME";
  /** By the recipient's place in the envelope's list, from 0; those that gave none are not in it. */
  readonly recipients: ReadonlyMap<number, RecipientOptions>;
}

/** The same of a recipient whose address is told: as the envelope has it. */
export interface KeptRecipientOptions extends RecipientOptions {
  readonly address: string;
}

/** The same, read back: each recipient is known by its address as well, which outlives the envelope. */
export interface KeptOptions extends MessageOptions {
  readonly recipients: ReadonlyMap<number, KeptRecipientOptions>;
}

const version = "dqo1";

/** Whether there is anything to carry: 8BITMIME alone is seen in the content itself. */
export function saysSomething({ ret, envid, requireTls, smtputf8, body, recipients }: MessageOptions): boolean {
  return ret !== undefined || envid !== undefined || requireTls === true || smtputf8 === true ||
    body === "BINARYMIME" || recipients.size > 0;
}

/** As RCPT has it (RFC 3461 §4.1). */
export function formatNotify({ never, success, failure, delay }: Notify): string {
  if (never) return "NEVER";
  return [...success ? ["SUCCESS"] : [], ...failure ? ["FAILURE"] : [], ...delay ? ["DELAY"] : []].join(",");
}

/** Errors: an unknown word, one said twice, NEVER beside others, none at all. */
export function parseNotify(text: string): Result<Notify, string> {
  const words = text.split(",");
  const never = text === "NEVER";
  const isGood = (word: string, at: number) =>
    (word === "SUCCESS" || word === "FAILURE" || word === "DELAY") && words.indexOf(word) === at;
  if (!never && !words.every(isGood)) return err("not a NOTIFY");
  return ok({
    never,
    success: words.includes("SUCCESS"),
    failure: words.includes("FAILURE"),
    delay: words.includes("DELAY"),
  });
}

/** Those of some of the recipients, given by their places, in a list of only these. */
export function selectRecipients(options: MessageOptions, places: readonly number[]): MessageOptions {
  const recipients = new Map<number, RecipientOptions>();
  places.forEach((place, at) => {
    const one = options.recipients.get(place);
    if (one !== undefined) recipients.set(at, one);
  });
  return { ...options, recipients };
}

/** An octet string without NUL and control octets; `addresses` is the envelope's list. */
export function formatMessageOptions(options: MessageOptions, addresses: readonly string[]): string {
  const { ret, envid, requireTls, smtputf8, body } = options;
  const lines = [
    version,
    ...ret === undefined ? [] : [`RET=${ret}`],
    ...envid === undefined ? [] : [`ENVID=${formatXtext(envid)}`],
    ...requireTls === true ? ["REQUIRETLS"] : [],
    ...smtputf8 === true ? ["SMTPUTF8"] : [],
    ...body === undefined ? [] : [`BODY=${body}`],
  ];
  for (const [place, { notify, orcpt }] of options.recipients) {
    const notified = notify === undefined ? "" : ` NOTIFY=${formatNotify(notify)}`;
    const original = orcpt === undefined ? "" : ` ORCPT=${formatXtext(orcpt)}`;
    lines.push(`RCPT ${place} ${formatXtext(addresses[place] ?? "")}${notified}${original}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** Errors: another version, or what {@link formatMessageOptions} does not write. */
export function parseMessageOptions(text: string): Result<KeptOptions, string> {
  const lines = text.split("\n");
  if (lines[0] !== version) return err(`not "${version}"`);
  if (lines.pop() !== "") return err("the last line is not ended");
  const recipients = new Map<number, KeptRecipientOptions>();
  const whole: Partial<Record<keyof MessageOptions, string | boolean>> = {};
  for (const line of lines.slice(1)) {
    const taken = line.startsWith("RCPT ") ? parseRecipient(line, recipients) : parseWhole(line);
    if (!taken.ok) return taken;
    Object.assign(whole, taken.value);
  }
  // Of these, each that is there was checked by its line's parser.
  return ok({ ...whole as Omit<MessageOptions, "recipients">, recipients });
}

function parseWhole(line: string): Result<Omit<MessageOptions, "recipients">, string> {
  if (line.startsWith("ENVID=")) {
    const envid = parseXtext(line.slice("ENVID=".length));
    return envid.ok ? ok({ envid: envid.value }) : envid;
  }
  switch (line) {
    case "RET=FULL":
      return ok({ ret: "FULL" });
    case "RET=HDRS":
      return ok({ ret: "HDRS" });
    case "REQUIRETLS":
      return ok({ requireTls: true });
    case "SMTPUTF8":
      return ok({ smtputf8: true });
    case "BODY=8BITMIME":
      return ok({ body: "8BITMIME" });
    case "BODY=BINARYMIME":
      return ok({ body: "BINARYMIME" });
    default:
      return err("an unknown line");
  }
}

/** Adds it to `recipients`. */
function parseRecipient(line: string, recipients: Map<number, KeptRecipientOptions>): Result<undefined, string> {
  const [, place = "", xtext = "", ...rest] = line.split(" ");
  const address = parseXtext(xtext);
  if (!/^(?:0|[1-9][0-9]{0,8})$/.test(place) || !address.ok || recipients.has(Number(place))) {
    return err("a malformed recipient");
  }
  let options: KeptRecipientOptions = { address: address.value };
  for (const word of rest) {
    const [name, value] = [word.slice(0, word.indexOf("=") + 1), word.slice(word.indexOf("=") + 1)];
    const parsed = name === "NOTIFY=" ? parseNotify(value) : name === "ORCPT=" ? parseXtext(value) : err("");
    if (!parsed.ok) return err("a malformed recipient");
    options = { ...options, ...typeof parsed.value === "string" ? { orcpt: parsed.value } : { notify: parsed.value } };
  }
  recipients.set(Number(place), options);
  return ok(undefined);
}
