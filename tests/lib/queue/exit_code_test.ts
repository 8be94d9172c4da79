import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { exitCode, exitText } from "../../../components/lib/queue/exit_code.ts";

describe("exitText()", () => {
  const rows = [
    { code: 11, want: "Denvelope address too long for qq (#5.1.3)" },
    { code: 115, want: "Denvelope address too long for qq (#5.1.3)" },
    { code: 31, want: "Dmail server permanently rejected message (#5.3.0)" },
    { code: 53, want: "Zqq write error or disk full (#4.3.0)" },
    { code: 63, want: "Zqq trouble creating files in queue (#4.3.0)" },
    { code: 71, want: "Zmail server temporarily rejected message (#4.3.0)" },
    { code: 74, want: "Zcommunication with mail server failed (#4.4.2)" },
    { code: 81, want: "Zqq internal bug (#4.3.0)" },
    { code: 91, want: "Zqq internal bug (#4.3.0)" },
    { code: 120, want: "Zunable to exec qq (#4.3.0)" },
    { code: 12, want: "Dqq permanent problem (#5.3.0)" },
    { code: 40, want: "Dqq permanent problem (#5.3.0)" },
    { code: 41, want: "Zqq temporary problem (#4.3.0)" },
    { code: 10, want: "Zqq temporary problem (#4.3.0)" },
    { code: 111, want: "Zqq temporary problem (#4.3.0)" },
  ];
  for (const { code, want } of rows) it(`${code} is ${want}`, () => assertEquals(exitText(code), want));

  it("is temporary for every code of 41 and more but 115", () => {
    for (let code = 41; code < 256; code++) assert(exitText(code).startsWith(code === 115 ? "D" : "Z"), String(code));
  });

  it("is permanent for none of this queue's own but an address and an envelope that are too long", () => {
    const own = Object.entries(exitCode).filter(([name, code]) => name !== "queued" && exitText(code).startsWith("D"));
    assertEquals(own.map(([name]) => name), ["addressTooLong", "refused"]);
  });
});
