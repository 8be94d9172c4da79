import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { describe, it } from "@std/testing/bdd";
import { formatHomeArgs, homeOptions, parseHomeArgs } from "../../../components/lib/process/home_args.ts";
import { homeAt } from "../../../config/home.ts";

describe("formatHomeArgs(), parseHomeArgs()", () => {
  const rows = [
    { queueSplit: 23, words: ["--home", "/h"] },
    { queueSplit: 1, words: ["--home", "/h", "--queue-split", "1"] },
    { queueSplit: 401, words: ["--home", "/h", "--queue-split", "401"] },
  ];
  for (const { queueSplit, words } of rows) {
    it(`make ${words.join(" ")} of a split of ${queueSplit}, and the same home again`, () => {
      assertEquals(formatHomeArgs(homeAt("/h", { queueSplit })), words);
      const home = parseHomeArgs(parseArgs(words, { string: homeOptions }));
      assertEquals([home.dir, home.queueSplit], ["/h", queueSplit]);
    });
  }

  it("take the working directory where no home is named", () => assertEquals(parseHomeArgs({}).dir, Deno.cwd()));

  for (const given of ["0", "-7", "1.5", "many", ""]) {
    it(`refuse a split of ${JSON.stringify(given)}, which would look for every file in the wrong folder`, () => {
      const error = assertThrows(() => parseHomeArgs({ home: "/h", "queue-split": given }));
      assertStringIncludes(String(error), `--queue-split: expected a whole number, got ${given}`);
    });
  }
});
