import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatNotice, type Notice } from "../../../components/lib/dsn/notice.ts";
import { parseParagraphs } from "../../../components/lib/dsn/paragraphs.ts";

const recipients: Notice["recipients"] = [
  { recipient: "amy@localhost", report: "did 1+0+0\n", action: "delivered" },
  { recipient: "a b@r.example", report: "192.0.2.1 accepted message.\nRemote host said: 250 ok\n", action: "relayed" },
];
const notice = { host: "mx.example.com", recipients, retryUntilSeconds: 1795332082 };

describe("formatNotice()", () => {
  it("tells of success", () => {
    assertEquals(
      formatNotice({ ...notice, kind: "success" }),
      `This is the qmail-send program at mx.example.com.
You asked to be told when your message has been delivered. It has, to the following addresses:

  amy@localhost: delivered
  "a b"@r.example: handed to a server that does not tell of deliveries

The header of your message follows.
`,
    );
  });

  it("tells of a delay", () => {
    const recipients = [{ recipient: "amy@r.example", report: "192.0.2.1 said:\n\n451 later\n" }];
    assertEquals(
      formatNotice({ ...notice, kind: "delay", recipients }),
      `This is the qmail-send program at mx.example.com.
Your message could not be delivered to the following addresses yet. You need not send it again: this is
tried until 22 Nov 2026 07:21:22 +0000.

  amy@r.example
    192.0.2.1 said:
    451 later

The header of your message follows.
`,
    );
  });

  it("is no bounce to programs that read those, and holds no octet that breaks it, whatever a server said", () => {
    const anyOctets = fc.uint8Array({ maxLength: 3000 }).map((octets) => String.fromCharCode(...octets));
    fc.assert(fc.property(anyOctets, anyOctets, fc.constantFrom("success", "delay"), (recipient, report, kind) => {
      const hostile = [`<${recipient}>:\n`, `\n\n<a@b>:\n${report}`, "\n\n--- Below"].map((text) => ({
        recipient: text,
        report: text,
      }));
      const text = formatNotice({ ...notice, kind, recipients: hostile });
      assertEquals(parseParagraphs(text), []);
      assert(!text.startsWith("Hi. This is the") && text.split("\n").every((line) => !/^[<-]/.test(line)));
      // deno-lint-ignore no-control-regex
      assert(!/[\x00-\x08\x0b-\x1f\x7f]/.test(text) && text.split("\n").every((line) => line.length <= 998));
    }));
  });
});
