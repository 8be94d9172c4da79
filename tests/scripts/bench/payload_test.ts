import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { buildPayload, findNumber, stampNumber } from "../../../scripts/bench/payload.ts";

const date = "Sun, 22 Nov 2026 07:00:00 +0000";
const textOf = (octets: Uint8Array) => new TextDecoder().decode(octets);

describe("buildPayload()", () => {
  for (const sizeBytes of [400, 401, 402, 477, 478, 479, 480, 1024, 10_240, 1_000_001]) {
    it(`makes a message of exactly ${sizeBytes} bytes, in short lines that end by CRLF, and the final dot`, () => {
      const text = textOf(buildPayload(sizeBytes, date).octets);
      assertEquals(text.length, sizeBytes + ".\r\n".length);
      assert(text.endsWith("\r\n.\r\n"));
      const lines = text.slice(0, -".\r\n".length).split("\r\n");
      assert(lines.every((line) => line.length <= 78 && !/^\.|[\r\n]/.test(line)));
    });
  }

  it("grows by the signature in front, and then has no number in a field that one covers", () => {
    const signature = "DKIM-Signature: v=1\r\n";
    const payload = buildPayload(1000, date, signature);
    const octets = payload.octets.slice();
    stampNumber(octets, payload, 42);
    const text = textOf(octets);
    assertEquals(text.length, 1000 + signature.length + ".\r\n".length);
    assert(text.startsWith(signature) && text.includes("Message-ID: <0000000000@source.example>"));
    assertEquals(findNumber(text), 42);
  });

  it("has at least its header", () => {
    assert(textOf(buildPayload(0, date).octets).endsWith("\r\n\r\n.\r\n"));
  });
});

describe("stampNumber()", () => {
  it("writes a number that findNumber() reads, and changes nothing of the payload itself", () => {
    const payload = buildPayload(1000, date);
    const octets = payload.octets.slice();
    for (const running of [0, 7, 1_234_567_890, 42]) {
      stampNumber(octets, payload, running);
      assertEquals(findNumber(`Received: from there\r\n${textOf(octets)}`), running);
      assert(textOf(octets).includes(`Message-ID: <${String(running).padStart(10, "0")}@source.example>`));
    }
    assertEquals(findNumber(textOf(payload.octets)), 0);
  });
});

describe("findNumber()", () => {
  const rows: { head: string; want: number | undefined }[] = [
    { head: "X-Bench-Number: 0000000012\r\n", want: 12 },
    { head: "Received: x\nX-Bench-Number: 0000000012\n\nbody", want: 12 },
    { head: "Subject: failure notice\r\n\r\n", want: undefined },
    { head: "X-Bench-Number: 12\r\n", want: undefined },
    { head: "Subject: X-Bench-Number: 0000000012\r\n", want: undefined },
  ];
  for (const { head, want } of rows) {
    it(`finds ${want} in ${JSON.stringify(head)}`, () => assertEquals(findNumber(head), want));
  }
});
