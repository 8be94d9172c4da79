import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type ControlFile, schema } from "../../../config/schema.ts";
import { readControls } from "../../../config/read.ts";
import { homeAt } from "../../../config/home.ts";
import { changedDefaults, judgeControls } from "../../../scripts/install/controls.ts";
import { translations } from "../../../scripts/install/foreign_controls.ts";
import { readSample, sampleDefect, samples } from "../../../scripts/install/samples.ts";
import { tempDir } from "../../support/temp_dir.ts";

function judge(files: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    judgeControls(new Map(Object.entries(files))).map((verdict) => [
      verdict.file,
      verdict.kind === "translated" ? `translated into ${verdict.to}: ${verdict.text}` : verdict.kind,
    ]),
  );
}

describe("judgeControls()", () => {
  // Every stock file of qmail, with a value as it is found in the field.
  const stock = {
    me: "mx.example.org\n",
    badmailfrom: "spammer@example.net\n@bad.example\n",
    bouncefrom: "bounces\n",
    bouncehost: "mx.example.org\n",
    concurrencylocal: "20",
    concurrencyremote: "255\n",
    databytes: "20971520\n",
    defaultdomain: "example.org\n",
    defaulthost: "mx.example.org\n",
    doublebouncehost: "mx.example.org\n",
    doublebounceto: "postmaster\n",
    envnoathost: "mx.example.org\n",
    helohost: "mx.example.org\n",
    idhost: "mx.example.org\n",
    localiphost: "mx.example.org\n",
    locals: "localhost\nmx.example.org\n",
    morercpthosts: "more.example\n",
    percenthack: "pct.example\n",
    plusdomain: "example.org\n",
    qmqpservers: "192.0.2.7\n",
    queuelifetime: "604800\n",
    rcpthosts: "example.org\n.example.org\n",
    smtpgreeting: "mx.example.org ready\n",
    smtproutes: "relayed.example:192.0.2.8:2525\n:\n",
    timeoutconnect: "60\n",
    timeoutremote: "1200\n",
    timeoutsmtpd: "1200\n",
    virtualdomains: "virt.example:bob-virt\n.sub.example:amy\n:alias-all\n",
    defaultdelivery: "./Maildir/\n",
    concurrencyincoming: "40\n",
  };
  for (const [file, text] of Object.entries(stock)) {
    it(`takes ${file} as it is`, () => assertEquals(judge({ [file]: text }), { [file]: "as it is" }));
  }

  it("says another qmail's file in ours, unless that is there already", () => {
    assertEquals(judge({ srs_domain: "srs.example.org\n" }), {
      srs_domain: "translated into srsdomain: srs.example.org\n",
    });
    assertEquals(judge({ srs_domain: "srs.example.org\n", srsdomain: "x.example\n" }), {
      srs_domain: "without effect",
      srsdomain: "as it is",
    });
    assertEquals(judge({ aliasempty: "|preline procmail\n" }), {
      aliasempty: "translated into defaultdelivery: |preline procmail\n",
    });
  });

  it("translates into nothing that could not be read", () => {
    assertEquals(judge({ srs_maxage: "soon\n" }), { srs_maxage: "without effect" });
    for (const { to } of translations.values()) assertEquals(to in schema, true);
  });

  it("gives a reason for what is without effect, also where it does not know the file", () => {
    const verdicts = judgeControls(new Map([["ldapserver", "x"], ["tlshosts", undefined], ["what", "x"]]));
    const reasons = verdicts.map((verdict) => verdict.kind === "without effect" ? verdict.why : "");
    assertEquals(reasons, [
      "accounts in LDAP are not looked up",
      "which TLS a server must have is said in control/tlsdestinations",
      "nothing here knows this file",
    ]);
  });

  it("finds what is malformed, and a folder in a file's place", () => {
    assertEquals(judge({ databytes: "10MB\n", locals: undefined }), { databytes: "malformed", locals: "malformed" });
  });
});

describe("changedDefaults()", () => {
  it("speaks of an absent rcpthosts, which meant an open relay", () => {
    assertStringIncludes(changedDefaults(new Map()).join("\n"), "open relay");
    assertEquals(changedDefaults(new Map([["rcpthosts", ""]])), []);
  });
});

describe("the samples", () => {
  const values = { me: "mx.my.example", domain: undefined, relay: "out.my.example:587", qmqp: "198.51.100.9" };
  for (const sample of samples) {
    it(`${sample} is read without a complaint, with this host's names in it and no example's`, () => {
      using dir = tempDir();
      const home = homeAt(dir.path);
      Deno.mkdirSync(home.control(""));
      for (const [file, text] of readSample(sample, values)) {
        assertEquals([file in schema, /example\.(org|net)|192\.0\.2/.test(text)], [true, false], `${file}: ${text}`);
        Deno.writeTextFileSync(home.control(file), text);
      }
      const read = readControls(home, Object.keys(schema) as ControlFile[]);
      assertEquals(read.ok ? [] : read.error, []);
      assertEquals(read.ok && read.value.me, "mx.my.example");
    });
  }

  it("say what they lack", () => {
    assertEquals(sampleDefect("single", { me: "mx.example" }), undefined);
    assertStringIncludes(sampleDefect("relay", { me: "mx.example" })!, "--relay");
    assertStringIncludes(sampleDefect("mini", { me: "mx.example" })!, "--qmqp");
    assertStringIncludes(sampleDefect("single", { me: "not a name" })!, "--me");
  });
});
