import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { formatReport } from "../../../components/lib/dmarc/report.ts";
import type { Observation, PublishedPolicy } from "../../../components/lib/dmarc/observation.ts";
import { ProtocolError } from "../../../components/lib/wire/server.ts";
import { parseObservation, shortened } from "../../../components/lib/wire/dmarcrpt_protocol.ts";

const policy: PublishedPolicy = {
  domain: "a.example",
  p: "quarantine",
  np: "reject",
  adkim: "s",
  fo: "1:d",
  testing: true,
  discovery: "psl",
};
const observation: Observation = {
  sourceIp: "2001:db8::1",
  policy,
  disposition: "none",
  dkimAligned: true,
  spfAligned: false,
  reasons: [{ type: "policy_test_mode" }, { type: "other", comment: "a < b & c\x01\xe9" }],
  headerFrom: "news.a.example",
  envelopeFrom: "",
  dkim: [{ domain: "a.example", selector: "s1", result: "pass" }, { domain: "x", selector: "y", result: "temperror" }],
  spf: { domain: "mail.x.example", result: "softfail" },
};

function report(rows: readonly Observation[], of: PublishedPolicy = policy): string {
  return formatReport({
    organization: "mail.b.example",
    contact: "postmaster@mail.b.example",
    reportId: "1795305600.a.example@mail.b.example",
    startSeconds: 1_795_305_600,
    counts: { policy: of, rows: rows.map((row) => ({ observation: row, count: 7 })) },
  });
}

describe("formatReport() (RFC 9990 appendix A)", () => {
  it("writes each element in the order of the schema", () => {
    assertEquals(
      report([observation]),
      `<?xml version="1.0" encoding="UTF-8"?>
<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
  <version>1.0</version>
  <report_metadata>
    <org_name>mail.b.example</org_name>
    <email>postmaster@mail.b.example</email>
    <report_id>1795305600.a.example@mail.b.example</report_id>
    <date_range>
      <begin>1795305600</begin>
      <end>1795391999</end>
    </date_range>
    <generator>dqmail</generator>
  </report_metadata>
  <policy_published>
    <domain>a.example</domain>
    <discovery_method>psl</discovery_method>
    <p>quarantine</p>
    <sp>quarantine</sp>
    <np>reject</np>
    <fo>1:d</fo>
    <adkim>s</adkim>
    <testing>y</testing>
  </policy_published>
  <record>
    <row>
      <source_ip>2001:db8::1</source_ip>
      <count>7</count>
      <policy_evaluated>
        <disposition>pass</disposition>
        <dkim>pass</dkim>
        <spf>fail</spf>
        <reason>
          <type>policy_test_mode</type>
        </reason>
        <reason>
          <type>other</type>
          <comment>a &lt; b &amp; c??</comment>
        </reason>
      </policy_evaluated>
    </row>
    <identifiers>
      <envelope_from></envelope_from>
      <header_from>news.a.example</header_from>
    </identifiers>
    <auth_results>
      <dkim>
        <domain>a.example</domain>
        <selector>s1</selector>
        <result>pass</result>
      </dkim>
      <dkim>
        <domain>x</domain>
        <selector>y</selector>
        <result>temperror</result>
      </dkim>
      <spf>
        <domain>mail.x.example</domain>
        <scope>mfrom</scope>
        <result>softfail</result>
      </spf>
    </auth_results>
  </record>
</feedback>
`,
    );
  });

  const dispositions: readonly (readonly [PublishedPolicy["p"], Partial<Observation>, string])[] = [
    ["reject", {}, "pass"],
    ["none", {}, "none"],
    ["reject", { dkimAligned: false }, "none"],
    ["reject", { dkimAligned: false, disposition: "reject" }, "reject"],
    ["reject", { disposition: "quarantine" }, "quarantine"],
  ];
  for (const [p, change, want] of dispositions) {
    it(`says ${want} of ${JSON.stringify(change)} where the policy is ${p}`, () => {
      const xml = report([{ ...observation, ...change }], { ...policy, p });
      assert(xml.includes(`<disposition>${want}</disposition>`), xml);
    });
  }
});

describe("parseObservation()", () => {
  const read = (head: object) => {
    try {
      return parseObservation({ head: { op: "note", ...head }, body: new Uint8Array(0) });
    } catch (error) {
      if (error instanceof ProtocolError) return undefined;
      throw error;
    }
  };
  const { spf: _, reasons: __, envelopeFrom: ___, ...least } = observation;

  it("reads what an observation is made of, and the least of it", () => {
    assertEquals(read(observation), observation);
    assertEquals(read(least), least);
  });

  it("leaves out the rest of a long list, and keeps one spelling of an address", () => {
    const many = Array(50).fill(observation.dkim[0]);
    assertEquals(read({ ...observation, dkim: many })?.dkim.length, 10);
    assertEquals(read({ ...observation, sourceIp: "::ffff:192.0.2.1" })?.sourceIp, "192.0.2.1");
  });

  it("takes what a client has shortened, whatever a sender made up", () => {
    const long = "x".repeat(5000);
    const hostile: Observation = {
      ...observation,
      policy: { ...policy, fo: long },
      headerFrom: long,
      envelopeFrom: long,
      dkim: Array(500).fill({ domain: long, selector: long, result: "fail" }),
      spf: { domain: long, result: "none" },
      reasons: [{ type: "other", comment: long }],
    };
    const taken = read(shortened(hostile));
    assertEquals([taken?.dkim.length, taken?.headerFrom.length], [10, 300]);
    assertEquals(shortened(observation), observation);
  });

  const wrong: readonly object[] = [
    { op: "resolve" },
    { sourceIp: "mail.example" },
    { sourceIp: "" },
    { policy: undefined },
    { policy: { ...policy, domain: "../up" } },
    { policy: { ...policy, domain: "[192.0.2.1]" } },
    { policy: { ...policy, p: "x" } },
    { policy: { ...policy, sp: "x" } },
    { policy: { ...policy, testing: "y" } },
    { policy: { ...policy, fo: "1".repeat(30) } },
    { disposition: "pass" },
    { dkimAligned: "pass" },
    { headerFrom: 1 },
    { headerFrom: "x".repeat(301) },
    { dkim: {} },
    { dkim: [1] },
    { dkim: [{ domain: "a", selector: "b", result: "good" }] },
    { spf: { domain: "a", result: "policy" } },
    { reasons: [{ type: "sampled_out" }] },
    { reasons: [{ type: "other", comment: "x".repeat(201) }] },
  ];
  for (const change of wrong) {
    it(`refuses ${JSON.stringify(change).slice(0, 60)}`, () =>
      assertEquals(read({ ...observation, ...change }), undefined));
  }
});
