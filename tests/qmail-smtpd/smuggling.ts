/**
 * What smuggling is tried with.
 * @module
 */
import { existsSync } from "@std/fs";
import { join } from "@std/path";
import { utf8Octets } from "../../components/lib/octets.ts";
import { root } from "./world.ts";

/** A second envelope, which is to stay content. */
export const second =
  "MAIL FROM:<admin@example.com>\r\nRCPT TO:<joe@virt.example>\r\nDATA\r\nSubject: second\r\n\r\nx\r\n";

/** Octets that some server takes for the end of content. */
export const sequences: readonly string[] = [
  ...[
    "\n.\n",
    "\n.\r",
    "\r.\n",
    "\r.\r",
    "\n.\r\n",
    "\r.\r\n",
    "\r\n.\n",
    "\r\n.\r",
    "\r\n.\r\r\n",
    "\r\r\n.\r\r\n",
    "\n\n.\r\n",
  ],
  ...["\r\n\0.\r\n", "\r\n.\0\r\n", "\r\n.\r\0\n", "\r\n.\n\r\n", "\r\n. \r\n", "\r\n.\t\r\n", "\r\n..\r\n"],
];

const file = join(root, "../shared/vectors/smuggling/eod-sequences.json");

/** Published sequences of that kind; undefined where they are not at hand. */
export const published: readonly string[] | undefined = existsSync(file)
  ? (JSON.parse(Deno.readTextFileSync(file)) as { not_eod: string[] }).not_eod.map(utf8Octets)
  : undefined;
