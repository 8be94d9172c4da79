import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import type { Account, Controlled } from "../../components/lib/users/account.ts";
import { parsePasswdFile } from "../../components/lib/users/passwd_file.ts";
import { findControlling, type Sources } from "../../components/qmail-getpw/controlling.ts";
import { homeAt } from "../../config/home.ts";

const rules = { me: "localhost", locals: ["localhost"], home: homeAt("/q") };
const alias: Account = { user: "alias", uid: 7790, gid: 2107, home: "/q/alias" };

function account(user: string): Controlled {
  return { user, uid: 500, gid: 100, home: `/home/${user}`, dash: "", extension: "" };
}

function virtual() {
  const parsed = parsePasswdFile("all@localhost::7797:7797::\nown@localhost::1:2::/srv/own:\n");
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

/** Each knows the names that hold its own; `trouble` names one that cannot be read. */
function sources(trouble?: keyof Sources): Sources {
  const unsure = (name: keyof Sources) => trouble === name ? "unsure" as const : undefined;
  return {
    virtual: () => unsure("virtual") ?? virtual(),
    assigned: (local) => unsure("assigned") ?? (/^(all|cdb)/.test(local) ? account("cdb") : undefined),
    system: (local) => unsure("system") ?? (/^(all|cdb|sys)/.test(local) ? account("sys") : undefined),
    alias: () => unsure("alias") ?? alias,
  };
}

const isVirtual = { kind: "account", isVirtual: true, domain: "localhost" } as const;
const isAccount = { kind: "account", isVirtual: false, domain: "" } as const;

describe("findControlling()", () => {
  it("asks virtual mailboxes, users/cdb, the system's accounts and alias, in this order", () => {
    const vmail = { ...isVirtual, user: "all", uid: 7797, gid: 7797, home: "/q/mail/localhost/all" };
    assertEquals(findControlling("All@localhost", rules, sources()), { ...vmail, dash: "", extension: "" });
    assertEquals(findControlling("all-X@localhost", rules, sources()), { ...vmail, dash: "-", extension: "X" });
    assertEquals(findControlling("cdb@localhost", rules, sources()), { ...isAccount, ...account("cdb") });
    assertEquals(findControlling("sys@localhost", rules, sources()), { ...isAccount, ...account("sys") });
    assertEquals(findControlling("Root-A@localhost", rules, sources()), {
      ...isAccount,
      ...alias,
      dash: "-",
      extension: "Root-A",
    });
    assertEquals(findControlling("own@localhost", rules, sources()), {
      ...isVirtual,
      ...{ user: "own", uid: 1, gid: 2, home: "/srv/own", dash: "", extension: "" },
    });
  });

  it("ties only virtual mailboxes to a domain", () => {
    const found = findControlling("all@other.example", { ...rules, locals: ["localhost", "other.example"] }, sources());
    assertEquals(found, { ...isAccount, ...account("cdb") });
  });

  it("knows nobody where there is no alias", () => {
    assertEquals(findControlling("root@localhost", rules, { ...sources(), alias: () => undefined }), undefined);
  });

  it("is unsure as soon as a source cannot be read, and never asks a later one", () => {
    const rows: readonly (readonly [string, keyof Sources])[] = [
      ["all@localhost", "virtual"],
      ["root@localhost", "virtual"],
      ["cdb@localhost", "assigned"],
      ["root@localhost", "assigned"],
      ["sys@localhost", "system"],
      ["root@localhost", "alias"],
    ];
    for (const [address, trouble] of rows) {
      assertEquals(findControlling(address, rules, sources(trouble)), "unsure", `${address}, ${trouble}`);
    }
    assertEquals(findControlling("all@localhost", rules, sources("assigned")), {
      ...isVirtual,
      ...{ user: "all", uid: 7797, gid: 7797, home: "/q/mail/localhost/all", dash: "", extension: "" },
    });
  });
});
