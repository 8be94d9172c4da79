import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { fromLine } from "../../components/lib/message/mbox_lines.ts";
import { environmentOf, splitRecipient } from "../../components/qmail-local/environment.ts";
import { newSender } from "../../components/qmail-local/new_sender.ts";
import { endText, programVerdict } from "../../components/qmail-local/program_exit.ts";
import { didText } from "../../components/qmail-local/report.ts";

const around = {
  sender: "eve@e.example",
  newSender: "eve@e.example",
  recipient: "joe-a-b-c-d@x.y.z.example",
  user: "joe",
  home: "/home/joe",
  extension: "a-b-c-d",
  default: "c-d",
  unixSeconds: 1795332086,
};

describe("environmentOf()", () => {
  const pick = (more: Partial<typeof around>, names: readonly string[]) => {
    const environment = environmentOf({ ...around, ...more });
    return names.map((name) => environment.get(name));
  };
  const hosts = ["HOST", "HOST2", "HOST3", "HOST4"];
  const extensions = ["EXT", "EXT2", "EXT3", "EXT4"];
  const rows = [
    { more: {}, names: hosts, want: ["x.y.z.example", "x.y.z", "x.y", "x"] },
    { more: { recipient: "joe@a.example" }, names: hosts, want: ["a.example", "a", "a", "a"] },
    { more: { recipient: "joe" }, names: ["LOCAL", ...hosts], want: ["joe", "", "", "", ""] },
    { more: { recipient: "a@b@c.d" }, names: ["LOCAL", "HOST"], want: ["a@b", "c.d"] },
    { more: {}, names: extensions, want: ["a-b-c-d", "b-c-d", "c-d", "d"] },
    { more: { extension: "A-" }, names: extensions, want: ["A-", "", "", ""] },
    { more: { extension: "" }, names: extensions, want: ["", "", "", ""] },
    { more: {}, names: ["DEFAULT", "USER", "HOME"], want: ["c-d", "joe", "/home/joe"] },
    { more: { recipient: "a\nb@c" }, names: ["DTLINE"], want: ["Delivered-To: a_b@c\n"] },
    { more: { sender: "" }, names: ["SENDER", "RPLINE"], want: ["", "Return-Path: <>\n"] },
    { more: {}, names: ["UFLINE"], want: ["From eve@e.example Sun Nov 22 07:21:26 2026\n"] },
  ];
  for (const { more, names, want } of rows) {
    it(`${names} of ${JSON.stringify(more)}`, () => assertEquals(pick(more, names), want));
  }

  it("has no DEFAULT where the file's name does not end in default", () => {
    assert(!environmentOf({ ...around, default: undefined }).has("DEFAULT"));
  });

  it("has eighteen variables, and one line in each of the lines", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "@", "-", ".", "\n", " ", "\xff", '"', "\\") });
    fc.assert(fc.property(text, text, text, (sender, recipient, extension) => {
      const environment = environmentOf({ ...around, sender, recipient, extension });
      assertEquals(environment.size, 18);
      for (const name of ["DTLINE", "RPLINE", "UFLINE"]) {
        assertEquals(environment.get(name)!.indexOf("\n"), environment.get(name)!.length - 1, name);
      }
    }));
  });
});

describe("fromLine()", () => {
  const rows = [
    { sender: "#@[]", want: "From #@[] Sun Nov 22 07:21:26 2026\n" },
    { sender: "", want: "From MAILER-DAEMON Sun Nov 22 07:21:26 2026\n" },
    { sender: "a b\tc\nd@e", want: "From a-b-c-d@e Sun Nov 22 07:21:26 2026\n" },
  ];
  for (const { sender, want } of rows) {
    it(JSON.stringify(want), () => assertEquals(fromLine(sender, around.unixSeconds), want));
  }
  it("writes days with two digits", () => assertEquals(fromLine("a", 0), "From a Thu Jan 01 00:00:00 1970\n"));
});

describe("newSender()", () => {
  const none = { owner: false, ownerDefault: false };
  const owner = { owner: true, ownerDefault: false };
  const both = { owner: true, ownerDefault: true };
  const rows = [
    { sender: "eve@e", owners: none, want: "eve@e" },
    { sender: "eve@e", owners: owner, want: "joe-l-owner@h" },
    { sender: "eve@e", owners: both, want: "joe-l-owner-@h-@[]" },
    { sender: "", owners: both, want: "" },
    { sender: "#@[]", owners: both, want: "#@[]" },
  ];
  for (const { sender, owners, want } of rows) {
    it(`of <${sender}>, ${JSON.stringify(owners)} is <${want}>`, () => {
      assertEquals(newSender(sender, "joe-l@h", owners), want);
    });
  }
});

describe("programVerdict()", () => {
  const hard = [64, 65, 70, 76, 77, 78, 100, 112];
  it("is qmail's for each of the 256 codes", () => {
    for (let code = 0; code < 256; code++) {
      const want = code === 0 ? "next" : code === 99 ? "stop" : hard.includes(code) ? "failure" : "deferral";
      assertEquals(programVerdict({ kind: "exited", code }), want, `${code}`);
    }
  });
  it("defers after a crash or when the time is over, and says so", () => {
    for (const kind of ["crashed", "timeout"] as const) {
      assertEquals(programVerdict({ kind }), "deferral");
      assert(endText({ kind }).endsWith(" (#4.3.0)\n"));
    }
  });
});

describe("didText()", () => {
  it("counts files, forwards and programs, and names the forwarded message", () => {
    const done = { files: 1, forwards: 2, programs: 3 };
    assertEquals(didText(done, undefined), "did 1+2+3\n");
    assertEquals(didText(done, 27), "did 1+2+3\nqp 27\n");
  });
});

describe("splitRecipient()", () => {
  it("cuts at the last @", () => assertEquals(splitRecipient("a@b@c"), { local: "a@b", host: "c" }));
});
