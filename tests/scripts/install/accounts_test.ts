import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { makeGroup, makeUser, missingAccounts } from "../../../scripts/install/accounts.ts";

describe("missingAccounts()", () => {
  const own = "root:x:0:0::/root:/bin/sh\n";

  it("is all of qmail's and ours on a machine that has none, with their own numbers", () => {
    const { groups, users } = missingAccounts(own, "root:x:0:\n", "/var/qmail");
    const byName = new Map(users.map((user) => [user.name, user]));
    assertEquals(byName.get("qmaild"), { name: "qmaild", uid: 7791, group: "nofiles", home: "/var/qmail" });
    assertEquals(byName.get("qmailq"), { name: "qmailq", uid: 7794, group: "qmail", home: "/var/qmail" });
    assertEquals(byName.get("alias"), { name: "alias", uid: 7790, group: "nofiles", home: "/var/qmail/alias" });
    assertEquals(byName.get("vmail"), { name: "vmail", uid: 7797, group: "vmail", home: "/var/qmail/mail" });
    assertEquals(groups.slice(0, 2).map(({ name }) => name), ["nofiles", "qmail"]);
  });

  it("takes no number that is somebody else's", () => {
    const { groups, users } = missingAccounts(`${own}x:x:7794:1::/:/\n`, "y:x:2108:\n", "/q");
    assertEquals(users.find(({ name }) => name === "qmailq"), { name: "qmailq", group: "qmail", home: "/q" });
    assertEquals(groups.find(({ name }) => name === "qmail"), { name: "qmail" });
  });

  it("puts who is missing into the group that the others have the queue by", () => {
    const passwd = `${own}qmailq:x:200:300::/q:/bin/false\n`;
    const { groups, users } = missingAccounts(passwd, "sqmail:x:300:\n", "/q");
    assertEquals(users.find(({ name }) => name === "qmails")!.group, "300");
    assertEquals(groups.some(({ name }) => name === "qmail"), false);
    assertEquals(users.some(({ name }) => name === "qmailq"), false);
  });

  it("becomes commands of the system, also for another root", () => {
    assertEquals(makeGroup({ name: "qmail", gid: 2108 }, "/"), ["groupadd", "--system", "--gid", "2108", "qmail"]);
    assertEquals(
      makeUser({ name: "qmailq", uid: 7794, group: "qmail", home: "/q" }, "/image").join(" "),
      "useradd --prefix /image --system --no-create-home --no-user-group --no-log-init --uid 7794 --gid qmail " +
        "--home-dir /q --shell /usr/sbin/nologin qmailq",
    );
  });
});
