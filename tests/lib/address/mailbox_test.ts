import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { formatMailbox, formatPath, type LocalPart, quoteLocalPart } from "../../../components/lib/address/mailbox.ts";
import { parseEnvelopeAddress } from "../../../components/lib/address/parse_path.ts";

describe("quoteLocalPart()", () => {
  const table: { local: string; want: string }[] = [
    { local: "amy", want: "amy" },
    { local: "a.b+c-d_e=f", want: "a.b+c-d_e=f" },
    { local: "!#$%&'*+-/=?^_`{|}~", want: "!#$%&'*+-/=?^_`{|}~" },
    { local: "", want: '""' },
    { local: ".a", want: '".a"' },
    { local: "a.", want: '"a."' },
    { local: "a..b", want: '"a..b"' },
    { local: "a b", want: '"a b"' },
    { local: "a@b", want: '"a@b"' },
    { local: 'a"b\\c', want: '"a\\"b\\\\c"' },
    { local: "(x)<y>,;:[]", want: '"(x)<y>,;:[]"' },
    { local: "j\xc3\xb6rg", want: "j\xc3\xb6rg" },
  ];
  for (const { local, want } of table) {
    it(`writes ${JSON.stringify(local)} as ${want}`, () => assertEquals(quoteLocalPart(local as LocalPart), want));
  }
});

describe("A mailbox", () => {
  it("is written unquoted for the queue and quoted for commands", () => {
    const mailbox = parseEnvelopeAddress("a b@dom.example")!;
    assertEquals(formatMailbox(mailbox), "a b@dom.example");
    assertEquals(formatPath(mailbox), '"a b"@dom.example');
  });
});
