import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  cutReport,
  isUsableHome,
  keyOf,
  kindOf,
  longestReport,
  mostOfOneAccount,
} from "../../components/qmail-lspawn/request.ts";
import type { Controlling } from "../../components/lib/wire/getpw_protocol.ts";

const account: Controlling = {
  ...{
    kind: "account",
    isVirtual: false,
    domain: "",
    user: "joe",
    uid: 1000,
    gid: 100,
    home: "/home/joe",
    dash: "",
    extension: "",
  },
};

describe("kindOf(), keyOf()", () => {
  const rows = [
    { more: {}, kind: "account", key: "account:1000:100:/home/joe" },
    { more: { isVirtual: true, home: "/q/mail/d/joe" }, kind: "virtual", key: "virtual:1000:100" },
    { more: { isVirtual: true, home: "/srv/joe" }, kind: "mailbox", key: "mailbox:1000:100:/srv/joe" },
    { more: { home: "/q/mail/d/joe" }, kind: "account", key: "account:1000:100:/q/mail/d/joe" },
    { more: { isVirtual: true, home: "/q/mailbox/joe" }, kind: "mailbox", key: "mailbox:1000:100:/q/mailbox/joe" },
  ] as const;
  for (const { more, kind, key } of rows) {
    it(`of ${JSON.stringify(more)} are ${kind} and ${key}`, () => {
      const found = { ...account, ...more };
      assertEquals([kindOf(found, "/q/mail"), keyOf(kindOf(found, "/q/mail"), found)], [kind, key]);
    });
  }
});

describe("isUsableHome()", () => {
  const homes = ["/home/joe", "/home/j o$e'\"`", "/..x", "/a.b/c"];
  const none = [
    "",
    "/",
    "home",
    "/home/",
    "/home/../etc",
    "/home/./joe",
    "//home",
    "/a//b",
    "/a,/etc",
    "/a\n/b",
    "/a\0",
    "/..",
  ];
  for (const home of homes) it(`takes ${JSON.stringify(home)}`, () => assert(isUsableHome(home)));
  for (const home of none) it(`does not take ${JSON.stringify(home)}`, () => assert(!isUsableHome(home)));
});

describe("cutReport()", () => {
  it("leaves a short one as it is, without what only qmail-lspawn has to know", () => {
    assertEquals(cutReport({ verdict: "Z", text: "a\n", needsPrograms: true }), { verdict: "Z", text: "a\n" });
  });
  it("says at the end of a long one that it was cut", () => {
    fc.assert(fc.property(fc.integer({ min: longestReport - 2, max: 3 * longestReport }), (length) => {
      const { text } = cutReport({ verdict: "D", text: "x".repeat(length) });
      assertEquals(text.length, Math.min(length, longestReport));
      assertEquals(text.endsWith("\nError report too long, sorry.\n"), length > longestReport);
    }));
  });
});

describe("mostOfOneAccount()", () => {
  it("is a quarter, and one at the least", () => {
    assertEquals([0, 1, 7, 10, 20, 255].map(mostOfOneAccount), [1, 1, 1, 2, 5, 63]);
  });
});
