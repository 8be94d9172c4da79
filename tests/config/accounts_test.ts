import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { accountIds, sharesQueue } from "../../config/accounts.ts";
import { accounts } from "../../components/lib/permissions/grant.ts";

describe("accountIds()", () => {
  it("takes the machine's accounts where it has them", () => {
    const ids = accountIds("root:x:0:0::/root:/bin/sh\nqmaild:x:201:200::/:/bin/false\nqmails:*:205:210:::\n");
    assertEquals([ids.qmaild, ids.qmails], [{ uid: 201, gid: 200 }, { uid: 205, gid: 210 }]);
  });

  it("gives each account a number of its own without them, and root nothing but root's", () => {
    for (const text of ["", "root:x:5:5::/:\n"]) {
      const ids = accountIds(text);
      assertEquals(new Set(accounts.map((account) => ids[account].uid)).size, accounts.length);
      assertEquals(ids.root, { uid: 0, gid: 0 });
      assert(accounts.every((account) => account === "root" || ids[account].uid > 0));
    }
  });

  const malformed = ["qmaild", "qmaild:x::", "qmaild:x:a:b", "qmaild:x:-1:1", " qmaild:x:1:1", "", "__proto__:x:1:1"];
  for (const line of malformed) {
    it(`passes over ${JSON.stringify(line)}`, () => assertEquals(accountIds(`${line}\n`), accountIds("")));
  }
});

describe("sharesQueue()", () => {
  it("is for those of qmail's group", () => {
    assertEquals(accounts.filter(sharesQueue), ["qmailq", "qmailr", "qmails"]);
  });
});
