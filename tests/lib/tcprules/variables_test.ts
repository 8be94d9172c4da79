import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { isOwnQueue, isProgramPath, parseProgram, readVariables } from "../../../components/lib/tcprules/variables.ts";
import { homeAt } from "../../../config/home.ts";

describe("readVariables()", () => {
  const table: readonly { readonly set: Readonly<Record<string, string>>; readonly want: object }[] = [
    { set: {}, want: {} },
    { set: { RELAYCLIENT: "@x", DATABYTES: "10" }, want: { databytes: 10 } },
    { set: { DATABYTES: "0", QMAILQUEUE: "/q" }, want: { databytes: 0, qmailqueue: "/q" } },
    { set: { DATABYTES: "ten", QMAILQUEUE: "" }, want: {} },
  ];
  for (const { set, want } of table) {
    it(`understands ${JSON.stringify(set)}`, () => {
      assertEquals(readVariables(new Map(Object.entries(set))) as object, want);
    });
  }
});

describe("a program's path", () => {
  it("is plain, absolute or below the home", () => {
    for (const path of ["/usr/bin/true", "bin/check", "/a/b-c_d.e@f+g%h"]) {
      assertEquals(isProgramPath(path), true, path);
    }
    for (const path of ["", "/", "/a//b", "/a/../b", "./a", "/a b", "/a;b", "/a,b", "/a'b", "/a=b", "/a\nb", "a/"]) {
      assertEquals(isProgramPath(path), false, path);
      assertEquals(parseProgram(`${path}\n`).ok, path === "/a\nb" ? true : false, path);
    }
  });

  it("may be our own queue's, in either spelling", () => {
    const home = homeAt("/h");
    const table = [["bin/qmail-queue", true], ["/h/bin/qmail-queue", true], [
      "/var/qmail/bin/qmail-queue",
      false,
    ]] as const;
    for (const [path, want] of table) assertEquals(isOwnQueue(path, home), want, path);
  });
});
