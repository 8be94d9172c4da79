import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { connectionVariables, environmentDefect } from "../../../components/lib/hooks/environment.ts";

const pairs = (map: ReadonlyMap<string, string>) => Object.fromEntries(map);

describe("the variables of a hook", () => {
  it("are those of tcprules, and what is known of the connection", () => {
    const rules = new Map([["RELAYCLIENT", ""], ["TCPREMOTEHOST", "forged"]]);
    assertEquals(pairs(connectionVariables(rules, { remoteIp: "192.0.2.1", remotePort: 5, localHost: "me" })), {
      RELAYCLIENT: "",
      PROTO: "TCP",
      TCPREMOTEIP: "192.0.2.1",
      TCPREMOTEPORT: "5",
      TCPLOCALHOST: "me",
    });
    assertEquals(connectionVariables(new Map(), { remoteIp: "2001:db8::1" }).get("PROTO"), "TCP6");
  });
});

describe("environmentDefect()", () => {
  const table: readonly { readonly name: string; readonly value: string; readonly fits: boolean }[] = [
    { name: "A", value: "", fits: true },
    { name: "SENDER", value: "\xff \t\"'$(x)`y`;|&<>*?\\", fits: true },
    { name: "A", value: "b\nc", fits: false },
    { name: "A", value: "b\0", fits: false },
    { name: "A", value: "x".repeat(4096), fits: true },
    { name: "A", value: "x".repeat(4097), fits: false },
    { name: "", value: "x", fits: false },
    { name: "A B", value: "x", fits: false },
    { name: "1A", value: "x", fits: false },
    { name: "A=B", value: "x", fits: false },
    ...["PATH", "LD_PRELOAD", "BASH_ENV", "ENV", "PERL5OPT", "PYTHONPATH", "IFS"].map((name) => ({
      name,
      value: "/x",
      fits: false,
    })),
  ];
  for (const { name, value, fits } of table) {
    it(`${fits ? "lets through" : "refuses"} ${name}=${JSON.stringify(value.slice(0, 30))}`, () => {
      assertEquals(environmentDefect(new Map([[name, value]])) === undefined, fits);
    });
  }
  it("refuses too many variables, and too much in them", () => {
    const many = new Map(Array.from({ length: 201 }, (_, at) => [`A${at}`, ""]));
    const much = new Map(Array.from({ length: 20 }, (_, at) => [`A${at}`, "x".repeat(4000)]));
    assertEquals([many, much].map(environmentDefect), ["too many variables", "too many variables"]);
  });
});
