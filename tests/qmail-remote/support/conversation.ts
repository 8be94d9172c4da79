/**
 * One message on its way to a server of a test's own, as qmail-remote carries it there, without the processes around it.
 * @module
 */
import { MessageBody } from "../../../components/lib/delivery/message_body.ts";
import { toOctets } from "../../../components/lib/octets.ts";
import type { MessageOptions } from "../../../components/lib/queue/message_options.ts";
import type { TlsPolicy } from "../../../components/lib/tls/client_policy.ts";
import { surveyContent } from "../../../components/qmail-remote/content.ts";
import { dial } from "../../../components/qmail-remote/dial.ts";
import type { Login } from "../../../components/qmail-remote/login.ts";
import type { Outcome } from "../../../components/qmail-remote/outcome.ts";
import { play } from "../../../components/qmail-remote/play.ts";
import { defaults } from "./dialogues.ts";

export const noTls: TlsPolicy = {
  tls: "none",
  implicit: false,
  proof: undefined,
  enforced: true,
  source: "default",
  requireTls: false,
};
export const mayTls: TlsPolicy = { ...noTls, tls: "may" };
export const mustTls: TlsPolicy = { ...noTls, tls: "must", source: "tlsdestinations" };

export interface Wanted {
  readonly policy?: TlsPolicy;
  readonly protocol?: "smtp" | "lmtp";
  readonly login?: Login;
  readonly sender?: string;
  readonly recipients?: readonly string[];
  readonly content?: string;
  /** Octets that are at hand; the remainder is fetched in pieces of as many. */
  readonly pieceBytes?: number;
  readonly binary?: boolean;
  readonly options?: MessageOptions;
  readonly timeoutMs?: number;
  readonly host?: string;
}

/** A message whose first piece is at hand. */
export function bodyOf(content: string, pieceBytes = 128 * 1024): MessageBody {
  const octets = toOctets(content);
  const piece = (at: number) => octets.subarray(at, at + pieceBytes);
  return new MessageBody(octets.length, piece(0), (at) => Promise.resolve(piece(at)));
}

/** Dials and converses; does what the outcome "plain" asks for. The connection is closed. */
export async function converse(port: number, wanted: Wanted = {}, ip = "127.0.0.1"): Promise<Outcome> {
  const { policy = noTls, protocol = "smtp", login, binary = false, options, timeoutMs = 20_000 } = wanted;
  const { sender, recipients, content, pieceBytes } = { ...defaults, ...wanted };
  const body = bodyOf(content, pieceBytes);
  const survey = surveyContent(body.sizeBytes, body.first);
  const transaction = { ip, helo: "me.example", sender, recipients, content: survey, options, binary };
  const dialled = await dial(ip, port, { timeoutMs: 20_000 });
  if (dialled.kind !== "connected") throw new Error(`${ip} ${port}: ${dialled.kind}`);
  const { connection } = dialled;
  const host = wanted.host ?? "mx.example";
  const outcome = await play(connection, { transaction, policy, host, protocol, login }, body, timeoutMs);
  connection.close(outcome.farewell);
  if (outcome.kind !== "plain") return outcome;
  return await converse(port, { ...wanted, policy: { ...policy, tls: "none" } }, ip);
}

/** Verdict and text, one a recipient. */
export function reportsOf(outcome: Outcome, recipients = 1): string[] {
  const reports = outcome.kind === "done" ? outcome.reports : new Array(recipients).fill(outcome.report);
  return reports.map(({ verdict, text }) => verdict + text);
}
