import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { isUsableHome, keyOf, kindOf } from "../../../components/lib/workers/place.ts";
import type { Controlling } from "../../../components/lib/wire/getpw_protocol.ts";

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
