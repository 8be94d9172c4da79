import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { isOwnHost } from "../../components/admin/host_header.ts";

describe("isOwnHost()", () => {
  const rows: { input: string | undefined; want: boolean }[] = [
    { input: "127.0.0.1", want: true },
    { input: "127.0.0.1:8025", want: true },
    { input: "192.0.2.1:1", want: true },
    { input: "[::1]", want: true },
    { input: "[::1]:8025", want: true },
    { input: "localhost", want: true },
    { input: "LocalHost:8025", want: true },
    { input: "mx.example.org:8025", want: true },
    { input: "MX.example.org", want: true },
    { input: undefined, want: false },
    { input: "", want: false },
    { input: "evil.example", want: false },
    { input: "evil.example:8025", want: false },
    { input: "localhost.evil.example", want: false },
    { input: "127.0.0.1.evil.example", want: false },
    { input: "mx.example.org.evil.example", want: false },
    { input: "evilmx.example.org", want: false },
    { input: "mx.example.org:99999", want: false },
    { input: "mx.example.org@evil.example", want: false },
    { input: "evil.example, localhost", want: false },
    { input: "[evil.example]", want: false },
    { input: "[mx.example.org]", want: false },
    { input: "0x7f000001", want: false },
    { input: "1", want: false },
  ];
  for (const { input, want } of rows) {
    it(`${want ? "takes" : "refuses"} ${JSON.stringify(input)}`, () =>
      assertEquals(isOwnHost(input, "mx.example.org"), want));
  }

  it("never throws", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
      isOwnHost(text, "mx.example.org");
    }));
  });
});
