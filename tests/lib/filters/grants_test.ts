/** What control/filters makes of the grants: each may connect to those it hands messages to, and to nobody else's place. */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { manifest as custom } from "../../../components/custom/permissions.ts";
import { hooksOf, manifest as hooks } from "../../../components/hooks/permissions.ts";
import { parseFilters } from "../../../components/lib/filters/chain.ts";
import type { Config, Manifest } from "../../../components/lib/permissions/grant.ts";
import { breaches } from "../../../components/lib/permissions/rule.ts";
import { manifest as qmailLocal } from "../../../components/qmail-local/permissions.ts";
import { manifest as qmailQmqpd } from "../../../components/qmail-qmqpd/permissions.ts";
import { manifest as qmailQmtpd } from "../../../components/qmail-qmtpd/permissions.ts";
import { manifest as qmailSmtpd } from "../../../components/qmail-smtpd/permissions.ts";
import { type Tool, tools } from "../../../components/tools/permissions.ts";
import { homeAt } from "../../../config/home.ts";
import { manifests } from "../../../config/manifests.ts";
import { defaultConfig } from "../../../scripts/home/default_config.ts";

const home = homeAt("/h");

function configWith(filters: string): Config {
  const parsed = parseFilters(filters);
  if (!parsed.ok) throw new Error(parsed.error);
  const listeners = [{ service: "smtp", host: "127.0.0.1", port: 25 }] as const;
  return defaultConfig(home, 0, { filters: parsed.value, listeners });
}

function calls(manifest: Manifest, config: Config): readonly string[] {
  return [...manifest.permissions(config).calls ?? []].sort();
}

function tool(name: string): Tool {
  return tools.find((one) => one.name === name)!;
}

describe("grants by control/filters", () => {
  const cases: readonly { filters: string; who: Manifest; want: readonly string[] }[] = [
    { filters: "", who: qmailSmtpd, want: ["qmail-getpw", "qmail-queue"] },
    { filters: "submission: verify\n", who: qmailSmtpd, want: ["qmail-getpw", "qmail-queue"] },
    { filters: "smtp: verify rspamd\n", who: qmailSmtpd, want: ["qmail-getpw", "verify"] },
    { filters: "smtp: verify=pass rspamd\n", who: qmailSmtpd, want: ["qmail-getpw", "rspamd", "verify"] },
    { filters: "smtp: /bin/x\n", who: qmailSmtpd, want: ["hooks", "qmail-getpw"] },
    { filters: "qmtp: clamd=pass\n", who: qmailQmtpd, want: ["clamd", "qmail-getpw", "qmail-queue"] },
    { filters: "qmqp: milter\n", who: qmailQmqpd, want: ["milter"] },
    { filters: "forward: arcseal\n", who: qmailLocal, want: ["arcseal"] },
    { filters: "smtp: arcseal\n", who: qmailLocal, want: ["qmail-queue"] },
    { filters: "smtp: custom verify\nlocal: custom\n", who: custom, want: ["qmail-queue", "verify"] },
  ];
  for (const { filters, who, want } of cases) {
    it(`lets ${who.name} call ${want.join(", ")} with ${JSON.stringify(filters)}`, () => {
      assertEquals(calls(who, configWith(filters)), want);
    });
  }

  it("gives an account's qmail-local the same as that of virtual mailboxes", () => {
    const config = configWith("forward: custom=pass\n");
    for (const grantOf of Object.values(qmailLocal.forHome!)) {
      assertEquals(grantOf(config, "/home/amy").calls, ["custom", "qmail-queue"]);
    }
  });

  it("lets hooks run a chain's programs, and need nothing else to be started", () => {
    const config = configWith("smtp: verify /bin/scanner=pass\n");
    assertEquals(hooksOf(config), [{ program: "/bin/scanner" }]);
    assert(hooks.neededWhen!(config));
    assert(!hooks.neededWhen!(configWith("smtp: verify\n")));
  });

  it("has programs of bin/ hand mail to the filters of local", () => {
    const { filters } = configWith("local: sign\n").controls;
    for (const name of ["qmail-inject", "sendmail", "forward", "fastforward"]) {
      assertEquals(tool(name).permissions(home, { filters }).calls, ["sign"], name);
      assertEquals(tool(name).permissions(home).calls, ["qmail-queue"], name);
    }
  });

  it("starts custom only where it is named", () => {
    assert(custom.neededWhen!(configWith("lmtp: custom\n")));
    assert(!custom.neededWhen!(configWith("smtp: verify\n")));
  });

  it("keeps the grant rule with every filter in use", () => {
    const all = "verify rspamd clamd milter custom";
    const config = configWith(`smtp: ${all} /bin/x\nsubmission: sign\nforward: arcseal=pass\nlocal: sign=pass\n`);
    assertEquals(breaches(manifests, config), []);
  });
});
