import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseStsRecords } from "../../../components/lib/sts/record.ts";

describe("parseStsRecords() (RFC 8461 §3.1)", () => {
  const rows: readonly { readonly texts: readonly string[]; readonly want: string | undefined }[] = [
    { texts: [], want: undefined },
    { texts: ["v=STSv1; id=20160831085700Z;"], want: "20160831085700Z" },
    { texts: ["v=STSv1; id=a"], want: "a" },
    { texts: ["v=STSv1;id=a;"], want: "a" },
    { texts: ["v=STSv1 ;\tid=a ; "], want: "a" },
    { texts: ["v=STSv1; x-y.z=1:2; id=a;"], want: "a" },
    { texts: ["v=spf1 -all", "v=STSv1; id=a;", ""], want: "a" },
    { texts: ["v=STSv1; id=a;", "v=STSv1; id=b;"], want: undefined },
    { texts: ["v=STSv1; id=a;", "v=STSv1; nonsense"], want: undefined },
    { texts: ["v=STSv1; id=a; id=a;"], want: undefined },
    { texts: ["v=STSv1;"], want: undefined },
    { texts: ["v=STSv1"], want: undefined },
    { texts: ["v=STSv1; id=;"], want: undefined },
    { texts: ["v=STSv1; id=a-b;"], want: undefined },
    { texts: [`v=STSv1; id=${"a".repeat(32)};`], want: "a".repeat(32) },
    { texts: [`v=STSv1; id=${"a".repeat(33)};`], want: undefined },
    { texts: ["v=STSv1; id=a;; id=b"], want: undefined },
    { texts: ["v=STSv1; ID=a;"], want: undefined },
    { texts: ["v=stsv1; id=a;"], want: undefined },
    { texts: ["v=STSv2; id=a;"], want: undefined },
    { texts: [" v=STSv1; id=a;"], want: undefined },
    { texts: ["id=a; v=STSv1;"], want: undefined },
    { texts: ["v=STSv1; id=a; b=\xff;"], want: undefined },
    { texts: [`v=STSv1; id=a;${" ".repeat(65_000)}`], want: "a" },
    { texts: [`v=STSv1; id=a;${";".repeat(65_000)}`], want: undefined },
  ];
  for (const { texts, want } of rows) {
    it(`finds ${want ?? "nothing"} in ${JSON.stringify(texts).slice(0, 80)}`, () => {
      assertEquals(parseStsRecords(texts), want);
    });
  }

  it("throws at no octets", () => {
    fc.assert(fc.property(fc.array(fc.string({ unit: "binary" })), (texts) => {
      parseStsRecords(texts.map((text) => `v=STSv1;${text}`));
    }));
  });
});
