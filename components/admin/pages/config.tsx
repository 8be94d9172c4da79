/**
 * Every control file: its value, its default, what it means and who reads it.
 * @module
 */
// deno-lint-ignore-file jsx-key -- keys serve those who render again; this is rendered once
import type { ShownControl } from "../../lib/wire/controls_protocol.ts";
import type { Answer } from "../overview.ts";
import { harmless } from "../text.ts";
import { Badge, Told } from "./parts.tsx";

export interface ConfigPage {
  /** Part of a name, a meaning or a value. */
  readonly text: string;
  readonly onlySet: boolean;
  readonly answer: Answer<readonly ShownControl[]>;
}

/** Those that are meant. */
export function chosenControls(
  controls: readonly ShownControl[],
  { text, onlySet }: Pick<ConfigPage, "text" | "onlySet">,
): readonly ShownControl[] {
  const wanted = text.toLowerCase();
  return controls.filter(({ name, meaning, value, usedBy, origin }) =>
    (!onlySet || origin !== "default") &&
    [name, meaning, value, ...usedBy].some((part) => part.toLowerCase().includes(wanted))
  );
}

export function ConfigMain({ text, onlySet, answer }: ConfigPage) {
  return (
    <>
      <form class="card search" action="/config" method="get" role="search" aria-label="Control files" data-swap="">
        <div class="fields">
          <div class="field">
            <label for="text">Name, meaning or value</label>
            <input id="text" name="text" type="search" value={text} autocomplete="off" spellcheck={false} />
          </div>
          <div class="check">
            <input type="checkbox" id="set" name="set" value="1" checked={onlySet} />
            <label for="set">Only those that are set</label>
          </div>
          <button type="submit" class="main">Search</button>
        </div>
      </form>
      <Told who="supervisor" answer={answer}>
        {(all) => {
          const chosen = chosenControls(all, { text, onlySet });
          return (
            <>
              <p class="count">{`${chosen.length} of ${all.length} control files`}</p>
              {chosen.map((control) => <Control control={control} />)}
            </>
          );
        }}
      </Told>
    </>
  );
}

const origins = {
  file: ["good", "set"],
  default: ["idle", "default"],
  hidden: ["warn", "set, and not for everybody"],
} as const;

function Control({ control }: { control: ShownControl }) {
  const { name, origin, value, cut, defect, meaning, usedBy } = control;
  const [mood, word] = origins[origin];
  return (
    <article class="card control" id={`control-${name}`} aria-labelledby={`name-${name}`}>
      <h2 id={`name-${name}`}>
        <code>{name}</code> <Badge mood={mood}>{word}</Badge>
        {defect === undefined ? null : <Badge mood="bad">malformed</Badge>}
      </h2>
      {defect === undefined ? null : <p class="away">{harmless(defect)}</p>}
      {origin === "file"
        ? (
          <pre
            class="lines"
            tabindex={0}
            role="region"
            aria-label={`Value of ${name}`}
          >{value === "" ? "(empty)" : value.split("\n").map(harmless).join("\n")}{cut ? "\n…" : ""}</pre>
        )
        : null}
      <p>{meaning}</p>
      <p class="quiet">
        {`Default: ${harmless(control.default) || "(empty)"}. Read by ${usedBy.join(", ")}.`}
      </p>
    </article>
  );
}
