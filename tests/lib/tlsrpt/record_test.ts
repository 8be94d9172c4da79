import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseReportFrom } from "../../../components/lib/reports/from_file.ts";
import { parseTlsrptRecords } from "../../../components/lib/tlsrpt/record.ts";

describe("parseTlsrptRecords() (RFC 8460 §3)", () => {
  const some = (others: number, ...addresses: readonly string[]) => ({ addresses, others });
  const rows: readonly { readonly texts: readonly string[]; readonly want: object | undefined }[] = [
    { texts: [], want: undefined },
    { texts: ["v=TLSRPTv1; rua=mailto:a@b.example"], want: some(0, "a@b.example") },
    { texts: ["v=TLSRPTv1;rua=mailto:a@b.example;"], want: some(0, "a@b.example") },
    { texts: ["v=TLSRPTv1; rua=mailto:a@b.example, mailto:c@d.example"], want: some(0, "a@b.example", "c@d.example") },
    { texts: ["v=TLSRPTv1; rua=https://b.example/x,mailto:a@b.example"], want: some(1, "a@b.example") },
    { texts: ["v=TLSRPTv1; rua=https://b.example/x"], want: some(1) },
    { texts: ["v=TLSRPTv1; new=1; rua=MAILTO:a%2Bb@c.example?subject=x"], want: some(0, "a+b@c.example") },
    { texts: ["v=spf1", "v=TLSRPTv1; rua=mailto:a@b.example"], want: some(0, "a@b.example") },
    { texts: ["v=TLSRPTv1; rua=mailto:a@b.example", "v=TLSRPTv1; rua=mailto:c@d.example"], want: undefined },
    { texts: ["v=TLSRPTv1; x=y"], want: undefined },
    { texts: ["v=TLSRPTv2; rua=mailto:a@b.example"], want: undefined },
    { texts: ["v=TLSRPTv1; rua=mailto:a%0a@b.example"], want: some(1) },
    { texts: ["v=TLSRPTv1; rua=mailto:a@b.example%0aBcc:c"], want: some(1) },
    { texts: ["v=TLSRPTv1; rua=mailto:<a@b.example>"], want: some(1) },
    { texts: ["v=TLSRPTv1; rua=mailto:\xe9@b.example"], want: some(1) },
    { texts: ["v=TLSRPTv1; rua=mailto:a b@c.example"], want: some(1) },
    { texts: ["v=TLSRPTv1; rua=mailto:@c.example,mailto:a,mailto:"], want: some(3) },
  ];
  for (const { texts, want } of rows) {
    it(`reads ${JSON.stringify(texts)}`, () => assertEquals(parseTlsrptRecords(texts), want));
  }

  it("names a few addresses at the most, none of which could end a line", () => {
    const many = Array.from({ length: 200 }, (_, n) => `mailto:a${n}@b.example`).join(",");
    assertEquals(parseTlsrptRecords([`v=TLSRPTv1; rua=${many}`])?.addresses.length, 5);
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
      const { addresses = [] } = parseTlsrptRecords([`v=TLSRPTv1; rua=mailto:${text}`]) ?? {};
      assertEquals(addresses.filter((address) => !/^[!-~]+@[A-Za-z0-9._-]+$/.test(address)), []);
    }));
  });
});

describe("parseReportFrom()", () => {
  for (
    const [text, good] of [["a@b.example\n", true], ["a+b@b\n", true], ["a", false], ["", false], ["<a@b>", false], [
      '"a b"@c.example',
      false,
    ]] as const
  ) {
    it(`${good ? "takes" : "refuses"} ${JSON.stringify(text)}`, () => assertEquals(parseReportFrom(text).ok, good));
  }
});
