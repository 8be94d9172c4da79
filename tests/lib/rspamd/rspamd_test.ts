import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { FilterMessage } from "../../../components/lib/filters/filter.ts";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import { applyReply } from "../../../components/lib/rspamd/apply.ts";
import { parseRspamdReply } from "../../../components/lib/rspamd/reply.ts";
import { requestFields } from "../../../components/lib/rspamd/request.ts";
import { parseRspamd } from "../../../components/lib/rspamd/rspamd_file.ts";
import { formatMail, splitMail } from "../../../components/lib/scanners/mail.ts";

const message: FilterMessage = {
  client: {
    entrance: "smtp",
    ip: "192.0.2.7",
    helo: "client.example",
    host: "host.example",
    login: "joe",
    tls: true,
    relaying: true,
  },
  origin: "network",
  sender: "a b@example.org",
  recipients: ["x@example.com", "y@example.com"],
  content: toOctets("Subject: hi\n\nhello\n"),
};

describe("requestFields()", () => {
  it("says who brought the message, from whom it is and for whom", () => {
    assertEquals(requestFields(message, "id-1"), [
      ["Content-Length", "19"],
      ["Content-Type", "application/octet-stream"],
      ["Queue-Id", "id-1"],
      ["From", '<"a b"@example.org>'],
      ["Rcpt", "<x@example.com>"],
      ["Rcpt", "<y@example.com>"],
      ["IP", "192.0.2.7"],
      ["Helo", "client.example"],
      ["Hostname", "host.example"],
      ["User", "joe"],
    ]);
  });

  it("says nothing that is not known", () => {
    const names = (client: FilterMessage["client"]) =>
      requestFields({ ...message, client }, "id").slice(6).map(([name]) => name);
    assertEquals(names(undefined), []);
    assertEquals(names({ entrance: "lmtp", ip: "unknown", helo: "", tls: false, relaying: false }), []);
  });

  it("ends no line, and stays short, whatever a client calls itself and for however many", () => {
    const octets = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(octets, octets, fc.nat(3000), (text, address, count) => {
        const recipients = Array.from({ length: count }, () => `${address}@example.com`);
        const client = { ...message.client!, helo: text.repeat(100), host: text, login: text };
        const fields = requestFields({ ...message, client, recipients, sender: address }, "id");
        // deno-lint-ignore no-control-regex
        assertEquals(fields.filter(([, value]) => /[\x00-\x1f\x7f]/.test(value)), []);
        const bytes = fields.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
        assertEquals(bytes < 80 * 1024, true, `${bytes}`);
      }),
      { numRuns: 30 },
    );
  });
});

/** The message after an answer; undefined where it was not to be understood. */
function after(content: string, answer: unknown): string | undefined {
  const reply = parseRspamdReply(typeof answer === "string" ? answer : JSON.stringify(answer));
  const mail = reply.ok ? applyReply(splitMail(toOctets(content))!, reply.value) : undefined;
  return mail?.ok ? fromOctets(formatMail(mail.value)) : undefined;
}

const mail = "Received: x\nX-Spam: old\nSubject: hi\n there\nX-Spam: older\n\nhello\n";
const without = "Received: x\nSubject: hi\n there\n\nhello\n";
const no = "no action";

const rows: readonly { readonly claim: string; readonly answer: unknown; readonly want: string | undefined }[] = [
  { claim: "changes nothing", answer: { action: no }, want: mail },
  {
    claim: "passes over what it does not know",
    answer: { action: no, symbols: { X: [1] }, milter: { y: 1 } },
    want: mail,
  },
  {
    claim: "removes all of a name",
    answer: { action: no, milter: { remove_headers: { "x-spam": 0 } } },
    want: without,
  },
  {
    claim: "removes the first",
    answer: { action: no, milter: { remove_headers: { "X-Spam": 1 } } },
    want: mail.replace("X-Spam: old\n", ""),
  },
  {
    claim: "removes the last",
    answer: { action: no, milter: { remove_headers: { "X-Spam": -1 } } },
    want: mail.replace("X-Spam: older\n", ""),
  },
  {
    claim: "removes none that is not there",
    answer: { action: no, milter: { remove_headers: { "X-Spam": -3, Y: 0 } } },
    want: mail,
  },
  {
    claim: "adds at the end, at the top and in between",
    answer: {
      action: no,
      milter: { add_headers: { A: "1", B: { value: "2", order: 0 }, C: [{ value: "3", order: 2 }, "4\n\t5"] } },
    },
    want: "B: 2\nReceived: x\nC: 3\nX-Spam: old\nSubject: hi\n there\nX-Spam: older\nA: 1\nC: 4\n\t5\n\nhello\n",
  },
  {
    claim: "marks spam",
    answer: { action: "add header", milter: { remove_headers: { "X-Spam": 0 } } },
    want: without.replace("\n\nhello", "\nX-Spam: Yes\n\nhello"),
  },
  {
    claim: "marks spam with rspamd's own mark",
    answer: {
      action: "add header",
      milter: { add_headers: { "x-spam": "Probably" }, remove_headers: { "X-Spam": 0 } },
    },
    want: without.replace("\n\nhello", "\nx-spam: Probably\n\nhello"),
  },
  {
    claim: "rewrites the subject, octets beyond ASCII as UTF-8, on one line",
    answer: {
      action: "rewrite subject",
      subject: "*** SPAM *** hi\n the\u00e9re",
      milter: { remove_headers: { "X-Spam": 0 } },
    },
    want: "Received: x\nSubject: *** SPAM *** hi the\xc3\xa9re\nX-Spam: Yes\n\nhello\n",
  },
  {
    claim: "refuses a field that would be two",
    answer: { action: no, milter: { add_headers: { A: "1\nB: 2" } } },
    want: undefined,
  },
  { claim: "refuses a body", answer: { action: no, milter: { add_headers: { A: "1\n\nbody" } } }, want: undefined },
  {
    claim: "refuses a name that is none",
    answer: { action: no, milter: { add_headers: { "A: 1\nB": "2" } } },
    want: undefined,
  },
  {
    claim: "refuses a value that is no text",
    answer: { action: no, milter: { add_headers: { A: 1 } } },
    want: undefined,
  },
  {
    claim: "refuses a place that is none",
    answer: { action: no, milter: { remove_headers: { A: "all" } } },
    want: undefined,
  },
  {
    claim: "refuses hundreds of fields",
    answer: { action: no, milter: { add_headers: { A: Array.from({ length: 501 }, () => "1") } } },
    want: undefined,
  },
  { claim: "refuses an action it does not know", answer: { action: "explode" }, want: undefined },
  { claim: "refuses an answer without an action", answer: {}, want: undefined },
  { claim: "refuses a list", answer: [], want: undefined },
  { claim: "refuses null", answer: null, want: undefined },
  { claim: "refuses what is no JSON", answer: "<html>", want: undefined },
  { claim: "refuses what ends early", answer: '{"action":"no act', want: undefined },
  { claim: "refuses depths", answer: "[".repeat(500_000), want: undefined },
  { claim: "refuses lengths", answer: `{"action":"no action","x":"${"x".repeat(1024 * 1024)}"}`, want: undefined },
  {
    claim: "is not led astray by a prototype",
    answer: '{"action":"no action","milter":{"__proto__":{"add_headers":{"A":"1"}}}}',
    want: mail,
  },
];

describe("rspamd's answer", () => {
  for (const { claim, answer, want } of rows) {
    it(claim, () => assertEquals(after(mail, answer), want));
  }

  it("adds a subject where there is none", () => {
    const want = "From: x\nSubject: spam\nX-Spam: Yes\n\n";
    assertEquals(after("From: x\n\n", { action: "rewrite subject", subject: "spam" }), want);
  });

  it("never throws, and leaves the body, whatever it is", () => {
    fc.assert(fc.property(fc.json(), fc.anything(), (text, value) => {
      after(mail, text);
      const changed = after(mail, { action: "add header", milter: value, subject: value, messages: value });
      assertEquals(changed === undefined || changed.endsWith("\n\nhello\n"), true);
    }));
  });
});

describe("parseRspamd()", () => {
  it("reads one address", () => {
    assertEquals(parseRspamd("[::1]:11333\n"), { ok: true, value: { kind: "tcp", host: "::1", port: 11333 } });
    for (const text of ["", "rspamd", "localhost:11333", "127.0.0.1:11333 x"]) {
      assertEquals(parseRspamd(text).ok, false);
    }
  });
});
