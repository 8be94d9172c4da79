/**
 * `sendmail -bt` and `-bv` as a program.
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { addressesTested, describeRoute } from "../../components/tools/support/address_route.ts";
import { makeBin } from "./support/bin.ts";

describe("addressesTested()", () => {
  for (
    const [line, want] of [
      ["amy@example.org", ["amy@example.org"]],
      ["3,0 amy@example.org", ["amy@example.org"]],
      [" 0 a b ", ["a", "b"]],
      ["3,0", []],
      ["", []],
    ] as const
  ) it(`finds ${want.length} in ${JSON.stringify(line)}`, () => assertEquals(addressesTested(line), [...want]));
});

describe("describeRoute()", () => {
  it("lets nothing through that a terminal would obey", () => {
    const rules = { envnoathost: "here", locals: [], percenthack: [], virtualdomains: new Map() };
    assertEquals(describeRoute("\x1b]0;x\x07\xe4@a\n", rules), "?]0;x??@a?: remote delivery to a?");
  });
});

describe("sendmail -bv and -bt", () => {
  it("say which channel takes an address, and under which name", async () => {
    using bin = makeBin(["sendmail"]);
    Deno.mkdirSync(bin.home.control(""), { recursive: true });
    const files = { me: "here.example", virtualdomains: "v.example:joe", percenthack: "here.example" };
    for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(bin.home.control(name), `${text}\n`);
    const lines = [
      "amy: local delivery of amy@here.example",
      "x@v.example: local delivery of joe-x@v.example",
      "x%y.example@here.example: remote delivery to y.example",
      "",
    ].join("\n");
    const verify = await bin.run("sendmail -bv amy x@v.example x%y.example@here.example");
    assertEquals([verify.code, verify.stdout, verify.stderr], [0, lines, ""]);
    const input = "3,0 amy\nx@v.example\r\nx%y.example@here.example";
    const test = await bin.run("sendmail -bt", { input });
    assertEquals([test.code, test.stdout, test.stderr], [0, lines, ""]);
    assertEquals((await bin.run("sendmail -bt")).stdout, "");
  });
});
