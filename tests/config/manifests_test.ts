import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { schema } from "../../config/schema.ts";
import { manifests } from "../../config/manifests.ts";
import { accounts } from "../../components/lib/permissions/grant.ts";
import { tools } from "../../components/tools/permissions.ts";
import { supervised } from "../../components/supervisor/permissions.ts";

const names = manifests.map((manifest) => manifest.name);
const orderOf = (name: string) => manifests.find((manifest) => manifest.name === name)!.stopOrder;

describe("the manifests", () => {
  it("name the folders under components, each once, but lib and the tools, which are nobody's children", () => {
    const folders = [...Deno.readDirSync(new URL("../../components", import.meta.url))].map(({ name }) => name);
    assertEquals(names.toSorted(), folders.filter((name) => !["lib", "tools"].includes(name)).sort());
  });

  it("tell the supervisor's list of whom it starts", () => {
    const started = manifests.filter((manifest) => manifest.startedBy === "supervisor").map(({ name }) => name);
    assertEquals(started.toSorted(), [...supervised].sort());
    assertEquals(manifests.filter((manifest) => manifest.startedBy === "start").map(({ name }) => name), [
      "supervisor",
    ]);
  });

  it("name accounts there are, and the control files name components and tools there are", () => {
    assert(manifests.every((manifest) => accounts.includes(manifest.account)));
    const known = [...names, ...tools.map(({ name }) => name)];
    assert(Object.values(schema).every(({ usedBy }) => usedBy.every((name) => known.includes(name))));
  });

  const earlier = [
    ["qmail-smtpd", "qmail-queue", "lets mail in"],
    ["qmail-smtpd", "qmail-getpw", "asks it"],
    ["qmail-smtpd", "auth", "asks it"],
    ["qmail-smtpd", "tally", "asks it"],
    ["qmail-smtpd", "hooks", "asks it"],
    ["qmail-smtpd", "resolver", "asks it"],
    ["hooks", "qmail-queue", "runs programs that queue"],
    ["qmail-send", "qmail-lspawn", "waits for its deliveries"],
    ["qmail-send", "qmail-rspawn", "waits for its deliveries"],
    ["qmail-send", "qmail-queue", "sends bounces"],
    ["qmail-send", "qmail-clean", "has messages removed"],
    ["qmail-lspawn", "qmail-getpw", "asks it"],
    ["qmail-popup", "qmail-pop3d", "has sessions with it"],
    ["qmail-popup", "qmail-pop3spawn", "has sessions with it"],
    ["qmail-pop3spawn", "qmail-getpw", "asks it"],
    ["qmail-pop3spawn", "auth", "asks it"],
    ["qmail-rspawn", "resolver", "needs qmail-remote, which asks it"],
  ] as const;
  for (const [first, second, why] of earlier) {
    it(`stop ${first} before ${second}, for it ${why}`, () => assert(orderOf(first) < orderOf(second)));
  }

  it("stop the supervisor last", () => assert(manifests.every(({ stopOrder }) => stopOrder <= orderOf("supervisor"))));
});
