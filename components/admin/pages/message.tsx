/**
 * One message: where it stands, why, what it says, and what can be done to it.
 * @module
 */
// deno-lint-ignore-file jsx-key -- keys serve those who render again; this is rendered once
import type { ShownChannel, ShownMessage } from "../../lib/wire/control_protocol.ts";
import type { MessageContent } from "../../lib/wire/qread_protocol.ts";
import type { MessageTrace } from "../../lib/wire/trace_protocol.ts";
import { questionFor } from "../actions.ts";
import type { Session } from "../auth/sessions.ts";
import type { Answer } from "../overview.ts";
import { addressOf, oneLineOf, textOf } from "../text.ts";
import { formatBytes, formatCount } from "../units.ts";
import { ActionButtons } from "./actions.tsx";
import { Content } from "./content.tsx";
import { Away, Badge, Card, Csrf, Figures, Lines, Scroll, Told, When } from "./parts.tsx";
import { Timeline } from "./timeline.tsx";

export interface MessagePage {
  readonly message: number;
  readonly shown: Answer<ShownMessage | undefined>;
  readonly content: Answer<MessageContent | undefined>;
  readonly trace: Answer<MessageTrace>;
  readonly session: Session;
  readonly nowMs: number;
}

export function spokenMessage({ shown }: MessagePage): string {
  if (shown.kind === "away") return "";
  return shown.status === undefined ? "Not in the queue any more" : `State: ${shown.status.state}`;
}

export function MessageMain(page: MessagePage) {
  const { shown, content, trace, session, nowMs } = page;
  const found = shown.kind === "answered" ? shown.status : undefined;
  const isOld = trace.kind === "answered" && trace.status.life > 1;
  return (
    <>
      <div id="standing" data-live="">
        {shown.kind === "away"
          ? <Away who="qmail-send" why={shown.why} />
          : isOld
          ? <p class="verdict idle">An earlier message of this number: it is not in the queue any more.</p>
          : found === undefined
          ? <p class="verdict idle">There is no such message in the queue (any more).</p>
          : <Standing shown={found} session={session} nowMs={nowMs} />}
      </div>
      <Card id="why" title="Why" live>
        <Told who="multilog" answer={trace}>{(told) => <Timeline trace={told} />}</Told>
      </Card>
      {found === undefined || isOld ? null : (
        <>
          {found.failures === "" ? null : (
            <Card id="failures" title="What the bounce will say">
              <Lines name="What the bounce will say" text={found.failures.split("\n").map(textOf).join("\n")} />
            </Card>
          )}
          <Card id="content" title="What it says">
            <Told who="qread" answer={content}>
              {(told) => told === undefined ? <p>It is gone.</p> : <Content content={told} />}
            </Told>
          </Card>
        </>
      )}
      <p>
        <a href="/queue">All messages</a>
      </p>
    </>
  );
}

function Standing({ shown, session, nowMs }: { shown: ShownMessage; session: Session; nowMs: number }) {
  const { message, sender, birthSeconds, sizeBytes, journal, state, channels } = shown;
  const isHeld = channels.some(({ held }) => held);
  return (
    <>
      <form action="/queue/act" method="post" class="bar">
        <Csrf csrf={session.csrf} />
        <input type="hidden" name="message" value={String(message)} />
        <input type="hidden" name="back" value={`/queue/${message}`} />
        <ActionButtons
          only={isHeld ? ["release", "expire", "delete"] : ["retry", "hold", "expire", "delete"]}
          ask={({ action }) => questionFor(action, [message])}
        />
      </form>
      <div class="card">
        <Figures
          figures={[
            ["state", <Badge mood={isHeld ? "warn" : "idle"}>{state}</Badge>],
            ["sender", <span class="address">{addressOf(sender)}</span>],
            ["arrived", <When ms={birthSeconds * 1000} nowMs={nowMs} />],
            ["size", formatBytes(sizeBytes)],
            ["stands in", journal ? "the journal" : "the queue's files"],
          ]}
        />
      </div>
      {channels.map((channel) => <Recipients channel={channel} nowMs={nowMs} />)}
    </>
  );
}

function Recipients({ channel: one, nowMs }: { channel: ShownChannel; nowMs: number }) {
  const { channel, recipients, left, done, nextSeconds, held, heldSinceSeconds } = one;
  if (recipients.length === 0 && left === 0 && done === 0) return null;
  const title = channel === "local" ? "Local recipients" : "Remote recipients";
  return (
    <section class="card" aria-labelledby={`${channel}-title`}>
      <h2 id={`${channel}-title`}>{title}</h2>
      <p>
        {`${formatCount(left)} left, ${formatCount(done)} done. `}
        {held
          ? (
            <>
              Held{heldSinceSeconds === undefined ? "" : (
                <>
                  since <When ms={heldSinceSeconds * 1000} nowMs={nowMs} />
                </>
              )}.
            </>
          )
          : nextSeconds === undefined
          ? ""
          : (
            <>
              Next attempt <When ms={nextSeconds * 1000} nowMs={nowMs} />.
            </>
          )}
      </p>
      {recipients.length === 0 ? null : (
        <Scroll name={title}>
          <table>
            <thead>
              <tr>
                <th scope="col">Address</th>
                <th scope="col">State</th>
                <th scope="col" class="number">Attempts</th>
                <th scope="col">Last report</th>
              </tr>
            </thead>
            <tbody>
              {recipients.map(({ address, done, attempts, lastSeconds, lastError }) => (
                <tr>
                  <th scope="row" class="address">{addressOf(address)}</th>
                  <td>
                    <Badge mood={done ? "good" : "idle"}>{done ? "done" : "left"}</Badge>
                  </td>
                  <td class="number">{attempts === undefined ? "–" : formatCount(attempts)}</td>
                  <td class="report">
                    {lastSeconds === undefined ? "" : <When ms={lastSeconds * 1000} nowMs={nowMs} />}{" "}
                    {lastError === undefined ? "–" : oneLineOf(lastError)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {left + done > recipients.length
        ? <p class="quiet">{`The first ${formatCount(recipients.length)} are shown.`}</p>
        : null}
    </section>
  );
}
