/**
 * `deno task queue show ID...`: all that is known of a message.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { formatQmailDate } from "../../components/lib/message/date.ts";
import { log } from "../../components/lib/log/log.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { print } from "../../components/lib/process/tool.ts";
import {
  type MessageState,
  parseShowReply,
  type ShownChannel,
  type ShownMessage,
  type ShownRecipient,
} from "../../components/lib/wire/control_protocol.ts";
import { askSend, Trouble } from "./ask_send.ts";
import { messagesOf, type Wanted } from "./select.ts";

const decoder = new TextDecoder();

/** What a terminal may act on, or shows in another order than it is written, as "_"; line ends and tabs stay. */
export function harmless(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, "_");
}

/** An octet string (an address) on one line. */
function oneLine(octets: string): string {
  return harmless(decoder.decode(toOctets(octets))).replace(/[\t\n]/g, "_");
}

function formatAge(seconds: number): string {
  const units = [[86_400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]] as const;
  const [size, unit] = units.find(([size]) => seconds >= size) ?? units[3];
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

function formatTime(seconds: number): string {
  return formatQmailDate(Math.max(0, seconds)).replace("-0000", "GMT");
}

const states: Readonly<Record<MessageState, string>> = {
  "new": "its first attempt has not begun",
  "first attempt": "its first attempt runs",
  "being delivered": "is being delivered",
  "waiting": "waits for its next attempt",
  "held": "held by the operator",
  "ending": "at its end",
};

function indent(text: string): string {
  return text.split("\n").map((line) => line === "" ? "" : `    ${line}`).join("\n");
}

function formatChannel(shown: ShownChannel, nowSeconds: number): string {
  const { channel, left, done, nextSeconds, held, heldSinceSeconds, recipients } = shown;
  const next = nextSeconds === undefined
    ? ""
    : held
    ? heldSinceSeconds === undefined ? "; held" : `; held since ${formatTime(heldSinceSeconds)}`
    : nextSeconds <= nowSeconds
    ? "; next attempt is due"
    : `; next attempt ${formatTime(nextSeconds)}, in ${formatAge(nextSeconds - nowSeconds)}`;
  const lines = recipients.map((recipient) =>
    `    ${recipient.done ? "done" : "left"}  ${oneLine(recipient.address)}\n${formatError(recipient)}`
  );
  const more = left + done - recipients.length;
  return `  ${channel}: ${left} left, ${done} done${next}\n${lines.join("")}${
    more > 0 ? `    and ${more} more\n` : ""
  }`;
}

/** What was said of a recipient that is left; of one that failed it stands among the failures. */
function formatError({ done, attempts, lastSeconds, lastError }: ShownRecipient): string {
  if (done || attempts === undefined || lastSeconds === undefined || lastError === undefined) return "";
  const count = `${attempts} attempt${attempts === 1 ? "" : "s"} lately`;
  return `          ${count}, ${formatTime(lastSeconds)}: ${oneLine(lastError)}\n`;
}

/** As text, ending in an empty line. */
export function formatShown(shown: ShownMessage, header: Uint8Array, nowSeconds: number): string {
  const { message, sender, birthSeconds, sizeBytes, journal, state, channels, failures } = shown;
  const age = formatAge(Math.max(0, nowSeconds - birthSeconds));
  return [
    `message ${message}\n`,
    `  from: <${oneLine(sender)}>\n`,
    `  born: ${formatTime(birthSeconds)}, ${age} ago\n`,
    `  size: ${sizeBytes} bytes\n`,
    `  now: ${journal ? "in the journal; " : ""}${states[state]}\n`,
    ...channels.map((channel) => formatChannel(channel, nowSeconds)),
    ...(failures === ""
      ? []
      : [`  failed already:\n${indent(harmless(decoder.decode(toOctets(failures))).trimEnd())}\n`]),
    `  header:\n${indent(harmless(decoder.decode(header).replaceAll("\r\n", "\n")).trimEnd())}\n\n`,
  ].join("");
}

/** A message and its header; undefined: there is none. The text of a Trouble where its files cannot be read. */
async function ask(
  home: Home,
  message: number,
): Promise<{ shown: ShownMessage; header: Uint8Array } | string | undefined> {
  try {
    const reply = await askSend(home, { op: "show", message });
    const shown = parseShowReply(reply);
    return shown && { shown, header: reply.body };
  } catch (error) {
    if (error instanceof Trouble) return error.message;
    throw error;
  }
}

/** Exit code 1 where one cannot be read, or one that was asked for by its number is not there. */
export async function show(home: Home, wanted: Wanted, json: boolean): Promise<void> {
  let first = true;
  for await (const ids of messagesOf(home, wanted)) {
    for (const message of ids) {
      const found = await ask(home, message);
      if (found === undefined && wanted.kind !== "ids") continue;
      if (found === undefined || typeof found === "string") {
        Deno.exitCode = 1;
        const reason = found === undefined ? "no such message" : harmless(found);
        if (!json) await print([`message ${message}: ${reason}\n`]);
        else log(`queue show: message ${message}: ${reason}`);
      } else if (json) {
        const text = JSON.stringify({ ...found.shown, header: decoder.decode(found.header) }, undefined, 2);
        await print([first ? "[\n" : ",\n", text]);
        first = false;
      } else await print([formatShown(found.shown, found.header, Math.floor(Date.now() / 1000))]);
    }
  }
  if (json) await print([first ? "[]\n" : "\n]\n"]);
}
