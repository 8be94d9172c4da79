import { beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { runProgram } from "../../support/program.ts";
import { checkout } from "../../support/system.ts";

describe("a server's ports", () => {
  let seen: Readonly<Record<string, unknown>>;

  beforeAll(async () => {
    const program = join(checkout, "tests/support/doors.ts");
    const config = ["--config", join(checkout, "deno.json")];
    const { code, stdout, stderr } = await runProgram(
      Deno.execPath(),
      ["run", "--quiet", "--allow-all", "--unstable-net", ...config, program],
    );
    assertEquals([code, stderr], [0, ""]);
    seen = JSON.parse(stdout);
  });

  it("are opened beside a process of the same component for its successor, and for nobody else", () => {
    assertEquals(seen["own"], ["tcp", "tcp", "AddrInUse"]);
  });

  it("are not opened beside another program, not by a successor either", () => {
    assertEquals(seen["foreign"], ["AddrInUse", "AddrInUse"]);
  });

  it("are closed when all have been taken who had come", () => {
    assertEquals(seen["closing"], { taken: 20, after: "ConnectionRefused" });
  });
});
