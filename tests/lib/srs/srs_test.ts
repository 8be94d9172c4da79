import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { anyAge, isReturnPath, originalOf, returnPathFor, type SrsRules } from "../../../components/lib/srs/srs.ts";
import { formatStamp, stampAgeDays } from "../../../components/lib/srs/stamp.ts";
import { maskSrsSecret, parseSrsSecret, srsRulesOf } from "../../../components/lib/srs/secret_file.ts";

const now = 1_790_000_000;
const day = 86_400;
const rules: SrsRules = { domain: "srs.example", secrets: ["a secret of ours"], hashLength: 6, ageDays: 21 };
const octet = fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code));
const octets = fc.array(octet, { minLength: 1, maxLength: 60 }).map((parts) => parts.join(""));

/** With every hash made of x, as these are other in every test of another secret. */
function shape(address: string): string {
  return address.replace(/^(SRS[01])=[A-Za-z0-9+/]{6}=/, "$1=xxxxxx=");
}

describe("returnPathFor()", () => {
  const stamp = formatStamp(now);
  const table = [
    { sender: "amy@a.example", want: `SRS0=xxxxxx=${stamp}=a.example=amy@srs.example` },
    { sender: "Amy+x=y@A.Example", want: `SRS0=xxxxxx=${stamp}=a.example=Amy+x=y@srs.example` },
    { sender: "a b@c@a.example", want: `SRS0=xxxxxx=${stamp}=a.example=a b@c@srs.example` },
    // Another forwarder's: that one's part stays as it is, separator included.
    { sender: "SRS0=H=TT=o.example=amy@f.example", want: "SRS1=xxxxxx=f.example==H=TT=o.example=amy@srs.example" },
    { sender: "srs0+H+TT+o.example+amy@f.example", want: "SRS1=xxxxxx=f.example=+H+TT+o.example+amy@srs.example" },
    // One that has been through two: the first is the one that can take it back.
    {
      sender: "SRS1=HH=f.example==H=TT=o.example=a@g.example",
      want: "SRS1=xxxxxx=f.example==H=TT=o.example=a@srs.example",
    },
    // Only its name is like one.
    { sender: "SRS1=x@g.example", want: `SRS0=xxxxxx=${stamp}=g.example=SRS1=x@srs.example` },
    { sender: "srs0x@g.example", want: `SRS0=xxxxxx=${stamp}=g.example=srs0x@srs.example` },
    { sender: "", want: "" },
    { sender: "#@[]", want: "#@[]" },
    { sender: "list-owner-@a.example-@[]", want: "list-owner-@a.example-@[]" },
    { sender: "amy", want: "amy" },
    { sender: `${"a".repeat(240)}@a.example`, want: `${"a".repeat(240)}@a.example` },
  ];
  for (const { sender, want } of table) {
    it(`makes ${want.slice(0, 60)} of <${sender.slice(0, 60)}>`, () => {
      assertEquals(shape(returnPathFor(sender, rules, now)), want);
    });
  }

  it("comes back as the sender, whatever octets are in it", () => {
    fc.assert(fc.property(octets, fc.constantFrom("a.example", "[192.0.2.1]"), (local, host) => {
      const sender = `${local}@${host}`;
      const made = returnPathFor(sender, rules, now);
      if (/^srs[01][=+-]/i.test(local)) return;
      assertEquals(originalOf(made, rules, now), { ok: true, value: sender });
    }));
  });

  it("leads back through any number of forwarders with two steps", () => {
    const first = { ...rules, domain: "f1.example", secrets: ["the first one's"] };
    const second = { ...rules, domain: "f2.example", secrets: ["the second one's"] };
    const third = { ...rules, domain: "f3.example", secrets: ["the third one's"] };
    const one = returnPathFor("amy@a.example", first, now);
    const three = returnPathFor(returnPathFor(one, second, now), third, now);
    assert(three.startsWith("SRS1="), three);
    const back = originalOf(three, third, now);
    assertEquals(back, { ok: true, value: one });
    assertEquals(originalOf(one, first, now), { ok: true, value: "amy@a.example" });
  });
});

describe("originalOf()", () => {
  const made = returnPathFor("amy@a.example", rules, now);
  const first = made.split("=")[1]!;
  const other = first[0]!.toLowerCase() === "b" ? "c" : "b";
  const table = [
    { claim: "one of ours", address: made, want: "amy@a.example" },
    { claim: "one in another case", address: made.toLowerCase(), want: "amy@a.example" },
    { claim: "another hash", address: made.replace(first, other + first.slice(1)), want: "forged" },
    { claim: "a shorter hash", address: made.replace(first, first.slice(0, 4)), want: "forged" },
    { claim: "no hash", address: made.replace(first, ""), want: "forged" },
    { claim: "another user", address: made.replace("amy", "bob"), want: "forged" },
    { claim: "another host", address: made.replace("a.example", "b.example"), want: "forged" },
    {
      claim: "another day",
      address: made.replace(`=${formatStamp(now)}=`, `=${formatStamp(now + day)}=`),
      want: "forged",
    },
    { claim: "nothing but the name", address: "SRS0=@srs.example", want: "forged" },
    { claim: "a chain of nobody", address: "SRS1=xxxxxx=f.example==a=b=c=d@srs.example", want: "forged" },
    { claim: "another domain", address: made.replace("srs.example", "x.example"), want: "not-srs" },
    { claim: "an ordinary address", address: "amy@srs.example", want: "not-srs" },
    { claim: "no domain", address: "SRS0=a=b=c=d", want: "not-srs" },
  ];
  for (const { claim, address, want } of table) {
    it(`says ${want} of ${claim}`, () => {
      const got = originalOf(address, rules, now);
      assertEquals(got.ok ? got.value : got.error, want);
    });
  }

  const ages = [
    { days: -1, want: "amy@a.example" },
    { days: -2, want: "expired" },
    { days: 21, want: "amy@a.example" },
    { days: 22, want: "expired" },
    { days: 1000, want: "expired" },
  ];
  for (const { days, want } of ages) {
    it(`says ${want} of one of ${days} days ago, with a limit of 21`, () => {
      const got = originalOf(made, rules, now + days * day);
      assertEquals(got.ok ? got.value : got.error, want);
    });
  }

  it("does not look at the age where it is told so", () => {
    assertEquals(originalOf(made, rules, anyAge), { ok: true, value: "amy@a.example" });
  });

  it("takes what an older secret has made, as long as it is in the list", () => {
    const fresh = { ...rules, secrets: ["a newer secret", ...rules.secrets] };
    assertEquals(originalOf(made, fresh, now), { ok: true, value: "amy@a.example" });
    assert(returnPathFor("amy@a.example", fresh, now) !== made);
    assertEquals(originalOf(made, { ...rules, secrets: ["a newer secret"] }, now), { ok: false, error: "forged" });
  });

  it("never throws, and gives nothing for what nobody made", () => {
    fc.assert(fc.property(octets, fc.constantFrom("SRS0=", "SRS1=", "srs0-", "SRS1+", ""), (text, start) => {
      assert(!originalOf(`${start}${text}@srs.example`, rules, now).ok);
    }));
  });

  it("says of nothing that it is a return path while SRS has no domain", () => {
    assert(!isReturnPath("SRS0=a=b=c=d@", ""));
    assert(isReturnPath("SRS0=a=b=c=d@SRS.example", "srs.example"));
  });
});

describe("stampAgeDays()", () => {
  it("tells every age up to its limit, over the turn of the cycle", () => {
    for (const days of [0, 1, 500, 1022]) assertEquals(stampAgeDays(formatStamp(now), now + days * day), days);
    assertEquals(stampAgeDays(formatStamp(now), now - day), -1);
    for (const none of ["", "A", "AAA", "1A", "A0"]) assertEquals(stampAgeDays(none, now), undefined);
  });
});

describe("control/srssecret", () => {
  it("has a secret a line, and none that could be guessed", () => {
    assertEquals(parseSrsSecret("# two\nfirst secret\n\nsecond secret \n"), {
      ok: true,
      value: ["first secret", "second secret"],
    });
    assertEquals(parseSrsSecret(""), { ok: true, value: [] });
    const short = parseSrsSecret("abc\n");
    assert(!short.ok && !short.error.includes("abc"));
  });
  it("is not shown", () => assertEquals(maskSrsSecret("# a\nfirst secret\n"), "# a\n(a secret)\n"));
  it("switches SRS off where it is empty, absent, or there is no domain", () => {
    const controls = { srsdomain: "a.example", srssecret: ["12345678"], srshashlength: 4, srsage: 21 };
    assertEquals(srsRulesOf(controls)?.domain, "a.example");
    assertEquals(srsRulesOf({ ...controls, srssecret: [] }), undefined);
    assertEquals(srsRulesOf({ ...controls, srsdomain: "" }), undefined);
    assertEquals(srsRulesOf({ srsdomain: "a.example" }), undefined);
  });
});
