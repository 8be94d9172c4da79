import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import type { Controlling } from "../../components/lib/wire/getpw_protocol.ts";
import { ownerKindOf } from "../../components/qmail-pop3spawn/owner.ts";

const account: Controlling = {
  kind: "account",
  isVirtual: false,
  domain: "",
  user: "amy",
  uid: 1000,
  gid: 100,
  home: "/home/amy",
  dash: "",
  extension: "",
};
const virtual: Controlling = { ...account, isVirtual: true, domain: "v.example", home: "/srv/amy" };
const house = { me: "mx.example", mailRoot: "/q/mail", ownUid: "any" } as const;

interface Row {
  readonly what: string;
  readonly login?: string;
  readonly found?: Controlling;
  readonly ownUid?: number;
  readonly want?: "account" | "mailbox";
}

const rows: readonly Row[] = [
  { what: "an account's own mail", want: "account" },
  { what: "an account's name in another domain", login: "amy@v.example" },
  { what: "an extension address", login: "amy-list@mx.example", found: { ...account, dash: "-", extension: "list" } },
  { what: "a name whose mail another account gets", login: "bob@mx.example" },
  { what: "root's mail", login: "root@mx.example", found: { ...account, user: "root", uid: 0 } },
  { what: "an account that is root by another name", found: { ...account, uid: 0 } },
  { what: "a home that is none", found: { ...account, home: "/" } },
  { what: "a home with a comma", found: { ...account, home: "/home/a,/etc" } },
  { what: "a home with a step up", found: { ...account, home: "/home/../etc" } },
  { what: "a virtual mailbox elsewhere", login: "amy@v.example", found: virtual, want: "mailbox" },
  { what: "a virtual mailbox in another domain", login: "amy@mx.example", found: virtual },
  { what: "a virtual mailbox of root's", login: "amy@v.example", found: { ...virtual, uid: 0 } },
  { what: "a mailbox that is qmail-pop3d's", login: "amy@v.example", found: { ...virtual, home: "/q/mail/v/amy" } },
  { what: "an account's mail, started by that account", ownUid: 1000, want: "account" },
  { what: "an account's mail, started by another", ownUid: 1001 },
  { what: "a virtual mailbox, started by anybody", login: "amy@v.example", found: virtual, ownUid: 7, want: "mailbox" },
];

describe("ownerKindOf()", () => {
  for (const { what, login = "amy@mx.example", found = account, ownUid, want } of rows) {
    it(`says of ${what} ${want ?? "no"}`, () => {
      assertEquals(ownerKindOf(login, found, ownUid === undefined ? house : { ...house, ownUid }), want);
    });
  }
});
