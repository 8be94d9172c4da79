import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { findMailbox } from "../../components/qmail-getpw/lookup.ts";
import { parsePasswdFile } from "../../components/lib/users/passwd_file.ts";

const me = "mx.example.com";
const locals = ["mx.example.com", "localhost"];
const names = [
  "amy@localhost",
  "amy-list@localhost",
  "joe@mx.example.com",
  "amy@mx.example.com",
  "info@virt.example",
  "a-b-c@localhost",
  "__proto__@localhost",
  "-@localhost",
];

function users() {
  const parsed = parsePasswdFile(names.map((name) => `${name}::1000:1000::`).join("\n"));
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

const rows = [
  { address: "amy@localhost", want: "amy@localhost", extension: "", why: "the name" },
  { address: "AMY@LocalHost", want: "amy@localhost", extension: "", why: "in any case" },
  { address: "amy-Shop@localhost", want: "amy@localhost", extension: "Shop", why: "an extension, in its own case" },
  { address: "amy-list-owner@localhost", want: "amy-list@localhost", extension: "owner", why: "the longest beginning" },
  { address: "amy-lists@localhost", want: "amy@localhost", extension: "lists", why: "a beginning ends before a -" },
  { address: "a-b-c-d-e@localhost", want: "a-b-c@localhost", extension: "d-e", why: "all of what follows" },
  { address: "amy-@localhost", want: "amy@localhost", extension: "", why: "an empty extension" },
  { address: "amyx@localhost", want: undefined, why: "no - after the name" },
  { address: "bob@localhost", want: undefined, why: "nobody" },
  { address: "joe@localhost", want: undefined, why: "a user of another local domain" },
  { address: "joe@mx.example.com", want: "joe@mx.example.com", extension: "", why: "the domain decides" },
  { address: "joe-info@virt.example", want: "joe@mx.example.com", extension: "info", why: "virtualdomains' prefix" },
  { address: "info@virt.example", want: "info@virt.example", extension: "", why: "a mailbox before a prefix" },
  { address: "bob-info@virt.example", want: undefined, why: "a prefix that is nobody" },
  { address: "__proto__@localhost", want: "__proto__@localhost", extension: "", why: "a name like any other" },
  { address: "constructor@localhost", want: undefined, why: "not one of an object's own" },
  { address: "toString-x@localhost", want: undefined, why: "nor with an extension" },
  { address: "@localhost", want: undefined, why: "an empty local part" },
  { address: "-x@localhost", want: undefined, why: "nothing before the -" },
  { address: "\xc0my@localhost", want: undefined, why: "octets that are no name's" },
];

describe("findMailbox()", () => {
  for (const { address, want, extension, why } of rows) {
    it(`${address}: ${why}`, () => {
      const found = findMailbox(address, me, locals, users());
      const name = found && `${found.entry.name}@${found.entry.domain}`;
      assertEquals([name, found?.extension], [want, extension]);
      assertEquals(
        found?.dash,
        want === undefined ? undefined : address.startsWith(`${want.split("@")[0]}-`) ? "-" : "",
      );
    });
  }

  it("finds only mailboxes, under a name the address begins with", () => {
    const anyPart = fc.constantFrom("amy", "-", "list", "A", "b", "c", "x", "__proto__", "@", ".", "\xff");
    fc.assert(fc.property(fc.array(anyPart, { maxLength: 12 }), (parts) => {
      const found = findMailbox(`${parts.join("")}@localhost`, me, locals, users());
      if (found === undefined) return;
      const local = parts.join("").toLowerCase();
      assertEquals(local === found.entry.name || local.startsWith(`${found.entry.name}-`), true);
    }));
  });
});
