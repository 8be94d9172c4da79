import fc from "fast-check";
import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { coversAddress, formatAnswer, isAllowed, parseCheck } from "../../../components/lib/permissions/decide.ts";

const rights = {
  read: ["/q/run/dial6/s"],
  write: ["/q/run/dial6/s"],
  net: ["[2000::]/3:25", "[::1]/128:2525", "[2001:db8::5]:0", "unix:/q/run/dial6/s"],
  run: ["/bin/true"],
  sys: ["uid"],
  env: [],
};

describe("a broker's answer", () => {
  const rows: { permission: string; value: string | undefined; want: boolean }[] = [
    { permission: "net", value: "[2001:db8::1]:25", want: true },
    { permission: "net", value: "[3fff:ffff::1]:25", want: true },
    { permission: "net", value: "[::1]:2525", want: true },
    { permission: "net", value: "[2001:db8::5]:0", want: true },
    { permission: "net", value: "unix:/q/run/dial6/s", want: true },
    { permission: "net", value: "[2001:db8::1]:26", want: false },
    { permission: "net", value: "[2001:db8::1]", want: false },
    { permission: "net", value: "[::1]:25", want: false },
    { permission: "net", value: "[fc00::1]:25", want: false },
    { permission: "net", value: "[fe80::1]:25", want: false },
    { permission: "net", value: "[fe80::1%eth0]:25", want: false },
    { permission: "net", value: "[2001:db8::1%eth0]:25", want: false },
    { permission: "net", value: "[::ffff:192.0.2.1]:25", want: false },
    { permission: "net", value: "[4000::1]:25", want: false },
    { permission: "net", value: "192.0.2.1:25", want: false },
    { permission: "net", value: "localhost:25", want: false },
    { permission: "net", value: "2001.example:25", want: false },
    { permission: "net", value: "unix:/q/run/dial6/s2", want: false },
    { permission: "net", value: "unix:/q/run/qmail-send/s", want: false },
    { permission: "net", value: "vsock:1:25", want: false },
    { permission: "net", value: "", want: false },
    { permission: "net", value: undefined, want: false },
    { permission: "read", value: "/q/run/dial6/s", want: true },
    { permission: "read", value: "/q/run/dial6/s/..", want: false },
    { permission: "read", value: "/etc/passwd", want: false },
    { permission: "read", value: undefined, want: false },
    { permission: "write", value: "/q/run/dial6/s", want: true },
    { permission: "write", value: "/q/run/dial6", want: false },
    { permission: "sys", value: "uid", want: true },
    { permission: "sys", value: "hostname", want: false },
    { permission: "env", value: "HOME", want: false },
    { permission: "run", value: "/bin/true", want: false },
    { permission: "ffi", value: "/lib/x.so", want: false },
    { permission: "import", value: "example.com:443", want: false },
    { permission: "toString", value: "x", want: false },
  ];
  for (const { permission, value, want } of rows) {
    it(`${want ? "allows" : "refuses"} ${permission} ${value ?? "as a whole"}`, () => {
      assertEquals(isAllowed(rights, { permission, value }), want);
    });
  }

  it("is yes to every public address of IPv4 where a grant says so in a word, and to no other", () => {
    const answers = ["192.0.2.1:25", "8.8.8.8:25", "8.8.8.8:26", "127.0.0.1:25", "10.0.0.1:25", "[2001:db8::1]:25"];
    assertEquals(answers.filter((value) => coversAddress("public:25", value)), ["8.8.8.8:25"]);
  });

  it("is no to whatever is asked for with no rights at all", () => {
    const none = { read: [], write: [], net: [], run: [], sys: [], env: [] };
    fc.assert(fc.property(fc.string(), fc.option(fc.string(), { nil: undefined }), (permission, value) => {
      assertEquals(isAllowed(none, { permission, value }), false);
    }));
  });

  it("never throws, whatever a network and an address look like", () => {
    const parts = fc.constantFrom("[", "]", ":", "/", "1", "f", ".", "%", "-", "2000::");
    const odd = fc.array(parts, { maxLength: 12 }).map((parts) => parts.join(""));
    fc.assert(fc.property(odd, odd, (entry, value) => {
      coversAddress(entry, value);
    }));
  });
});

describe("a broker's lines", () => {
  it("are read as Deno writes them", () => {
    const line =
      '{"v":1,"pid":7,"id":2,"datetime":"2026-11-23T02:26:07.5+00:00","permission":"net","value":"[2001:db8::1]:25"}';
    assertEquals(parseCheck(line), {
      ok: true,
      value: { id: 2, permission: "net", value: "[2001:db8::1]:25" },
    });
    assertEquals(parseCheck('{"v":1,"id":3,"permission":"run","value":null}'), {
      ok: true,
      value: { id: 3, permission: "run", value: undefined },
    });
  });

  for (
    const line of [
      "",
      "x",
      "null",
      "[]",
      '{"v":2,"id":1,"permission":"net"}',
      '{"v":1,"id":1.5,"permission":"net"}',
      '{"v":1,"id":1}',
      '{"v":1,"id":1,"permission":"net","value":["x"]}',
    ]
  ) {
    it(`are refused as ${JSON.stringify(line)}`, () => assertEquals(parseCheck(line).ok, false));
  }

  it("are answered under their number", () => {
    assertEquals(formatAnswer(7, true), '{"id":7,"result":"allow"}\n');
    assertEquals(formatAnswer(8, false), '{"id":8,"result":"deny"}\n');
  });
});
