import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Account } from "../../../components/lib/users/account.ts";
import {
  aliasFor,
  findSystemUser,
  type HomeOwner,
  parsePasswdLine,
  parseSystemPasswd,
} from "../../../components/lib/users/system_passwd.ts";

const long = "x".repeat(31);
const passwd = [
  "root:x:0:0::/root:/bin/sh",
  "joe:x:501:101:Joe,,,:/home/joe:/bin/sh",
  "joe-list:x:502:101::/home/list:/bin/sh",
  "joe:x:999:999::/home/other:/bin/sh",
  "Ann:x:503:101::/home/ann:/bin/sh",
  "www:x:504:101::/var/www:/bin/sh",
  "gone:x:505:101::/home/gone:/bin/sh",
  "away:x:506:101::/net/away:/bin/sh",
  `${long}:x:507:101::/home/x:/bin/sh`,
  `${long}x:x:508:101::/home/y:/bin/sh`,
  "__proto__:x:509:101::/home/p:/bin/sh",
  ":x:510:101::/home/nobody:/bin/sh",
  "# a comment",
  "",
].join("\n");
const owners = new Map<string, number | "absent" | "unsure">([
  ["/root", 0],
  ["/home/joe", 501],
  ["/home/list", 502],
  ["/home/ann", 503],
  ["/var/www", 0],
  ["/net/away", "unsure"],
  ["/home/x", 507],
  ["/home/y", 508],
  ["/home/p", 509],
  ["/home/nobody", 510],
]);
const ownerOf: HomeOwner = (home) => owners.get(home) ?? "absent";
const accounts = parseSystemPasswd(passwd);

const rows: readonly {
  readonly local: string;
  readonly want: readonly [user: string, dash: string, extension: string] | "unsure" | undefined;
  readonly why: string;
}[] = [
  { local: "joe", want: ["joe", "", ""], why: "the name" },
  { local: "JOE", want: ["joe", "", ""], why: "in any case" },
  { local: "joe-Shop", want: ["joe", "-", "Shop"], why: "an extension keeps its case" },
  { local: "joe-list", want: ["joe-list", "", ""], why: "the longest name" },
  { local: "joe-list-x-Y", want: ["joe-list", "-", "x-Y"], why: "all that follows the longest name" },
  { local: "joe-", want: ["joe", "-", ""], why: "an empty extension has its dash" },
  { local: "joe--a", want: ["joe", "-", "-a"], why: "a second dash belongs to the extension" },
  { local: "root", want: undefined, why: "uid 0 gets no mail" },
  { local: "root-x", want: undefined, why: "nor by an extension" },
  { local: "Ann", want: undefined, why: "a name with a capital is looked up without it" },
  { local: "www", want: undefined, why: "a home of someone else" },
  { local: "gone", want: undefined, why: "no home" },
  { local: "away", want: "unsure", why: "a home that cannot be seen at the moment" },
  { local: "away-x", want: "unsure", why: "for an extension, too" },
  { local: long, want: [long, "", ""], why: "a name of 31 octets" },
  { local: `${long}x`, want: undefined, why: "one of 32 is not looked up" },
  { local: "__proto__", want: ["__proto__", "", ""], why: "a name like any other" },
  { local: "constructor", want: undefined, why: "not one of an object's own" },
  { local: "", want: undefined, why: "no local part" },
  { local: "-x", want: undefined, why: "nothing in front of the dash" },
  { local: "*)(uid=*", want: undefined, why: "a pattern is a name like any other" },
  { local: "joe:x", want: undefined, why: "a field's end in the name" },
  { local: "joe\njoe", want: undefined, why: "a line's end in the name" },
  { local: "${run{/bin/sh}}", want: undefined, why: "nothing is expanded" },
  { local: "\xcaoe", want: undefined, why: "octets over 127" },
];

describe("findSystemUser()", () => {
  for (const { local, want, why } of rows) {
    it(`${JSON.stringify(local)}: ${why}`, () => {
      const found = findSystemUser(local, accounts, ownerOf);
      assertEquals(
        typeof found === "object" ? [found.user, found.dash, found.extension] : found,
        typeof want === "object" ? [...want] : want,
      );
    });
  }

  it("answers the account of the first line of a name", () => {
    const want = { user: "joe", uid: 501, gid: 101, home: "/home/joe", dash: "-", extension: "a" };
    assertEquals(findSystemUser("joe-a", accounts, ownerOf), want);
  });

  it("finds only owners of their homes, whose name the local part begins with, and leaves nothing out", () => {
    const part = fc.constantFrom("joe", "-", "list", "JOE", "root", "x", "__proto__", "\xff", long);
    fc.assert(fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const local = parts.join("");
      const found = findSystemUser(local, accounts, ownerOf);
      if (found === undefined || found === "unsure") return;
      assert(found.uid !== 0 && ownerOf(found.home) === found.uid);
      assertEquals(`${found.user}${found.dash}${found.extension}`.toLowerCase(), local.toLowerCase());
      assert(local.endsWith(`${found.dash}${found.extension}`));
    }));
  });
});

describe("parsePasswdLine()", () => {
  const lines: readonly { readonly line: string; readonly want: Account | undefined }[] = [
    { line: "a:x:1:2:g:/h:/s", want: { user: "a", uid: 1, gid: 2, home: "/h" } },
    { line: "a:x:1:2:g:/h\xc3\xa9:", want: { user: "a", uid: 1, gid: 2, home: "/hé" } },
    { line: "a:x:1:2:g:/h", want: undefined },
    { line: "a:x:-1:2:g:/h:/s", want: undefined },
    { line: "a:x:1:4294967296:g:/h:/s", want: undefined },
    { line: "a:x:1:2:g:h:/s", want: undefined },
    { line: "a:x:1:2:g:/h\xff:/s", want: undefined },
    { line: ":x:1:2:g:/h:/s", want: undefined },
    { line: "+::::::", want: undefined },
    { line: "", want: undefined },
  ];
  for (const { line, want } of lines) {
    it(JSON.stringify(line), () => assertEquals(parsePasswdLine(line), want));
  }
});

describe("aliasFor()", () => {
  it("has the whole local part for its extension", () => {
    const alias = { user: "alias", uid: 7790, gid: 2107, home: "/var/qmail/alias" };
    assertEquals(aliasFor("Root-x", alias), { ...alias, dash: "-", extension: "Root-x" });
  });
});
