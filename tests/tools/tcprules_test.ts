/** tcprules and tcprulescheck as an administrator runs them. */
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { readRules } from "../../components/lib/tcprules/rules_cdb.ts";
import { type Bin, makeBin } from "./support/bin.ts";

const rules = `# mine
127.:allow,RELAYCLIENT="",DATABYTES="0"
192.0.2.3-4:deny
=.spam.example:deny
joe@198.51.100.1:allow,WHO=+joe's+
2001:db8::/32:allow
`;

describe("tcprules and tcprulescheck", () => {
  let bin: Bin;
  beforeAll(() => void (bin = makeBin(["tcprules", "tcprulescheck"])));
  afterAll(() => bin[Symbol.dispose]());

  it("make a file and read it again", async () => {
    assertEquals(await bin.run("tcprules rules.cdb rules.tmp", { input: rules }), { code: 0, stdout: "", stderr: "" });
    const read = readRules(Deno.readFileSync(`${bin.dir}/rules.cdb`));
    assert(read.ok);
    assertEquals(read.value.map(({ key }) => key), [
      ...["127.", "192.0.2.3", "192.0.2.4", "=.spam.example", "joe@198.51.100.1", "2001:db8::/32"],
    ]);
    const allow = "allow connection\n";
    const variable = "set environment variable";
    const table: readonly { readonly words: string; readonly env?: Record<string, string>; readonly want: string }[] = [
      {
        words: "127.0.0.1",
        want: `rule 127.:\n${variable} RELAYCLIENT=\n${variable} DATABYTES=0\n${allow}`,
      },
      { words: "192.0.2.4", want: "rule 192.0.2.4:\ndeny connection\n" },
      { words: "192.0.2.5", want: `default:\n${allow}` },
      { words: "192.0.2.5 a.spam.example", want: "rule =.spam.example:\ndeny connection\n" },
      { words: "198.51.100.1 '' joe", want: `rule joe@198.51.100.1:\n${variable} WHO=joe's\n${allow}` },
      { words: "2001:DB8:1::1", want: `rule 2001:db8::/32:\n${allow}` },
      { words: "", want: `default:\n${allow}` },
      { words: "", env: { TCPREMOTEIP: "192.0.2.3" }, want: "rule 192.0.2.3:\ndeny connection\n" },
      {
        words: "",
        env: { TCPREMOTEIP: "198.51.100.1", TCPREMOTEINFO: "joe", TCPREMOTEHOST: "x.example" },
        want: `rule joe@198.51.100.1:\n${variable} WHO=joe's\n${allow}`,
      },
    ];
    for (const { words, env = {}, want } of table) {
      assertEquals((await bin.run(`tcprulescheck rules.cdb ${words}`, { env })).stdout, want, words);
    }
  });

  it("leave the old file where a line is no rule, or the call is wrong", async () => {
    assertEquals((await bin.run("tcprules old.cdb old.tmp", { input: ":deny\n" })).code, 0);
    const before = Deno.readFileSync(`${bin.dir}/old.cdb`);
    const wrong = await bin.run("tcprules old.cdb old.tmp", { input: ":deny\n1.2.3:allow\n" });
    assertEquals([wrong.code, wrong.stdout], [100, ""]);
    assert(wrong.stderr.startsWith("tcprules: fatal: unable to parse this line: expected "), wrong.stderr);
    assert(wrong.stderr.includes("1.2.3:allow"), wrong.stderr);
    assertEquals(Deno.readFileSync(`${bin.dir}/old.cdb`), before);
    for (const line of ["tcprules", "tcprules old.cdb", "tcprulescheck"]) {
      assertEquals((await bin.run(line)).code, 100, line);
    }
    assertEquals((await bin.run("tcprulescheck gone.cdb 1.2.3.4")).code, 111);
    Deno.writeTextFileSync(`${bin.dir}/bad.cdb`, "x".repeat(4000));
    assertEquals((await bin.run("tcprulescheck bad.cdb 1.2.3.4")).code, 111);
  });
});
