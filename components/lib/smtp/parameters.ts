/**
 * The ESMTP parameters of MAIL and RCPT as values: SIZE (RFC 1870), BODY (RFC 6152, RFC 3030), SMTPUTF8 (RFC 6531), RET,
 * ENVID, NOTIFY and ORCPT (RFC 3461), REQUIRETLS (RFC 8689) and AUTH (RFC 4954). A parameter whose extension is not on
 * offer is unknown.
 * @module
 */
import { decodeUtf8 } from "../address/parse_domain.ts";
import type { Notify, RecipientOptions } from "../queue/message_options.ts";
import { err, ok, type Result } from "../result.ts";
import { type Parameter, upperCaseAscii } from "./command.ts";
import { parseXtext } from "./xtext.ts";

/** Which parameters there are. `dsn` stands for four of them. */
export interface OfferedParameters {
  readonly binaryMime: boolean;
  readonly smtputf8: boolean;
  readonly dsn: boolean;
  readonly requireTls: boolean;
  readonly auth: boolean;
}

/** Absent: not given. AUTH= is checked and forgotten: nobody here is trusted to say who somebody else is. */
export interface MailParameters {
  readonly sizeBytes?: number;
  readonly body?: "7BIT" | "8BITMIME" | "BINARYMIME";
  readonly smtputf8?: boolean;
  readonly ret?: "FULL" | "HDRS";
  readonly envid?: string;
  readonly requireTls?: boolean;
}

export type ParameterError = "unknown" | "bad value";

type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** RFC 3461 §4.4: octets of an envelope identifier, and §4.2 of an original recipient, as written. */
const maxEnvid = 100;
const maxOrcpt = 500;

export function parseMailParameters(
  parameters: readonly Parameter[],
  offered: OfferedParameters,
): Result<MailParameters, ParameterError> {
  const draft: Draft<MailParameters> = {};
  for (const { keyword, value } of parameters) {
    const taken = takeMailParameter(draft, keyword, value, offered);
    if (taken !== "good") return err(taken);
  }
  return ok(draft);
}

function takeMailParameter(
  draft: Draft<MailParameters>,
  keyword: string,
  value: string | undefined,
  offered: OfferedParameters,
): "good" | ParameterError {
  const check = (good: boolean) => good ? "good" : "bad value";
  const upper = upperCaseAscii(value ?? "");
  switch (keyword) {
    case "SIZE":
      draft.sizeBytes = Number(value);
      return check(value !== undefined && /^[0-9]{1,20}$/.test(value));
    case "BODY":
      if (upper === "BINARYMIME" && !offered.binaryMime) return "bad value";
      if (upper !== "7BIT" && upper !== "8BITMIME" && upper !== "BINARYMIME") return "bad value";
      draft.body = upper;
      return "good";
    case "SMTPUTF8":
      if (!offered.smtputf8) return "unknown";
      draft.smtputf8 = true;
      return check(value === undefined);
    case "REQUIRETLS":
      if (!offered.requireTls) return "unknown";
      draft.requireTls = true;
      return check(value === undefined);
    case "RET":
      if (!offered.dsn) return "unknown";
      if (upper !== "FULL" && upper !== "HDRS") return "bad value";
      draft.ret = upper;
      return "good";
    case "ENVID": {
      if (!offered.dsn) return "unknown";
      const envid = value === undefined || value.length > maxEnvid ? undefined : decodeXtext(value);
      if (envid === undefined) return "bad value";
      draft.envid = envid;
      return "good";
    }
    case "AUTH":
      if (!offered.auth) return "unknown";
      return check(value === "<>" || value !== undefined && decodeXtext(value) !== undefined);
    default:
      return "unknown";
  }
}

/** NOTIFY and ORCPT; an empty value where neither was given. */
export function parseRcptParameters(
  parameters: readonly Parameter[],
  offered: Pick<OfferedParameters, "dsn">,
): Result<RecipientOptions, ParameterError> {
  const draft: Draft<RecipientOptions> = {};
  for (const { keyword, value = "" } of parameters) {
    if (!offered.dsn || keyword !== "NOTIFY" && keyword !== "ORCPT") return err("unknown");
    if (keyword === "NOTIFY") {
      const notify = parseNotify(value);
      if (notify === undefined) return err("bad value");
      draft.notify = notify;
    } else {
      const orcpt = parseOrcpt(value);
      if (orcpt === undefined) return err("bad value");
      draft.orcpt = orcpt;
    }
  }
  return ok(draft);
}

/** `NEVER`, or a list of the others with commas (RFC 3461 §4.1). */
function parseNotify(value: string): Notify | undefined {
  const words = new Set<string>();
  for (const word of upperCaseAscii(value).split(",")) {
    if (words.has(word) || !["NEVER", "SUCCESS", "FAILURE", "DELAY"].includes(word)) return undefined;
    words.add(word);
  }
  if (words.has("NEVER") && words.size > 1) return undefined;
  return {
    never: words.has("NEVER"),
    success: words.has("SUCCESS"),
    failure: words.has("FAILURE"),
    delay: words.has("DELAY"),
  };
}

/** `addr-type ";" xtext` (RFC 3461 §4.2); of type utf-8 octets from 0x80 up may stand in it (RFC 6533 §3). */
function parseOrcpt(value: string): string | undefined {
  if (value.length > maxOrcpt) return undefined;
  const semicolon = value.indexOf(";");
  const type = value.slice(0, Math.max(semicolon, 0));
  const text = value.slice(semicolon + 1);
  if (!/^[A-Za-z0-9-]{1,64}$/.test(type) || text === "") return undefined;
  const isAscii = !/[\x80-\xff]/.test(text);
  const address = isAscii ? decodeXtext(text) : type.toLowerCase() === "utf-8" ? checkUtf8(text) : undefined;
  return address === undefined ? undefined : `${type};${address}`;
}

/**
 * xtext undone, where printable ASCII comes out: nothing that ends a line or looks like another part of a file or a report
 * gets past here (RFC 3461 §4.2, §4.4).
 */
function decodeXtext(text: string): string | undefined {
  const parsed = parseXtext(text);
  return parsed.ok && /^[ -~]*$/.test(parsed.value) ? parsed.value : undefined;
}

/** Only octets above blank come here; what remains are control characters beyond ASCII and the line separators. */
function checkUtf8(octets: string): string | undefined {
  const text = decodeUtf8(octets);
  return text === undefined || /[\u0080-\u009f\u2028\u2029]/.test(text) ? undefined : octets;
}
