/**
 * All that the pages and the API can ask and order, as one interface: the shell answers it from the sockets, tests from a
 * table. Every question may find nobody, so each answer says whether it is one.
 * @module
 */
import type { Finding } from "../lib/doctor/finding.ts";
import type {
  Action,
  ActionResult,
  PauseResult,
  ShownDestination,
  ShownMessage,
} from "../lib/wire/control_protocol.ts";
import type { ShownControl } from "../lib/wire/controls_protocol.ts";
import type { ListReply, ListRequest, MessageContent } from "../lib/wire/qread_protocol.ts";
import type { AddressTrace, MessageTrace, Rates, Tail } from "../lib/wire/trace_protocol.ts";
import type { DepthSample } from "./depth.ts";
import type { Answer, Overview } from "./overview.ts";

export type QueueQuestion = Omit<ListRequest, "op" | "id">;

export interface TailQuestion {
  readonly count: number;
  readonly component?: string | undefined;
  readonly contains?: string | undefined;
  readonly after?: string | undefined;
}

/** Octet strings where the protocols have them: addresses, destinations, what servers said. */
export interface World {
  /** control/me as it is now, in lower case. */
  readonly me: () => string;
  /** control/admintoken's hash, or "". */
  readonly tokenHash: () => string;
  readonly nowMs: () => number;
  /** Components, queue and deliveries, as the status sockets tell. */
  readonly overview: () => Promise<Overview>;
  /** Messages in the queue over the last hour, a sample a minute. */
  readonly depth: () => readonly DepthSample[];
  readonly rates: () => Promise<Answer<Rates>>;
  readonly controls: () => Promise<Answer<readonly ShownControl[]>>;
  readonly list: (question: QueueQuestion) => Promise<Answer<ListReply>>;
  /** Undefined: there is no such message. */
  readonly content: (message: number) => Promise<Answer<MessageContent | undefined>>;
  readonly show: (message: number) => Promise<Answer<ShownMessage | undefined>>;
  readonly act: (action: Action, messages: readonly number[]) => Promise<Answer<readonly ActionResult[]>>;
  readonly destinations: () => Promise<Answer<readonly ShownDestination[]>>;
  readonly steer: (verb: "pause" | "resume", destination: string) => Promise<Answer<PauseResult>>;
  readonly traceMessage: (message: number, life: number) => Promise<Answer<MessageTrace>>;
  readonly traceAddress: (address: string, count: number) => Promise<Answer<AddressTrace>>;
  readonly tail: (question: TailQuestion) => Promise<Answer<Tail>>;
  /** What the DNS says of a domain (lower case); `ips`: the addresses that mail leaves from, where the operator names them. */
  readonly examine: (domain: string, ips: readonly string[]) => Promise<readonly Finding[]>;
}
