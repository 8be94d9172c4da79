/**
 * Servers that misbehave at one step each, in all the ways there are, as data: what each says and does, and what the
 * client has to report. A script is a list of
 *
 * - `> text`: say a line; `>> text`: say octets without a line end;
 * - `< START`: read a line, which has to begin so; `<any`: read whatever line comes; `<raw`: read some octets;
 *   `<.`: read content with its final dot; `<#`: read a chunk (BDAT); `<end`: read until the client has closed;
 * - `tls`: TLS from here on; `silence`: say nothing more; `reset`: end without having read what the client says;
 *   `slowly`: an octet now and then; `flood`: a line of 10 MB; `lines`: a million lines.
 *
 * At its end the server closes the connection.
 * @module
 */
import type { TlsPolicy } from "../../../components/lib/tls/client_policy.ts";
import { mustTls, type Wanted } from "./conversation.ts";

export interface BrokenServer extends Pick<Wanted, "protocol" | "login" | "binary" | "recipients" | "content"> {
  readonly name: string;
  readonly script: readonly string[];
  readonly policy?: TlsPolicy;
  /** What each recipient's report begins with, verdict first, and what stands in it behind that. */
  readonly want: readonly (readonly [start: string, within?: string])[];
  /** Whether the script makes the client wait until it gives up. */
  readonly isSlow?: boolean;
  /** The code that is seen. */
  readonly code?: number;
}

const ip = "127.0.0.1";

/** An obedient server until a reply is due; `name` of the step is the command it answers. */
const steps: readonly { readonly name: string; readonly before: readonly string[] }[] = [
  { name: "greeting", before: [] },
  { name: "EHLO", before: ["> 220 x", "< EHLO me.example"] },
  { name: "MAIL", before: ["> 250 x", "< MAIL FROM:<s@s.example>"] },
  { name: "RCPT", before: ["> 250 ok", "< RCPT TO:<a@r.example>"] },
  { name: "DATA", before: ["> 250 ok", "< DATA"] },
  { name: "message", before: ["> 354 go", "<."] },
];

/** A refusal's report at each step; a refused EHLO is followed by HELO, and these servers close there. */
const refusals: Readonly<Record<string, string>> = {
  greeting: `Connected to ${ip} but greeting failed.`,
  EHLO: `Connected to ${ip} but my name was rejected.`,
  MAIL: `Connected to ${ip} but sender was rejected.`,
  RCPT: `${ip} does not like recipient.`,
  DATA: `${ip} failed on DATA command.`,
  message: `${ip} failed after I sent the message.`,
};

/** What a server does where a reply is due; `code`: it is a refusal with this code. */
const misdeeds: readonly {
  readonly name: string;
  readonly does: readonly string[];
  readonly ends: "died" | "malformed" | number;
  readonly isSlow?: boolean;
}[] = [
  { name: "closes", does: [], ends: "died" },
  { name: "says nothing", does: ["silence"], ends: "died", isSlow: true },
  { name: "speaks an octet at a time", does: ["slowly"], ends: "died", isSlow: true },
  { name: "begins a reply and closes", does: [">> 250-and\r\n250-so"], ends: "died" },
  { name: "says a code over 599", does: ["> 999 what"], ends: "malformed" },
  { name: "says a code under 200", does: ["> 100 continue"], ends: "malformed" },
  { name: "says a code of two digits", does: ["> 25"], ends: "malformed" },
  { name: "says no code", does: ["> OK"], ends: "malformed" },
  { name: "says an empty line", does: ["> "], ends: "malformed" },
  { name: "says two codes in one reply", does: ["> 250-a", "> 550 b"], ends: "malformed" },
  { name: "says NULs", does: [">> \0\0\0\0\r\n"], ends: "malformed" },
  { name: "speaks HTTP", does: ["> HTTP/1.1 400 Bad Request", "> "], ends: "malformed" },
  { name: "says a million lines", does: ["lines"], ends: "malformed" },
  { name: "says a line of 10 MB", does: ["flood"], ends: 554 },
  { name: "says 421 and closes", does: ["> 421 4.3.2 bye"], ends: 421 },
  { name: "says 221", does: ["> 221 bye"], ends: 221 },
  { name: "says 334", does: ["> 334 VXNlcm5hbWU6"], ends: 334 },
  { name: "says 599 with NULs in it", does: ["> 599 a\0b"], ends: 599 },
];

function reportAt(step: string, ends: "died" | "malformed" | number): readonly [string, string?] {
  const doubt = step === "message" ? " Possible duplicate!" : "";
  if (ends === "died" || (step === "EHLO" && typeof ends === "number" && ends >= 500)) {
    return [`ZConnected to ${ip} but connection died.${doubt} (#4.4.2)\n`];
  }
  if (ends === "malformed") return [`ZConnected to ${ip} but its reply was malformed.${doubt} (#4.5.0)\n`];
  const verdict = ends >= 500 && step !== "greeting" ? "D" : "Z";
  return [`${verdict}${refusals[step]}\nRemote host said: ${ends} `];
}

/** A code that is consent at this step. */
function isConsent(step: string, ends: unknown): boolean {
  return ends === 221 && ["MAIL", "RCPT", "message"].includes(step);
}

/** Each misdeed at each step, without TLS and within it. */
export function* brokenSteps(): Generator<BrokenServer> {
  const toTls = ["> 220 x", "< EHLO", "> 250-x", "> 250 STARTTLS", "< STARTTLS", "> 220 go", "tls"];
  const stepsWithin = steps.slice(1).map((step) => step.name === "EHLO" ? { ...step, before: ["< EHLO"] } : step);
  for (const [where, around, some] of [["", [], steps], [" within TLS", toTls, stepsWithin]] as const) {
    for (const misdeed of misdeeds) {
      for (const [at, step] of some.entries()) {
        if (isConsent(step.name, misdeed.ends)) continue;
        const before = [...around, ...some.slice(0, at + 1).flatMap((one) => one.before)];
        yield {
          name: `${misdeed.name} instead of its reply to ${step.name}${where}`,
          script: [...before, ...misdeed.does],
          want: [reportAt(step.name, misdeed.ends)],
          ...where === "" ? {} : { policy: mustTls },
          ...misdeed.isSlow === true ? { isSlow: true } : {},
        };
      }
    }
  }
  for (const [at, step] of steps.entries()) {
    if (at === 0) continue;
    const before = steps.slice(0, at + 1).flatMap((one) => one.before).slice(0, -1);
    yield {
      name: `resets the connection at ${step.name}`,
      script: [...before, "reset"],
      want: [reportAt(step.name, "died")],
    };
  }
}
