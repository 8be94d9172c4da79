import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { qmailFileNames, qmailFilePath } from "../../../components/lib/users/qmail_file_names.ts";

/** A name and its DEFAULT each. */
type Want = [string, string | undefined][];

const rows: readonly { dash: string; extension: string; want: Want; why: string }[] = [
  { dash: "", extension: "", want: [[".qmail", undefined], [".qmaildefault", ""]], why: "the account itself" },
  {
    dash: "-",
    extension: "A.b-C",
    want: [[".qmail-a:b-c", undefined], [".qmail-a:b-default", "C"], [".qmail-default", "A.b-C"]],
    why: "lower case and colons in names, the extension's own case in DEFAULT",
  },
  {
    dash: "-",
    extension: "x-Default",
    want: [[".qmail-x-default", "Default"], [".qmail-x-default", "Default"], [".qmail-default", "x-Default"]],
    why: "an own name that ends in default sets DEFAULT to that word",
  },
  {
    dash: "-",
    extension: "",
    want: [[".qmail-", undefined], [".qmail-default", ""]],
    why: "an empty extension after a dash",
  },
  {
    dash: "-",
    extension: "a-",
    want: [[".qmail-a-", undefined], [".qmail-a-default", ""], [".qmail-default", "a-"]],
    why: "an extension that ends in a dash",
  },
  {
    dash: "-",
    extension: "--",
    want: [[".qmail---", undefined], [".qmail---default", ""], [".qmail--default", "-"], [".qmail-default", "--"]],
    why: "nothing between two dashes",
  },
  {
    dash: "-/",
    extension: "a-b",
    want: [[".qmail-/a-b", undefined], [".qmail-/a-default", "b"], [".qmail-/default", "a-b"]],
    why: "a dash that leads into a folder",
  },
  {
    dash: "-",
    extension: "../../etc/passwd",
    want: [[".qmail-::/::/etc/passwd", undefined], [".qmail-default", "../../etc/passwd"]],
    why: "no way out of the home",
  },
  {
    dash: "-",
    extension: "\xc4\x80-\xC0",
    want: [[".qmail-\xc4\x80-\xc0", undefined], [".qmail-\xc4\x80-default", "\xc0"], [
      ".qmail-default",
      "\xc4\x80-\xc0",
    ]],
    why: "octets over 127 keep their case",
  },
];

describe("qmailFileNames()", () => {
  for (const { dash, extension, want, why } of rows) {
    it(`${JSON.stringify(dash + extension)}: ${why}`, () => {
      assertEquals(qmailFileNames(dash, extension).map((file): Want[number] => [file.name, file.default]), want);
    });
  }

  it("of a thousand dashes it tries the own name, a hundred beginnings and the empty one", () => {
    const names = qmailFileNames("-", "a-".repeat(1000));
    assertEquals(names.length, 102);
    assertEquals(names.at(-1)?.name, ".qmail-default");
  });

  it("no extension names a file outside of the home, and DEFAULT is always an end of the extension", () => {
    const octets = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
    fc.assert(fc.property(fc.oneof(octets, fc.stringMatching(/^[-./aD]{0,20}$/)), (extension) => {
      for (const { name, default: rest } of qmailFileNames("-", extension)) {
        assert(name.startsWith(".qmail-") && !name.slice(1).includes("."), name);
        assert(rest === undefined || extension.endsWith(rest));
      }
    }));
  });
});

describe("qmailFilePath()", () => {
  it("takes UTF-8, and has no place for other octets or NUL", () => {
    assertEquals(qmailFilePath("/h", ".qmail-a"), "/h/.qmail-a");
    assertEquals(qmailFilePath("/h", ".qmail-\xc3\xa9"), "/h/.qmail-é");
    assertEquals(qmailFilePath("/h", ".qmail-\xe9"), undefined);
    assertEquals(qmailFilePath("/h", ".qmail-\0"), undefined);
  });
});
