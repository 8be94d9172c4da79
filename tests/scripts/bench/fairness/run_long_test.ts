import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";

const program = fromFileUrl(new URL("../../../../scripts/bench.ts", import.meta.url));
const small = ["--recipients", "200", "--domains", "10", "--waiting", "10", "--seconds", "1", "--settle", "0"];

describe("bench fairness", () => {
  it("follows fresh mail through all situations and compares each with the idle system", async () => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-all", program, "fairness", ...small, "--json"],
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const rows: { situation: string; kind: string; figures: { sent: number; missing: number } }[] =
      JSON.parse(new TextDecoder().decode(stdout)).rows;
    assertEquals(rows.map(({ situation, kind, figures }) => [situation, kind, figures.sent, figures.missing]), [
      ["idle", "local", 5, 0],
      ["idle", "remote", 5, 0],
      ["many local", "local", 5, 0],
      ["many local", "remote", 5, 0],
      ["many remote", "local", 5, 0],
      ["many remote", "remote", 5, 0],
      ["dead host", "local", 5, 0],
      ["dead host", "remote", 5, 0],
    ]);
  });
});
