/**
 * What the DNS says of a domain of ours, and what should be published.
 * @module
 */
import { type Finding, type State, topics } from "../../lib/doctor/finding.ts";
import { harmless } from "../text.ts";
import { Badge, Card, Lines, type Mood } from "./parts.tsx";

export interface DoctorPage {
  readonly domain: string;
  readonly ips: string;
  /** What was wrong with the words of the form. */
  readonly error?: string;
  /** Absent: nothing has been asked yet. */
  readonly found?: readonly Finding[];
}

const moods: Readonly<Record<State, Mood>> = {
  good: "good",
  missing: "bad",
  wrong: "bad",
  unsure: "warn",
  note: "idle",
};

export function DoctorMain({ domain, ips, error, found }: DoctorPage) {
  return (
    <>
      <form class="card search" action="/doctor" method="get" role="search" aria-label="A domain's records">
        {error === undefined ? null : <p class="verdict bad" role="alert" id="error">{error}</p>}
        <div class="fields">
          <div class="field">
            <label for="domain">Domain</label>
            <input
              id="domain"
              name="domain"
              value={domain}
              required
              autocomplete="off"
              spellcheck={false}
              {...error === undefined ? {} : { "aria-invalid": "true", "aria-describedby": "error" }}
            />
          </div>
          <div class="field">
            <label for="ips">Addresses that mail leaves from (optional)</label>
            <input id="ips" name="ips" value={ips} autocomplete="off" spellcheck={false} />
          </div>
          <button type="submit" class="main">Examine</button>
        </div>
      </form>
      {found === undefined
        ? <p>Asks the DNS what is published about a domain of this host.</p>
        : <Found found={found} />}
    </>
  );
}

/** In words, how it is. */
export function summaryOf(found: readonly Finding[]): string {
  const count = (...states: readonly State[]) => found.filter(({ state }) => states.includes(state)).length;
  const [todo, unsure] = [count("missing", "wrong"), count("unsure")];
  if (todo > 0) return todo === 1 ? "One thing is to be done." : `${todo} things are to be done.`;
  return unsure > 0 ? "Not all could be asked." : "All is good.";
}

function Found({ found }: { found: readonly Finding[] }) {
  const bad = found.some(({ state }) => state === "missing" || state === "wrong");
  const missing = [...new Set(found.flatMap(({ paste = [] }) => paste))];
  return (
    <>
      <p class={`verdict ${bad ? "bad" : "good"}`} role="status">{summaryOf(found)}</p>
      {topics.map((topic) => {
        const own = found.filter((finding) => finding.topic === topic);
        if (own.length === 0) return null;
        return (
          <Card id={`topic-${topic}`} title={topic}>
            <ul class="findings">
              {own.map(({ state, subject, why }) => (
                <li>
                  <Badge mood={moods[state]}>{state}</Badge> <strong class="address">{harmless(subject)}</strong>{" "}
                  {harmless(why)}
                </li>
              ))}
            </ul>
          </Card>
        );
      })}
      {missing.length === 0 ? null : (
        <Card id="records" title="Records to publish">
          <Lines name="Records to publish" text={missing.map(harmless).join("\n")} />
        </Card>
      )}
      <p class="quiet">
        The resolver remembers answers: a record that was published just now may take its time to be seen.
      </p>
    </>
  );
}
