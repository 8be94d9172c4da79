/**
 * The queue: a page of its messages, searched and sorted by qread.
 * @module
 */
// deno-lint-ignore-file jsx-key -- keys serve those who render again; this is rendered once
import {
  type ListedRow,
  type ListedState,
  listedStates,
  type ListReply,
  type SortKey,
} from "../../lib/wire/qread_protocol.ts";
import { finalWords } from "../actions.ts";
import type { Session } from "../auth/sessions.ts";
import type { Answer } from "../overview.ts";
import { queuePath, type QueueQuery, sortedBy } from "../queue_query.ts";
import { addressOf } from "../text.ts";
import { formatBytes, formatCount } from "../units.ts";
import { ActionButtons } from "./actions.tsx";
import { Badge, Csrf, type Mood, Scroll, Told, When } from "./parts.tsx";

export interface QueuePage {
  readonly query: QueueQuery;
  readonly answer: Answer<ListReply>;
  readonly session: Session;
  readonly nowMs: number;
}

export function spokenQueue({ answer }: QueuePage): string {
  return answer.kind === "away" ? "" : `${formatCount(answer.status.matching)} messages match`;
}

export function QueueMain({ query, answer, session, nowMs }: QueuePage) {
  return (
    <>
      <Search query={query} />
      <div id="found" data-live="">
        <Told who="qread" answer={answer}>
          {(reply) => <Found reply={reply} query={query} session={session} nowMs={nowMs} />}
        </Told>
      </div>
    </>
  );
}

function Search({ query }: { query: QueueQuery }) {
  const more = query.sender !== "" || query.recipient !== "" || query.domain !== "";
  return (
    <form class="card search" action="/queue" method="get" role="search" aria-label="Messages" data-swap="">
      <div class="fields">
        <Field name="text" label="Part of an address, or a number" value={query.text} type="search" />
        <div class="field">
          <label for="state">State</label>
          <select id="state" name="state">
            <option value="" selected={query.state === ""}>any</option>
            {listedStates.map((state) => <option value={state} selected={query.state === state}>{state}</option>)}
          </select>
        </div>
        <button type="submit" class="main">Search</button>
      </div>
      <details open={more}>
        <summary>More</summary>
        <div class="fields">
          <Field name="sender" label="Sender (<> for bounces)" value={query.sender} />
          <Field name="recipient" label="Recipient" value={query.recipient} />
          <Field name="domain" label="Recipient's domain" value={query.domain} />
        </div>
      </details>
      <input type="hidden" name="sort" value={query.sort} />
      <input type="hidden" name="order" value={query.order} />
    </form>
  );
}

function Field({ name, label, value, type = "text" }: { name: string; label: string; value: string; type?: string }) {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <input id={name} name={name} type={type} value={value} autocomplete="off" spellcheck={false} />
    </div>
  );
}

const columns: readonly (readonly [title: string, sort: SortKey | undefined, isNumber: boolean])[] = [
  ["Message", "id", false],
  ["State", undefined, false],
  ["Sender", "sender", false],
  ["Recipients", undefined, false],
  ["Left", undefined, true],
  ["Arrived", "born", true],
  ["Next attempt", "next", true],
  ["Size", "size", true],
];

function Found({ reply, query, session, nowMs }: {
  reply: ListReply;
  query: QueueQuery;
  session: Session;
  nowMs: number;
}) {
  return (
    <>
      <Count reply={reply} />
      {reply.rows.length === 0
        ? <p class="card">{reply.total === 0 ? "The queue is empty." : "No message matches."}</p>
        : (
          <form action="/queue/act" method="post" id="messages">
            <Csrf csrf={session.csrf} />
            <input type="hidden" name="back" value={queuePath(query)} />
            <div class="bar">
              <span id="chosen-words" class="quiet">With those chosen:</span>
              <ActionButtons
                ask={({ title, does, final }) => `${title} the chosen messages? ${does}${final ? finalWords : ""}`}
              />
            </div>
            <Scroll name="Messages">
              <table>
                <thead>
                  <tr>
                    <th scope="col">
                      <input type="checkbox" id="all" aria-label="Choose all on this page" data-all="message" hidden />
                    </th>
                    {columns.map(([title, sort, isNumber]) => (
                      <Column title={title} sort={sort} isNumber={isNumber} query={query} />
                    ))}
                  </tr>
                </thead>
                <tbody>{reply.rows.map((row) => <Row row={row} nowMs={nowMs} />)}</tbody>
              </table>
            </Scroll>
          </form>
        )}
      <nav class="pager" aria-label="Pages of the list">
        {query.after === ""
          ? null
          : <a href={queuePath({ ...query, after: "" })} data-swap="" rel="first">First page</a>}
        {reply.next === undefined
          ? null
          : <a href={queuePath({ ...query, after: reply.next })} data-swap="" rel="next">Next page</a>}
      </nav>
    </>
  );
}

function Count({ reply: { rows, place, matching, total, indexed, whole, unsearched } }: { reply: ListReply }) {
  const range = rows.length === 0 ? "" : `${formatCount(place + 1)}–${formatCount(place + rows.length)} of `;
  return (
    <div class="count">
      <p>
        {`${range}${formatCount(matching)} that match, ${formatCount(total)} in the queue.`}
        {unsearched === 0 ? "" : ` ${formatCount(unsearched)} have more recipients than were looked at.`}
      </p>
      {whole ? null : (
        <p>
          <label for="indexed">{`Looking through the queue: ${formatCount(indexed)} so far`}</label>{" "}
          <progress id="indexed" max={Math.max(total, 1)} value={indexed}></progress>
        </p>
      )}
    </div>
  );
}

function Column({ title, sort, isNumber, query }: {
  title: string;
  sort: SortKey | undefined;
  isNumber: boolean;
  query: QueueQuery;
}) {
  const sorted = sort === query.sort;
  return (
    <th scope="col" class={isNumber ? "number" : ""} {...sorted ? { "aria-sort": query.order } : {}}>
      {sort === undefined ? title : (
        <a href={queuePath(sortedBy(query, sort))} data-swap="" id={`sort-${sort}`}>
          {title}
          {sorted ? <span aria-hidden="true">{query.order === "ascending" ? " ▲" : " ▼"}</span> : null}
        </a>
      )}
    </th>
  );
}

const moods: Readonly<Record<ListedState, Mood>> = {
  new: "idle",
  due: "good",
  waiting: "idle",
  held: "warn",
  ending: "idle",
};

function Row({ row, nowMs }: { row: ListedRow; nowMs: number }) {
  const { id, sender, recipients, local, remote, birthSeconds, nextSeconds, sizeBytes, state, bouncing } = row;
  const all = local.left + local.done + remote.left + remote.done;
  const left = local.left + remote.left;
  return (
    <tr data-key={String(id)}>
      <td>
        <input type="checkbox" name="message" value={String(id)} aria-label={`Choose message ${id}`} />
      </td>
      <th scope="row">
        <a href={`/queue/${id}`}>{String(id)}</a>
      </th>
      <td>
        <Badge mood={moods[state]}>{state}</Badge>
        {bouncing ? <Badge mood="bad">bouncing</Badge> : null}
      </td>
      <td class="address">{addressOf(sender)}</td>
      <td class="address">
        {recipients.map(addressOf).join(", ")}
        {all > recipients.length ? ` and ${formatCount(all - recipients.length)} more` : ""}
      </td>
      <td class="number">{left === all ? formatCount(left) : `${formatCount(left)} of ${formatCount(all)}`}</td>
      <td class="number">
        <When ms={birthSeconds * 1000} nowMs={nowMs} />
      </td>
      <td class="number">{nextSeconds === undefined ? "–" : <When ms={nextSeconds * 1000} nowMs={nowMs} />}</td>
      <td class="number">{formatBytes(sizeBytes)}</td>
    </tr>
  );
}
