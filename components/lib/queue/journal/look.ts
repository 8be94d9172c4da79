/**
 * Reads a journal for its check.
 * @module
 */
import type { Home } from "../../../../config/home.ts";
import { ifThere } from "../../disk/if_there.ts";
import { journalMarks, journalNumbers, journalSegment, queueFile } from "../layout.ts";
import { checkJournal, type JournalLook, type KeptNumber } from "./check.ts";

function isFile(path: string): boolean {
  return ifThere(() => Deno.lstatSync(path))?.isFile === true;
}

function* keptNumbers(home: Home): Generator<KeptNumber, void, undefined> {
  for (const name of namesIn(journalNumbers(home))) {
    const info = ifThere(() => Deno.lstatSync(`${journalNumbers(home)}/${name}`));
    if (info?.isFile === true) yield { name, id: info.ino ?? 0, links: info.nlink ?? 1 };
  }
}

function namesIn(dir: string): string[] {
  return ifThere(() => Array.from(Deno.readDirSync(dir), ({ name }) => name)) ?? [];
}

/** What is in a home's journal, and wrong with it, at this moment. Throws when it is closed to us. */
export function lookAtJournal(home: Home, writing: boolean): JournalLook {
  const names = namesIn(home.queue("journal")).filter((name) => isFile(home.queue("journal", name)));
  const numbersOf = (pattern: RegExp) => names.flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number);
  return checkJournal({
    segments: numbersOf(/^([1-9][0-9]{0,4})$/),
    sideFiles: numbersOf(/^([1-9][0-9]{0,4})\.done$/),
    readSegment: (number) => ifThere(() => Deno.readFileSync(journalSegment(home, number))),
    readMarks: (number) => ifThere(() => Deno.readFileSync(journalMarks(home, number))),
    numbers: keptNumbers(home),
    inLayout: (id) => ({ mess: isFile(queueFile(home, "mess", id)), todo: isFile(queueFile(home, "todo", id)) }),
  }, { writing });
}
