/**
 * All that is known of one message, wherever it stands: what its files say, and what qmail-send does for it just now.
 * @module
 */
import type { Home } from "../../config/home.ts";
import type { Disk } from "../lib/disk/disk.ts";
import { parseChannel } from "../lib/queue/envelope.ts";
import { type Channel, channels, queueFile } from "../lib/queue/layout.ts";
import {
  type MessageState,
  mostShownBytes,
  mostShownRecipients,
  type ShownChannel,
  type ShownMessage,
  type ShownRecipient,
} from "../lib/wire/control_protocol.ts";
import type { JournalPlace } from "../lib/wire/queue_protocol.ts";
import { isDone } from "./dispatcher.ts";
import type { LastError } from "./last_errors.ts";
import type { Message, NewMessage } from "./message.ts";
import { heldSeconds } from "../lib/queue/held.ts";
import type { Store } from "./store.ts";

export interface ShowWays {
  readonly disk: Disk;
  readonly home: Home;
  readonly store: Store;
  /** The channel of a recipient whose message has not begun. */
  route(recipient: string): { readonly channel: Channel; readonly address: string };
}

/** What is in memory of a message; neither: nothing. */
export interface Known {
  readonly message?: Message | undefined;
  /** It waits for its first attempt in the journal. */
  readonly fresh?: NewMessage | undefined;
  /** What was said last about its recipients, by address. */
  readonly errors?: ReadonlyMap<string, LastError> | undefined;
}

/** A message but for its text. */
export interface Shown extends Omit<ShownMessage, "sizeBytes"> {
  readonly place: JournalPlace | undefined;
}

/** Undefined: there is no such message. Throws what the disk says, or an Error for files that are not in their format. */
export function showMessage(ways: ShowWays, id: number, { message, fresh, errors }: Known): Shown | undefined {
  const shown = showAnywhere(ways, id, { message, fresh });
  if (shown === undefined || errors === undefined) return shown;
  const channels = shown.channels.map((one) => ({
    ...one,
    recipients: one.recipients.map((recipient) => withError(recipient, errors.get(recipient.address))),
  }));
  return { ...shown, channels };
}

function withError(recipient: ShownRecipient, error: LastError | undefined): ShownRecipient {
  if (error === undefined) return recipient;
  return { ...recipient, attempts: error.attempts, lastSeconds: error.atSeconds, lastError: error.text };
}

function showAnywhere(ways: ShowWays, id: number, { message, fresh }: Known): Shown | undefined {
  if (message?.stage === "journal" || message?.stage === "todo") return showFirst(message);
  if (fresh !== undefined) return showNew(ways, fresh);
  if (message === undefined && ways.store.inTodo(id)) {
    const read = ways.store.readTodo(id);
    if (read?.ok === false) throw new Error(read.error);
    if (read !== undefined) return showNew(ways, read.value);
  }
  return showSplit(ways, id, message);
}

function showNew({ route }: ShowWays, { id, sender, birthSeconds, place, recipients }: NewMessage): Shown {
  const routed = recipients.map(route);
  return {
    ...{ message: id, sender, birthSeconds, place, journal: place !== undefined, state: "new", failures: "" },
    channels: channels.flatMap((channel) =>
      showChannel(
        channel,
        routed.filter((recipient) => recipient.channel === channel).map(({ address }) => ({ address, done: false })),
        undefined,
      )
    ),
  };
}

function showFirst({ id, sender, birthSeconds, place, passes, bounce }: Message): Shown {
  return {
    ...{ message: id, sender, birthSeconds, place, journal: place !== undefined, state: "first attempt" },
    failures: bounce.slice(0, mostShownBytes),
    channels: [...passes].flatMap(([channel, { recipients }]) =>
      showChannel(
        channel,
        recipients.map((recipient) => ({ address: recipient.address, done: isDone(recipient) })),
        undefined,
      )
    ),
  };
}

function showSplit(ways: ShowWays, id: number, message: Message | undefined): Shown | undefined {
  const { store } = ways;
  const birthSeconds = store.mtime("mess", id) ?? store.mtime("info", id);
  if (store.mtime("info", id) === undefined || birthSeconds === undefined) return undefined;
  const sender = store.readSender(id);
  if (!sender.ok) throw new Error(`info/${id}: ${sender.error}`);
  const shown = channels.flatMap((channel) => {
    const recipients = readAll(ways, id, channel);
    const running = message?.passes.has(channel) === true;
    const file = running ? undefined : ways.disk.stat(queueFile(ways.home, channel, id));
    return showChannel(channel, recipients, file?.mtimeSeconds, file?.ctimeSeconds);
  });
  const failures = store.readBounce(id).slice(0, mostShownBytes);
  const state = stateOf(message, shown);
  return {
    ...{ message: id, sender: sender.value, birthSeconds, place: undefined, journal: false, state, failures },
    channels: shown,
  };
}

function stateOf(message: Message | undefined, shown: readonly ShownChannel[]): MessageState {
  if (message?.stage === "ending" || shown.every(({ left }) => left === 0)) return "ending";
  if (message !== undefined && message.passes.size > 0) return "being delivered";
  return shown.some(({ held }) => held) ? "held" : "waiting";
}

/** The recipients of a file of local or remote, those that are done among them; none where there is no file. */
function readAll({ disk, home }: ShowWays, id: number, channel: Channel): ShownRecipient[] {
  const path = queueFile(home, channel, id);
  if (disk.stat(path) === undefined) return [];
  const parsed = parseChannel(disk.readFile(path));
  if (!parsed.ok) throw new Error(`${channel}/${id}: ${parsed.error}`);
  return parsed.value.map(({ address, done }) => ({ address, done }));
}

function showChannel(
  channel: Channel,
  recipients: readonly ShownRecipient[],
  nextSeconds: number | undefined,
  changedSeconds?: number,
): ShownChannel[] {
  if (recipients.length === 0) return [];
  const left = recipients.filter((recipient) => !recipient.done).length;
  const held = nextSeconds !== undefined && nextSeconds >= heldSeconds;
  return [{
    channel,
    recipients: recipients.slice(0, mostShownRecipients),
    left,
    done: recipients.length - left,
    nextSeconds,
    held,
    // Nothing is done to the file of one that is held after its time was set.
    heldSinceSeconds: held ? changedSeconds : undefined,
  }];
}
