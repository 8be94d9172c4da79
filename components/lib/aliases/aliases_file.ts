/**
 * /etc/aliases (sendmail's syntax) as fastforward's table: `name: destination, …`, goes on in lines that begin with a
 * blank; `#` begins a comment line. The bounces of `list` go to `owner-list` where that is an alias, too.
 * @module
 */
import { err, ok, type Result } from "../result.ts";
import { type Destination, parseDestinations } from "./destinations.ts";
import type { Instruction } from "./table.ts";

const lowerCase = (text: string) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/**
 * The instructions, in the file's order. A name without a host means one at any host here: `root` becomes the target
 * `root@`, and in a list `&root@`, which {@link expand} looks up again; with a backslash in front, and in its own list,
 * it is the mailbox: `&root`. Errors: what is wrong, with the line.
 */
export function parseAliases(text: string): Result<Instruction[], string> {
  const lists = new Map<string, readonly string[]>();
  for (const { line, number } of logicalLines(text)) {
    const found = /^[ \t]*((?:"(?:[^"\\]|\\.)*")?[^":]*?)[ \t]*:(?!include:)(.*)$/is.exec(line);
    if (found === null || found[1] === "") return err(`line ${number}: expected "name: destination, ..."`);
    const name = lowerCase(found[1]!.replace(/^"((?:[^"\\]|\\.)*)"/s, "$1").replace(/\\(.)/gs, "$1"));
    const target = name.includes("@") ? name : `${name}@`;
    const destinations = parseDestinations(found[2]!);
    if (!destinations.ok) return err(`line ${number}: unable to parse ${JSON.stringify(destinations.error)}`);
    if (lists.has(target)) return err(`line ${number}: a second list for ${name}`);
    const commands: string[] = [];
    for (const destination of destinations.value) {
      const command = commandOf(destination, target);
      if (command === undefined) return err(`line ${number}: a mailbox file; use an address whose .qmail names it`);
      commands.push(command);
    }
    lists.set(target, commands);
  }
  return ok([...lists].map(([target, commands]) => {
    const owner = `owner-${target}`;
    return { target, commands, owner: lists.has(owner) ? owner : undefined };
  }));
}

/** Lines with those that continue them, and the number of the first. */
function logicalLines(text: string): { readonly line: string; readonly number: number }[] {
  const lines: { line: string; number: number }[] = [];
  text.split("\n").forEach((line, index) => {
    if (line.startsWith("#") || /^[ \t\r]*$/.test(line)) return;
    if (/^[ \t]/.test(line) && lines.length > 0) lines.at(-1)!.line += `\n${line}`;
    else lines.push({ line, number: index + 1 });
  });
  return lines;
}

/** Undefined for a mailbox file, which fastforward's table has no command for. */
function commandOf(destination: Destination, target: string): string | undefined {
  switch (destination.kind) {
    case "program":
      return `!${destination.command}`;
    case "include":
      return destination.path.startsWith("/") ? destination.path : `./${destination.path}`;
    case "file":
      return undefined;
    case "address": {
      const { address, final } = destination;
      if (address.includes("@")) return `&${address}`;
      return final || `${lowerCase(address)}@` === target ? `&${address}` : `&${address}@`;
    }
  }
}
