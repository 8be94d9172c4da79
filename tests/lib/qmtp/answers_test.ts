import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { answerLike, answerTo } from "../../../components/lib/qmtp/answers.ts";
import { AnswerReader, frameMail } from "../../../components/lib/qmtp/qmqp_client.ts";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";

describe("answerLike()", () => {
  const rows = [
    {
      reply: "553 5.7.1 sorry, that domain isn't in my list of allowed rcpthosts",
      want: "Dsorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
    },
    { reply: "451 4.3.0 later", want: "Zlater (#4.3.0)" },
    { reply: "550 no", want: "Dno" },
    { reply: "421 bye\r\n250 ok", want: "Zbye 250 ok" },
    { reply: "250 2.0.0 not a refusal", want: "Znot a refusal (#2.0.0)" },
    { reply: "", want: "Z" },
    { reply: "go away", want: "Zgo away" },
  ];
  for (const { reply, want } of rows) {
    it(`makes ${JSON.stringify(want)} of ${JSON.stringify(reply)}`, () => {
      assertEquals(answerLike(reply), want);
    });
  }
});

describe("answerTo()", () => {
  const rows = [
    [0, "Kok 12 qp 34"],
    [11, "Denvelope address too long for qq (#5.1.3)"],
    [31, "Dmail server permanently rejected message (#5.3.0)"],
    [53, "Zqq write error or disk full (#4.3.0)"],
    [74, "Zcommunication with mail server failed (#4.4.2)"],
    [99, "Zqq temporary problem (#4.3.0)"],
  ] as const;
  for (const [code, want] of rows) {
    it(`says ${want} for the queue's ${code}`, () => {
      assertEquals(answerTo({ kind: "queue", code, qp: 34, unixSeconds: 12 }), want);
    });
  }
});

describe("AnswerReader", () => {
  const rows: readonly (readonly [string, number | undefined])[] = [
    ["23:Kok 1795331970 qp 24135,", 0],
    ["5:Zwhy?,", 71],
    ["3:Dno,", 31],
    ["1:K", 0],
    ["23:", undefined],
    ["2", undefined],
    ["", undefined],
    ["220 mx.example.com ESMTP\r\n", 74],
    ["K", 74],
    ["4:What,", 74],
    ["99999999999999999999", 74],
  ];
  for (const [answer, want] of rows) {
    it(`makes ${want} of ${JSON.stringify(answer)}, at once and octet by octet`, () => {
      assertEquals(new AnswerReader().push(toOctets(answer)), want);
      const reader = new AnswerReader();
      let code: number | undefined;
      for (const octet of answer) code ??= reader.push(toOctets(octet));
      assertEquals(code, want);
    });
  }
});

describe("frameMail()", () => {
  it("makes the octets that qmail's interface shows", () => {
    const text = "Subject: t\n\nhi\n";
    const frame = frameMail(text.length, { sender: "s@d.org", recipients: ["a@example.com", "b@other.org"] })!;
    assertEquals(
      fromOctets(frame.head) + text + fromOctets(frame.tail),
      "61:15:Subject: t\n\nhi\n,7:s@d.org,13:a@example.com,11:b@other.org,,",
    );
  });

  it("makes none of a message that no server takes", () => {
    assertEquals(frameMail(200_000_000, { sender: "", recipients: [] }), undefined);
  });
});
