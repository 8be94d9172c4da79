/**
 * Deliveries. qmail-send asks a spawner (sockets `qmail-lspawn`, `qmail-rspawn`) with the message's number; the spawner,
 * who may read the queue, asks the process that delivers, who may not, and feeds it the message: the first piece rides
 * on the request, the rest is asked for by offset (`read`), so that a slow peer never makes anybody hold a whole message.
 * @module
 */
import type { OwnAddresses } from "../routing/local_addresses.ts";
import { type MessageOptions, parseMessageOptions } from "../queue/message_options.ts";
import { tlsLevels, type TlsWish } from "../tls/client_policy.ts";
import * as field from "./fields.ts";
import type { Frame } from "./frame.ts";
import { type JournalPlace, parseJournalPlace } from "./queue_protocol.ts";
import { ProtocolError } from "./server.ts";

/** What one attempt did for one recipient: K delivered, Z deferral, D failure. */
export const verdicts = ["K", "Z", "D"] as const;
export type Verdict = (typeof verdicts)[number];

/** Where an attempt of qmail-remote went, for the log and for whoever paces deliveries. Octet strings without line ends. */
export interface NextHop {
  /** What deliveries are paced by: the relay, or the best exchanger's registered domain; domains of one provider share it. */
  readonly site: string;
  /** The route's relay and its port; absent by MX. What goes to one relay may go together. */
  readonly relay?: string;
  /** Name and address of the server that was spoken with or tried last; "" where none was. */
  readonly host: string;
  readonly ip: string;
  /** What protected the connection, and who demanded it, such as `TLSv1.3 TLS_AES_256_GCM_SHA384, dane`; "" for nothing. */
  readonly tls: string;
  /** Code of the reply that ended the transaction; 0 where there was none. */
  readonly code: number;
}

export interface DeliveryReport {
  readonly verdict: Verdict;
  /** Octet string for the log and the bounce; lines end in LF, no NUL. */
  readonly text: string;
  /** Only from qmail-remote, with K: the next host reports on the delivery as it was asked to (RFC 3461). */
  readonly dsn?: true;
  /** Only from qmail-local, a deferral: nothing was done yet, for a program is to be run and this process may not. */
  readonly needsPrograms?: true;
  /** Only from qmail-remote. */
  readonly next?: NextHop;
}

/**
 * qmail-send → spawner. The recipients of one request share the sender and, on the remote channel, the domain, or the relay
 * that their domains' mail went to last.
 */
export interface SpawnRequest {
  readonly id: number;
  readonly message: number;
  /** Where it stands in the journal; undefined: in mess. */
  readonly place: JournalPlace | undefined;
  readonly sender: string;
  readonly recipients: readonly string[];
  /** Only on the remote channel: what the message's client asked for; recipients by their places here. */
  readonly options?: MessageOptions;
}

/**
 * Spawner → qmail-send: one report a recipient, in order. `lost`: the process that delivered died; nobody knows. What is told
 * of several recipients alike is one object, and stands in the frame once (see {@link formatSpawnReply}).
 */
export interface SpawnReply {
  readonly lost: boolean;
  readonly reports: readonly DeliveryReport[];
}

export const longestReport = 10_000;
/** Octets of control/defaultdelivery at the most. */
export const longestDefaultDelivery = 16_384;

/** Throws ProtocolError. */
export function parseSpawnRequest(frame: Frame): SpawnRequest {
  if (frame.head["op"] !== "deliver") throw new ProtocolError(`expected the request "deliver"`);
  return {
    id: field.wholeNumber(frame.head, "id"),
    message: field.wholeNumber(frame.head, "message"),
    place: parseJournalPlace(frame.head, "place"),
    sender: field.address(frame.head, "sender"),
    recipients: field.addresses(frame.head, "recipients"),
    ...optionsField(frame),
  };
}

/** Those of a hundred recipients with the longest ORCPT. */
const longestOptions = 1024 * 1024;

/** The field "options", as formatMessageOptions() writes it, where it is there. Throws ProtocolError. */
function optionsField({ head }: Frame): { readonly options?: MessageOptions } {
  if (head["options"] === undefined) return {};
  const options = parseMessageOptions(field.text(head, "options", longestOptions));
  if (!options.ok) throw new ProtocolError(`options: ${options.error}`);
  return { options: options.value };
}

function parseReport(value: unknown): DeliveryReport {
  const head = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const text = head["text"];
  if (typeof text !== "string") throw new ProtocolError("a report without text");
  return {
    verdict: field.oneOf(head, "verdict", verdicts),
    text: harmless(text.slice(0, longestReport)),
    ...(head["dsn"] === true ? { dsn: true } : {}),
    ...(head["needsPrograms"] === true ? { needsPrograms: true } : {}),
    ...(head["next"] === undefined ? {} : { next: parseNextHop(head["next"]) }),
  };
}

function parseNextHop(value: unknown): NextHop {
  const head = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const text = (name: string) => harmless(field.text(head, name, 300)).replaceAll("\n", "?");
  return {
    site: text("site"),
    ...(head["relay"] === undefined ? {} : { relay: text("relay") }),
    host: text("host"),
    ip: text("ip"),
    tls: text("tls"),
    code: field.wholeNumber(head, "code"),
  };
}

/** Written as octets, a character over 255 would lose its high bits and might become a line end; NUL ends nothing here. */
function harmless(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[^\x01-\xff]/g, "?");
}

/** The fields of a reply's frame: each report once, and in `of`, where recipients share some, each recipient's by its place. */
export function formatSpawnReply({ lost, reports }: SpawnReply): object {
  const places = new Map<DeliveryReport, number>();
  const of = reports.map((report) => {
    const place = places.get(report);
    if (place !== undefined) return place;
    places.set(report, places.size);
    return places.size - 1;
  });
  return places.size === reports.length ? { lost, reports } : { lost, reports: [...places.keys()], of };
}

/** Throws ProtocolError. */
export function parseSpawnReply({ head }: Frame, recipients: number): SpawnReply {
  const told = head["reports"];
  const different = Array.isArray(told) ? told.map(parseReport) : [];
  const of = head["of"] === undefined ? undefined : field.wholeNumbers(head, "of");
  const reports = of === undefined ? different : of.flatMap((place) => different[place] ?? []);
  if (reports.length !== recipients) throw new ProtocolError(`expected ${recipients} reports`);
  return { lost: field.flag(head, "lost"), reports };
}

/** The part of a spawner's request that both delivering processes get. The frame's body is the message's beginning. */
export interface DeliverFields {
  readonly id: number;
  readonly sizeBytes: number;
  readonly sender: string;
  readonly recipients: readonly string[];
}

/** Throws ProtocolError. */
export function parseDeliverFields(frame: Frame): DeliverFields {
  if (frame.head["op"] !== "deliver") throw new ProtocolError(`expected the request "deliver"`);
  return {
    id: field.wholeNumber(frame.head, "id"),
    sizeBytes: field.wholeNumber(frame.head, "sizeBytes"),
    sender: field.address(frame.head, "sender"),
    recipients: field.addresses(frame.head, "recipients"),
  };
}

/** qmail-local's request: one recipient, whose mail it is, and what qmail-local would have read in control files. */
export interface LocalRequest extends DeliverFields {
  /** A line of users/passwd: no program of its own, and nothing outside its home. */
  readonly isVirtual: boolean;
  /** A virtual mailbox is `user@domain`; "" for an account. */
  readonly domain: string;
  readonly user: string;
  readonly uid: number;
  /** Absolute path, without a `/` at its end. */
  readonly home: string;
  /** With the extension, what `.qmail` files are looked up by. */
  readonly dash: string;
  readonly extension: string;
  /** This host's name, for the names of files in the Maildir. */
  readonly hostName: string;
  /** Text of a `.qmail` file, an octet string, for who has none. */
  readonly defaultDelivery: string;
  /** So long a program may run. */
  readonly programSeconds: number;
  /** Whether qmail-getpw says from whom forwarded mail is sent on. */
  readonly srs?: true;
  /** Whom forwarded mail goes through, as formatRouteText() writes it; absent: nobody. */
  readonly filters?: string;
}

/** Octets of a chain of filters with the longest paths of programs. */
const longestFilters = 16_384;

/** Throws ProtocolError. */
export function parseLocalRequest(frame: Frame): LocalRequest {
  return {
    ...parseDeliverFields(frame),
    isVirtual: field.flag(frame.head, "isVirtual"),
    domain: field.text(frame.head, "domain", 300),
    user: field.text(frame.head, "user"),
    uid: field.wholeNumber(frame.head, "uid"),
    home: field.text(frame.head, "home"),
    dash: field.text(frame.head, "dash"),
    extension: field.text(frame.head, "extension"),
    hostName: field.text(frame.head, "hostName", 255),
    defaultDelivery: field.text(frame.head, "defaultDelivery", longestDefaultDelivery),
    programSeconds: field.wholeNumber(frame.head, "programSeconds"),
    ...(frame.head["srs"] === true ? { srs: true } : {}),
    ...filtersField(frame),
  };
}

function filtersField({ head }: Frame): { readonly filters?: string } {
  const filters = field.optionalText(head, "filters", longestFilters);
  return filters === undefined ? {} : { filters };
}

/** qmail-remote's request: everything it would have read in control files, so that it needs none. */
export interface RemoteRequest extends DeliverFields {
  /** Domain of the recipients, lower-cased, or an address literal in brackets. */
  readonly domain: string;
  /** A route's relay; `undefined`: by MX. */
  readonly relayHost: string | undefined;
  readonly port: number;
  readonly helo: string;
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
  /** Whether an MX may have a loopback or private address. */
  readonly privateAddresses: boolean;
  /** What the route's relay speaks; by MX: smtp. */
  readonly protocol: RemoteProtocol;
  /** What control files say about TLS there. */
  readonly tls: TlsWish;
  /** Whether an exchanger's preference may mean QMTP (MXPS). */
  readonly mxps: boolean;
  /** Whether exchangers are reached over IPv6, too. */
  readonly ipv6: boolean;
  /** Addresses to connect from, one of IPv4 and one of IPv6 at the most; without one the system chooses. */
  readonly localAddresses: readonly string[];
  /** What control files say about which addresses are this host's. */
  readonly own?: OwnAddresses;
  /** Only with a relay: whom to log in as there. Octet strings. */
  readonly login?: { readonly user: string; readonly password: string };
  /** What the message's client asked for; recipients by their places in the request. */
  readonly options?: MessageOptions;
}

/** What a next host may speak. */
export const remoteProtocols = ["smtp", "lmtp", "qmtp"] as const;
export type RemoteProtocol = (typeof remoteProtocols)[number];

function parseTlsWish(value: unknown): TlsWish {
  const head = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  return {
    level: field.oneOf(head, "level", tlsLevels),
    implicit: field.flag(head, "implicit"),
    names: texts(head, "names", 300),
    fingerprints: texts(head, "fingerprints", 200),
    ...(head["anchors"] === undefined ? {} : { anchors: texts(head, "anchors", 200) }),
    ...(head["authorities"] === undefined ? {} : { authorities: texts(head, "authorities", 20_000) }),
    isDefault: field.flag(head, "isDefault"),
  };
}

function parseLogin(value: unknown): { readonly user: string; readonly password: string } {
  const head = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  return { user: field.text(head, "user", 1000), password: field.text(head, "password", 1000) };
}

function parseOwn(value: unknown): OwnAddresses {
  const head = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  return { more: texts(head, "more", 45), fewer: texts(head, "fewer", 45) };
}

function texts(head: Readonly<Record<string, unknown>>, name: string, longest: number): string[] {
  const value = head[name];
  if (!Array.isArray(value)) throw new ProtocolError(`expected a list of texts: ${name}`);
  return value.map((one) => field.text({ one }, "one", longest));
}

/** Throws ProtocolError. */
export function parseRemoteRequest(frame: Frame): RemoteRequest {
  return {
    ...parseDeliverFields(frame),
    domain: field.text(frame.head, "domain", 300),
    relayHost: field.optionalText(frame.head, "relayHost", 300),
    port: field.wholeNumber(frame.head, "port"),
    helo: field.text(frame.head, "helo", 300),
    connectTimeoutMs: field.wholeNumber(frame.head, "connectTimeoutMs"),
    timeoutMs: field.wholeNumber(frame.head, "timeoutMs"),
    privateAddresses: field.flag(frame.head, "privateAddresses"),
    protocol: field.oneOf(frame.head, "protocol", remoteProtocols),
    tls: parseTlsWish(frame.head["tls"]),
    mxps: field.flag(frame.head, "mxps"),
    ipv6: field.flag(frame.head, "ipv6"),
    localAddresses: texts(frame.head, "localAddresses", 45),
    ...(frame.head["own"] === undefined ? {} : { own: parseOwn(frame.head["own"]) }),
    ...(frame.head["login"] === undefined ? {} : { login: parseLogin(frame.head["login"]) }),
    ...optionsField(frame),
  };
}
