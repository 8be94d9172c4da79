import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { canonicalNote, DayCounts } from "../../../components/lib/tlsrpt/counts.ts";
import { reportOf } from "../../../components/lib/tlsrpt/report.ts";
import type { TlsrptNote } from "../../../components/lib/wire/tlsrpt_protocol.ts";

const sts = ["version: STSv1", "mode: testing", "mx: *.mail.b.example", "max_age: 86400"];
const good: TlsrptNote = {
  domain: "b.example",
  policyType: "sts",
  policyStrings: sts,
  mxHost: "mx1.mail.b.example",
  ip: "203.0.113.1",
};
const expired: TlsrptNote = { ...good, sendingIp: "198.51.100.1", flaw: "certificate-expired" };

describe("DayCounts", () => {
  it("makes RFC 8460's report of what it counted", () => {
    const counts = new DayCounts();
    counts.add(good, 5326);
    for (let n = 0; n < 100; n++) counts.add(expired);
    counts.add({ ...expired, flaw: "starttls-not-supported", ip: "203.0.113.2", sendingIp: "" }, 203);
    counts.add({ domain: "b.example", policyType: "no-policy-found", policyStrings: [], mxHost: "", ip: "" });
    const report = reportOf({
      organization: "a.example",
      contact: "postmaster@a.example",
      reportId: "1@a.example",
      domain: "b.example",
      startSeconds: 1_795_305_600,
      policies: counts.of("b.example"),
    });
    assertEquals(report, {
      "organization-name": "a.example",
      "date-range": { "start-datetime": "2026-11-22T00:00:00Z", "end-datetime": "2026-11-22T23:59:59Z" },
      "contact-info": "postmaster@a.example",
      "report-id": "1@a.example",
      "policies": [
        {
          "policy": {
            "policy-type": "sts",
            "policy-string": sts,
            "policy-domain": "b.example",
            "mx-host": ["*.mail.b.example"],
          },
          "summary": { "total-successful-session-count": 5326, "total-failure-session-count": 303 },
          "failure-details": [
            {
              "result-type": "certificate-expired",
              "sending-mta-ip": "198.51.100.1",
              "receiving-mx-hostname": "mx1.mail.b.example",
              "receiving-ip": "203.0.113.1",
              "failed-session-count": 100,
            },
            {
              "result-type": "starttls-not-supported",
              "receiving-mx-hostname": "mx1.mail.b.example",
              "receiving-ip": "203.0.113.2",
              "failed-session-count": 203,
            },
          ],
        },
        {
          "policy": { "policy-type": "no-policy-found", "policy-domain": "b.example" },
          "summary": { "total-successful-session-count": 1, "total-failure-session-count": 0 },
        },
      ],
    });
  });

  const small = { mostDomains: 3, mostPolicies: 2, mostDetails: 3, mostStringBytes: 400 };

  it("counts failures it cannot tell apart any more without their details", () => {
    const counts = new DayCounts(small);
    for (let n = 0; n < 100; n++) counts.add({ ...expired, ip: `192.0.2.${n}` });
    const { failures } = counts.of("b.example")[0]!;
    assertEquals(failures.map(({ ip, count }) => [ip, count]), [
      ["192.0.2.0", 1],
      ["192.0.2.1", 1],
      ["192.0.2.2", 1],
      ["", 97],
    ]);
  });

  it("has room again when a domain's report has left", () => {
    const counts = new DayCounts(small);
    const notes = ["a", "b", "c", "d"].map((domain) => ({ ...good, domain, policyStrings: [] }));
    assertEquals(notes.map((note) => counts.add(note)), [true, true, true, false]);
    counts.delete("a");
    assertEquals(counts.add(notes[3]!), true);
  });

  const note = fc.record({
    domain: fc.constantFrom("a", "b", "c", "d"),
    policyType: fc.constantFrom("sts", "tlsa", "no-policy-found"),
    policyStrings: fc.array(fc.constantFrom("x", "y".repeat(150)), { maxLength: 2 }),
    mxHost: fc.constantFrom("m", "n"),
    ip: fc.constantFrom("1", "2", "3"),
    flaw: fc.option(fc.constantFrom("certificate-expired", "tlsa-invalid"), { nil: undefined }),
  }, { noNullPrototype: true }).map(({ flaw, ...rest }) =>
    (flaw === undefined ? rest : { ...rest, flaw }) as TlsrptNote
  );

  it("loses no count of what it says it took, and is made again of its own notes", () => {
    fc.assert(fc.property(fc.array(note, { maxLength: 200 }), (notes) => {
      const counts = new DayCounts(small);
      const taken = notes.filter((note) => counts.add(canonicalNote(note))).length;
      const all = (counts: DayCounts) => counts.domains.map((domain) => [domain, counts.of(domain)]);
      const again = new DayCounts(small);
      let total = 0;
      for (const [note, count] of counts.notes()) {
        again.add(note, count);
        total += count;
      }
      assertEquals(total, taken);
      assertEquals(all(again), all(counts));
    }));
  });
});
