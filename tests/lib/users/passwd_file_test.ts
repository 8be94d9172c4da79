import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  formatPasswdEntry,
  isMailboxName,
  parsePasswdFile,
  replacePassword,
} from "../../../components/lib/users/passwd_file.ts";

/** The entries of a text that parses. */
function entriesOf(text: string) {
  const parsed = parsePasswdFile(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return [...parsed.value];
}

describe("parsePasswdFile()", () => {
  it("reads Dovecot's fields", () => {
    const text = "# users\n\nAmy@A.example:{ARGON2ID}$argon2id$v=19:1000:2000::/home/amy::\nbob@a.example::1:2\n";
    assertEquals(entriesOf(text), [
      ["amy@a.example", {
        ...{ name: "amy", domain: "a.example", password: "{ARGON2ID}$argon2id$v=19" },
        ...{ uid: 1000, gid: 2000, home: "/home/amy" },
      }],
      ["bob@a.example", { name: "bob", domain: "a.example", password: "", uid: 1, gid: 2, home: "" }],
    ]);
  });

  const extras: readonly (readonly [extra: string, want: { scram?: string; nologin?: true }])[] = [
    ["", {}],
    ["quota_rule=*:storage=1G", {}],
    ["scram={SCRAM-SHA-256}1,a,b,c", { scram: "{SCRAM-SHA-256}1,a,b,c" }],
    ["quota_rule=*:storage=1G scram=x \tallow_nets=::1", { scram: "x" }],
    ["scram=", { scram: "" }],
    ["scram=first scram=second", { scram: "first" }],
    ["notscram=x", {}],
    ["nologin", { nologin: true }],
    ["nologin=y", { nologin: true }],
    ["nologin=no", {}],
    ["userdb_nologin", {}],
    ["nologin= scram=x", { nologin: true, scram: "x" }],
  ];
  for (const [extra, want] of extras) {
    it(`reads the extra field ${JSON.stringify(extra)}`, () => {
      const [, entry] = entriesOf(`a@b.example:p:1:1:::/bin/sh:${extra}\n`)[0]!;
      assertEquals(entry, { name: "a", domain: "b.example", password: "p", uid: 1, gid: 1, home: "", ...want });
    });
  }

  it("lets the first of two equal addresses win", () => {
    assertEquals(entriesOf("a@b:first:1:1::\nA@B:second:2:2::\n").map(([, entry]) => entry.password), ["first"]);
  });

  it("keeps names of an object's own as names like any other", () => {
    const names = ["__proto__@a.example", "constructor@__proto__"];
    assertEquals(entriesOf(names.map((name) => `${name}::1:1::`).join("\n")).map(([key]) => key), names);
  });

  const refusals = [
    "amy:x:1:1::",
    "@a.example:x:1:1::",
    "amy@:x:1:1::",
    "amy@a..example:x:1:1::",
    "a my@a.example:x:1:1::",
    "../amy@a.example:x:1:1::",
    ".amy@a.example:x:1:1::",
    "amy@../etc:x:1:1::",
    "amy@a.example:x:-1:1::",
    "amy@a.example:x:1:::",
    "amy@a.example:x:1:1::relative/home::",
    "amy@a.example:{PLAIN}sesame:one:1::",
  ];
  for (const line of refusals) {
    it(`refuses ${line} by its number and never shows its text`, () => {
      assertEquals(parsePasswdFile(`# first\n${line}\n`), {
        ok: false,
        error: "line 2: expected name@domain:{SCHEME}hash:uid:gid::home::",
      });
    });
  }

  it("gives back what formatPasswdEntry() writes", () => {
    const anyEntry = fc.record({
      name: fc.stringMatching(/^[a-z0-9_+=~-][a-z0-9._+=~-]{0,63}$/),
      domain: fc.constantFrom("a.example", "localhost", "x_y.example"),
      password: fc.constantFrom("", "{ARGON2ID}$argon2id$v=19$m=65536"),
      uid: fc.nat(),
      gid: fc.nat(),
      home: fc.constantFrom("", "/home/amy"),
      scram: fc.constant("{SCRAM-SHA-256}4096,AA==,BB==,CC=="),
      nologin: fc.constant(true as const),
    }, { noNullPrototype: true, requiredKeys: ["name", "domain", "password", "uid", "gid", "home"] });
    fc.assert(fc.property(anyEntry, (entry) => {
      assertEquals(entriesOf(formatPasswdEntry(entry)), [[`${entry.name}@${entry.domain}`, entry]]);
    }));
  });

  it("parses or refuses any text, and never throws", () => {
    const anyText = fc.string({ unit: fc.constantFrom("a", "@", ":", "\n", "#", "1", "/", ".", " ", "\0", "\xff") });
    fc.assert(fc.property(anyText, (text) => assert(typeof parsePasswdFile(text).ok === "boolean")));
  });
});

describe("replacePassword()", () => {
  const rows: readonly (readonly [line: string, scram: string | undefined, want: string])[] = [
    ["a@b:old:1:2::/h::", "s", "a@b:new:1:2::/h::scram=s"],
    ["a@b:old:1:2::/h::", undefined, "a@b:new:1:2::/h::"],
    ["a@b:old:1:2::/h", undefined, "a@b:new:1:2::/h"],
    ["a@b:old:1:2", "s", "a@b:new:1:2::::scram=s"],
    ["a@b:old:1:2:Gecos:/h:/bin/sh:scram=old", "s", "a@b:new:1:2:Gecos:/h:/bin/sh:scram=s"],
    ["a@b:old:1:2:Gecos:/h:/bin/sh:scram=old", undefined, "a@b:new:1:2:Gecos:/h:/bin/sh:"],
    [
      "a@b:old:1:2:::: quota_rule=*:storage=1G  scram=old nologin",
      "s",
      "a@b:new:1:2::::scram=s quota_rule=*:storage=1G nologin",
    ],
    [
      "a@b:old:1:2::::quota_rule=*:storage=1G scram=old",
      undefined,
      "a@b:new:1:2::::quota_rule=*:storage=1G",
    ],
    ["a@b:old:1:2::::quota_rule=*:storage=1G", undefined, "a@b:new:1:2::::quota_rule=*:storage=1G"],
    ["a@b", "s", "a@b:new::::::scram=s"],
  ];
  for (const [line, scram, want] of rows) {
    it(`${line} with ${scram ?? "no secret"} becomes ${want}`, () => {
      assertEquals(replacePassword(line, "new", scram), want);
    });
  }
});

describe("isMailboxName()", () => {
  const rows = [
    ...["a", "a.b-c_d+e=f~g", "-x", "0", "a".repeat(64)].map((name) => ({ name, want: true })),
    ...["", ".", "..", ".a", "A", "a/b", "a b", "a@b", "a:b", "a\nb", "\xe9", "a\0", "a".repeat(65)]
      .map((name) => ({ name, want: false })),
  ];
  for (const { name, want } of rows) {
    it(`${JSON.stringify(name)} ${want ? "can" : "cannot"} be one`, () => assertEquals(isMailboxName(name), want));
  }
});
