import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  queueReceived,
  receivedProtocol,
  smtpReceived,
  type SmtpTrace,
} from "../../../components/lib/message/received.ts";

const trace: SmtpTrace = {
  helo: "client.example",
  remoteHost: "host.example",
  remoteIp: "198.51.100.7",
  by: "mx.example.com",
  protocol: "ESMTP",
  unixSeconds: 1795333684,
};

describe("smtpReceived()", () => {
  const by = "\n  by mx.example.com with ESMTP; 22 Nov 2026 07:48:04 +0000\n";
  const table: { change: Partial<SmtpTrace>; want: string }[] = [
    { change: {}, want: `Received: from client.example (host.example [198.51.100.7])${by}` },
    { change: { remoteHost: undefined }, want: `Received: from client.example ([198.51.100.7])${by}` },
    { change: { remoteHost: "" }, want: `Received: from client.example ([198.51.100.7])${by}` },
    {
      change: { remoteIp: "2001:db8::1" },
      want: `Received: from client.example (host.example [IPv6:2001:db8::1])${by}`,
    },
    { change: { helo: "" }, want: `Received: from unknown (host.example [198.51.100.7])${by}` },
    { change: { helo: "[192.0.2.1]" }, want: `Received: from [192.0.2.1] (host.example [198.51.100.7])${by}` },
    { change: { helo: "we ird(x)" }, want: `Received: from we?ird?x? (host.example [198.51.100.7])${by}` },
    { change: { helo: "a\r\nBcc: x@y" }, want: `Received: from a??Bcc:?x@y (host.example [198.51.100.7])${by}` },
    { change: { remoteHost: "a;b\xe9" }, want: `Received: from client.example (a?b? [198.51.100.7])${by}` },
    {
      change: { tls: "TLSv1.3 TLS_AES\n(x)", protocol: "ESMTPSA" },
      want: "Received: from client.example (host.example [198.51.100.7])\n" +
        "  by mx.example.com with ESMTPSA (TLSv1.3 TLS_AES??x?); 22 Nov 2026 07:48:04 +0000\n",
    },
    {
      change: { id: "17", protocol: "SMTP" },
      want: "Received: from client.example (host.example [198.51.100.7])\n" +
        "  by mx.example.com with SMTP id 17; 22 Nov 2026 07:48:04 +0000\n",
    },
  ];
  for (const { change, want } of table) {
    it(`writes ${JSON.stringify(change)}`, () => assertEquals(smtpReceived({ ...trace, ...change }), want));
  }

  it("is two lines of printable octets whatever the client says", () => {
    const octets = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
    fc.assert(fc.property(octets, octets, octets, (helo, remoteHost, id) => {
      const field = smtpReceived({ ...trace, helo, remoteHost, id });
      assert(/^Received: from [!-~]+ \([ -~]+\)\n {2}by [ -~]+\n$/.test(field));
      assertEquals(field.split(/[();]/).length, 4);
    }));
  });
});

describe("queueReceived()", () => {
  it("writes qmail's line", () => {
    const line = queueReceived({ qp: 27873, how: "for bounce", unixSeconds: 1795333684 });
    assertEquals(line, "Received: (qmail 27873 invoked for bounce); 22 Nov 2026 07:48:04 -0000\n");
    const byUid = queueReceived({ qp: 1, how: `by uid ${1000}`, unixSeconds: 0 });
    assertEquals(byUid, "Received: (qmail 1 invoked by uid 1000); 1 Jan 1970 00:00:00 -0000\n");
  });
});

describe("receivedProtocol()", () => {
  const plain = { lmtp: false, esmtp: false, tls: false, login: false, smtputf8: false };
  const table = [
    { change: {}, want: "SMTP" },
    { change: { esmtp: true }, want: "ESMTP" },
    { change: { esmtp: true, tls: true }, want: "ESMTPS" },
    { change: { esmtp: true, login: true }, want: "ESMTPA" },
    { change: { esmtp: true, tls: true, login: true }, want: "ESMTPSA" },
    { change: { tls: true }, want: "ESMTPS" },
    { change: { lmtp: true }, want: "LMTP" },
    { change: { lmtp: true, tls: true, login: true }, want: "LMTPSA" },
    { change: { smtputf8: true }, want: "UTF8SMTP" },
    { change: { smtputf8: true, tls: true, login: true }, want: "UTF8SMTPSA" },
    { change: { lmtp: true, smtputf8: true }, want: "UTF8LMTP" },
  ];
  for (const { change, want } of table) {
    it(`is ${want} for ${Object.keys(change).join(", ") || "HELO"}`, () => {
      assertEquals(receivedProtocol({ ...plain, ...change }), want);
    });
  }
});
