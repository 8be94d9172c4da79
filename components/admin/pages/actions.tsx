/**
 * Buttons that have something done, and the page that asks first where no script can.
 * @module
 */
// deno-lint-ignore-file jsx-key -- keys serve those who render again; this is rendered once
import type { Action } from "../../lib/wire/control_protocol.ts";
import { type ActionWords, actionWords } from "../actions.ts";
import type { Session } from "../auth/sessions.ts";
import { Csrf } from "./parts.tsx";

/** The buttons of a form about messages. `ask`: the question before each. */
export function ActionButtons({ only, ask, form }: {
  only?: readonly Action[];
  ask: (words: ActionWords) => string;
  form?: string;
}) {
  return (
    <div class="buttons">
      {actionWords.filter(({ action }) => only === undefined || only.includes(action)).map((words) => (
        <button
          type="submit"
          name="action"
          value={words.action}
          title={words.does}
          class={words.final ? "danger" : ""}
          data-confirm={ask(words)}
          {...form === undefined ? {} : { form }}
        >
          {words.title}
        </button>
      ))}
    </div>
  );
}

export interface Question {
  readonly session: Session;
  readonly question: string;
  /** Where the form goes, and where "no" leads. */
  readonly to: string;
  readonly back: string;
  /** The answer's button. */
  readonly yes: string;
  readonly final: boolean;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** The same question as a page. */
export function ConfirmMain({ session, question, to, back, yes, final, fields }: Question) {
  return (
    <form action={to} method="post" class="card">
      <Csrf csrf={session.csrf} />
      <input type="hidden" name="confirmed" value="1" />
      {fields.map(([name, value]) => <input type="hidden" name={name} value={value} />)}
      <p>{question}</p>
      <div class="buttons">
        <button type="submit" class={final ? "danger" : "main"}>{yes}</button>
        <a href={back} class="button">Cancel</a>
      </div>
    </form>
  );
}
