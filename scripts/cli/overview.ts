/**
 * What `dqmail` says when it is given nothing to do.
 * @module
 */
import { groups } from "./commands.ts";
import { inWords } from "./called.ts";
import { mostColumns, wrapList } from "./wrap.ts";

/** All commands, a line each. */
export function formatOverview(): string {
  const widest = Math.max(...groups.flatMap(({ commands }) => commands.map(({ name }) => name.length)));
  const lists = groups.map(({ title, commands }) =>
    `${title}:\n${wrapList(commands.map(({ name, does }) => [name.padEnd(widest), does]), mostColumns)}`
  );
  return inWords([
    "Usage: dqmail COMMAND [WORD...] [--home DIR] [--json]",
    ...lists,
    `First mail:
  dqmail start
  dqmail send demo@localhost --text "Hello"          (from another terminal)`,
    `"dqmail COMMAND --help" says more about one, "dqmail help TOPIC" has manual pages (queue, log, security, filters,
tls, from-qmail, from-postfix, upgrading, exit-codes, every component, control file and program; "dqmail help --list").
The home is --home, else the variable DQMAIL_HOME, else var.`,
  ].join("\n\n"));
}
