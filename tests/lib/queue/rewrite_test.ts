import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseDomains, parseVirtualDomains } from "../../../config/values.ts";
import { rewriteRecipient, type RewriteRules, withoutPrefix } from "../../../components/lib/queue/rewrite.ts";
import { utf8 } from "../octets.ts";

function valueOf<T>(result: { ok: true; value: T } | { ok: false; error: string }): T {
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

const rules: RewriteRules = {
  envnoathost: "mx.example.com",
  percenthack: valueOf(parseDomains(false)("Hack.example\nhack2.example\n")),
  locals: valueOf(parseDomains(false)("localhost\nMX.example.com\nboth.example\n")),
  virtualdomains: valueOf(parseVirtualDomains([
    "virt.example:old",
    "amy@virt.example:amyself",
    "Virt.Example:games-virt",
    "except.b.c:",
    ".b.c:below-bc",
    ".c:below-c",
    "x.c:",
    "both.example:never",
    "bob@remote.example:",
    "jörg@u.example:jö",
    "",
  ].join("\n"))),
};

const rows = [
  { recipient: "joe@localhost", channel: "local", address: "joe@localhost", why: "locals" },
  { recipient: "Joe@LOCALhost", channel: "local", address: "Joe@LOCALhost", why: "case is kept, not looked at" },
  { recipient: "noat", channel: "local", address: "noat@mx.example.com", why: "envnoathost" },
  { recipient: "", channel: "local", address: "@mx.example.com", why: "an empty one gets a host, too" },
  { recipient: "a@b@localhost", channel: "local", address: "a@b@localhost", why: "the last @ counts" },
  { recipient: "bob@r.example", channel: "remote", address: "bob@r.example", why: "nothing matches" },
  { recipient: "u%r.example@hack.example", channel: "remote", address: "u@r.example", why: "percenthack" },
  { recipient: "u%localhost@HACK.example", channel: "local", address: "u@localhost", why: "percenthack to a local" },
  { recipient: "a%b%r.example@hack.example", channel: "remote", address: "a%b@r.example", why: "the last % only" },
  { recipient: "a%r.example%hack2.example@hack.example", channel: "remote", address: "a@r.example", why: "repeatedly" },
  { recipient: "plain@hack.example", channel: "remote", address: "plain@hack.example", why: "no % to turn" },
  { recipient: "@hack.example", channel: "remote", address: "@hack.example", why: "nothing before the @" },
  {
    recipient: "u%r.example@other.example",
    channel: "remote",
    address: "u%r.example@other.example",
    why: "not listed",
  },
  {
    recipient: "info@virt.example",
    channel: "local",
    address: "games-virt-info@virt.example",
    why: "the last line wins",
  },
  {
    recipient: "AMY@VIRT.example",
    channel: "local",
    address: "amyself-AMY@VIRT.example",
    why: "the address goes first",
  },
  { recipient: "x@both.example", channel: "local", address: "x@both.example", why: "locals before virtualdomains" },
  { recipient: "x@except.b.c", channel: "remote", address: "x@except.b.c", why: "an exception before its suffix" },
  { recipient: "x@a.b.c", channel: "local", address: "below-bc-x@a.b.c", why: "the longest suffix" },
  { recipient: "x@b.c", channel: "local", address: "below-c-x@b.c", why: "a suffix does not match the domain itself" },
  { recipient: "x@x.c", channel: "remote", address: "x@x.c", why: "an exception for a domain" },
  { recipient: "bob@remote.example", channel: "remote", address: "bob@remote.example", why: "one for an address" },
  { recipient: "x@__proto__", channel: "remote", address: "x@__proto__", why: "no name is special" },
  {
    recipient: utf8("jörg@U.example"),
    channel: "local",
    address: utf8("jö-jörg@U.example"),
    why: "an internationalized address, as octets",
  },
];

describe("rewriteRecipient()", () => {
  for (const { recipient, channel, address, why } of rows) {
    it(`${recipient}: ${why}`, () => assertEquals(rewriteRecipient(recipient, rules), { channel, address }));
  }

  it("falls back on the empty key", () => {
    const all = { ...rules, virtualdomains: new Map([["", "catch"], ["out.example", ""]]) };
    assertEquals(rewriteRecipient("x@any.example", all), { channel: "local", address: "catch-x@any.example" });
    assertEquals(rewriteRecipient("x@out.example", all), { channel: "remote", address: "x@out.example" });
  });

  it("makes octets of octets, and never ends a percenthack in a loop", () => {
    const anyPart = fc.constantFrom("@", "%", "a", "hack.example", "virt.example", "localhost", "\xff", "\n", "");
    fc.assert(fc.property(fc.array(anyPart, { maxLength: 12 }), (parts) => {
      const { address } = rewriteRecipient(parts.join(""), rules);
      assert(address.includes("@"));
      for (const char of address) assert(char.charCodeAt(0) <= 255);
    }));
  });
});

describe("withoutPrefix()", () => {
  const undone = [
    { address: "games-virt-info@virt.example", want: "info@virt.example" },
    { address: "games-virt-info@VIRT.example", want: "info@VIRT.example" },
    { address: "below-bc-x@a.b.c", want: "x@a.b.c" },
    { address: "other-info@virt.example", want: "other-info@virt.example" },
    { address: "joe@localhost", want: "joe@localhost" },
    { address: "x@x.c", want: "x@x.c" },
    { address: "amyself-amy@virt.example", want: "amyself-amy@virt.example" },
  ];
  for (const { address, want } of undone) {
    it(`${address} is ${want} to its sender`, () => assertEquals(withoutPrefix(address, rules.virtualdomains), want));
  }
});
