import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { cutHeader, headerOf, messageIdOf } from "../../../components/lib/dsn/original.ts";

describe("headerOf()", () => {
  const rows = [
    { message: "", want: "" },
    { message: "\nbody\n\nmore\n", want: "" },
    { message: "A: b\n\nbody\n", want: "A: b\n" },
    { message: "A: b\nC: d\n", want: "A: b\nC: d\n" },
  ];
  for (const { message, want } of rows) it(JSON.stringify(message), () => assertEquals(headerOf(message), want));
});

describe("cutHeader()", () => {
  const header = "A: b\nC: d\n e\n\tf\nG: h\n";
  const rows = [
    { limit: 100, want: header },
    { limit: header.length, want: header },
    { limit: header.length - 1, want: "A: b\nC: d\n e\n\tf\n" },
    { limit: 16, want: "A: b\nC: d\n e\n\tf\n" },
    { limit: 15, want: "A: b\n" },
    { limit: 10, want: "A: b\n" },
    { limit: 5, want: "A: b\n" },
    { limit: 4, want: "" },
    { limit: 0, want: "" },
  ];
  for (const { limit, want } of rows) {
    it(`leaves whole fields only, of ${limit} octets`, () => assertEquals(cutHeader(header, limit), want));
  }

  it("answers a beginning that fits, with whole fields, for any octets", () => {
    const unit = fc.constantFrom("\n", " ", "\t", "a", ":");
    fc.assert(fc.property(fc.string({ unit }), fc.nat(20), (text, limit) => {
      const cut = cutHeader(text, limit);
      assert(text.startsWith(cut) && cut.length <= limit || cut === text);
      if (cut !== "" && cut !== text) assert(cut.endsWith("\n") && !" \t".includes(text[cut.length]!));
    }));
  });
});

describe("messageIdOf()", () => {
  const rows = [
    { header: "Message-ID: <a.1@b.example>\n", want: "<a.1@b.example>" },
    { header: "Subject: x\nMESSAGE-id:<a@b>  \nMessage-ID: <c@d>\n", want: "<a@b>" },
    { header: "Message-ID:\n <a@b>\nTo: c\n", want: "<a@b>" },
    { header: "Message-ID: <a@[192.0.2.1]>\n", want: "<a@[192.0.2.1]>" },
    { header: "Subject: x\n", want: undefined },
    { header: "", want: undefined },
    { header: "Message-ID: a@b\n", want: undefined },
    { header: "Message-ID: <a>\n", want: undefined },
    { header: "Message-ID: <a@b> <c@d>\n", want: undefined },
    { header: "Message-ID: <a\n @b>\n", want: undefined },
    { header: "Message-ID: <a@b>\n <c@d>\n", want: undefined },
    { header: "Message-ID: <a\r@b>\n", want: undefined },
    { header: "Message-ID: <a\0@b>\n", want: undefined },
    { header: "Message-ID: <\xc3\xa4@b>\n", want: undefined },
    { header: "Message-ID: <a@b>\rBcc: eve@e.example\n", want: undefined },
    { header: `Message-ID: <${"a".repeat(895)}@b>\n`, want: `<${"a".repeat(895)}@b>`, name: "899 octets" },
    { header: `Message-ID: <${"a".repeat(900)}@b>\n`, want: undefined, name: "904 octets" },
  ];
  for (const { header, want, name } of rows) {
    it(name ?? JSON.stringify(header), () => assertEquals(messageIdOf(header), want));
  }
});
