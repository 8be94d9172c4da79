/**
 * Where figures go: one JSON object or a table on standard output, and a page of plots where a file was named.
 * @module
 */
import { formatPage, type Page } from "./html/page.ts";

/** Prints `report` as JSON or as `table` has it, and writes `page` into the file `html`. */
export async function printReport(
  report: unknown,
  how: { readonly json: boolean; readonly html: string | undefined },
  { table, page }: { readonly table: () => string; readonly page: () => Page },
): Promise<void> {
  console.log(how.json ? JSON.stringify(report) : table());
  if (how.html !== undefined) await Deno.writeTextFile(how.html, formatPage(page()));
}
