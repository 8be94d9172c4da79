/**
 * Every command of `dqmail`, in the order in which help lists them.
 * @module
 */
import type { Command } from "./command.ts";
import { asking } from "./commands/asking.ts";
import { mail } from "./commands/mail.ts";
import { running } from "./commands/running.ts";
import { settings } from "./commands/settings.ts";
import { shipping } from "./commands/shipping.ts";

/** Those that belong together, under a title. */
export interface Group {
  readonly title: string;
  readonly commands: readonly Command[];
}

export const groups: readonly Group[] = [
  { title: "Running it", commands: running },
  { title: "Mail and the queue", commands: mail },
  { title: "Mailboxes, keys and settings", commands: settings },
  { title: "Finding out", commands: asking },
  { title: "Putting it on machines", commands: shipping },
];

export const commands: readonly Command[] = groups.flatMap((group) => group.commands);

const byName = new Map(commands.map((command) => [command.name, command]));

/** The command of that name, if there is one. */
export function findCommand(name: string): Command | undefined {
  return byName.get(name);
}

/** One that is there. Throws for any other name: a bug. */
export function commandOf(name: string): Command {
  const command = byName.get(name);
  if (command === undefined) throw new Error(`there is no command ${name}`);
  return command;
}

export const commandNames: readonly string[] = commands.map(({ name }) => name);

/** Commands that are no task of their own in a checkout. */
export const tasklessNames: ReadonlySet<string> = new Set(
  commands.filter(({ noTask }) => noTask === true).map(({ name }) => name),
);
