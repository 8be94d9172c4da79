import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { expectedLmtpSocket, parseLmtpSocket } from "../../../components/lib/smtp/lmtp_socket.ts";

const takes = [
  ["lmtp:/run/dovecot/lmtp\n", "/run/dovecot/lmtp"],
  ["lmtp:/var/run/a-b_c.d/lmtp@1", "/var/run/a-b_c.d/lmtp@1"],
  ["lmtp:/s \t\r\n\n", "/s"],
  ["lmtp:/..s/.t\n", "/..s/.t"],
] as const;

const others = ["", "./Maildir/\n", "|lmtp:/s\n", " lmtp:/s\n", "LMTP:/s\n", "#lmtp:/s\n", "&lmtp:/s\n"];

const refuses = [
  ...["lmtp:", "lmtp:\n", "lmtp:run/s", "lmtp:/", "lmtp:/run/", "lmtp://s", "lmtp:/a/../s", "lmtp:/a/./s", "lmtp: /s"],
  ...["lmtp:/a,/etc/shadow", "lmtp:/a b", "lmtp:/a\0b", "lmtp:/a:24", "lmtp:/\u00e4", "lmtp:[127.0.0.1]:24", "lmtp:*"],
  ...[
    "lmtp:/s\n./Maildir/\n",
    "./Maildir/\nlmtp:/s\n",
    "lmtp:/s\nlmtp:/t\n",
    "#\nlmtp:/s\n",
    `lmtp:/${"s".repeat(107)}`,
  ],
];

describe("parseLmtpSocket()", () => {
  for (const [text, path] of takes) {
    it(`reads ${JSON.stringify(text)} as ${path}`, () => {
      assertEquals(parseLmtpSocket(text), { ok: true, value: path });
    });
  }

  for (const text of others) {
    it(`leaves ${JSON.stringify(text)} to who reads instructions`, () => {
      assertEquals(parseLmtpSocket(text), { ok: true, value: undefined });
    });
  }

  for (const text of refuses) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
      assertEquals(parseLmtpSocket(text), { ok: false, error: expectedLmtpSocket });
    });
  }

  it("gives no path that could be two in a flag, or lead elsewhere than it says", () => {
    const unit = fc.constantFrom(..."/.,:a\n \t=*\\'\"$".split(""), "..", "é");
    fc.assert(fc.property(fc.string({ unit }), (path) => {
      const { ok, value } = { value: undefined, ...parseLmtpSocket(`lmtp:/${path}`) };
      if (!ok || value === undefined) return;
      assert(/^[A-Za-z0-9/_@%+=.-]+$/.test(value));
      assertEquals(new URL(`file://${value}`).pathname, value);
    }));
  });
});
