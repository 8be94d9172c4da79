import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  formatMessageOptions,
  formatNotify,
  type MessageOptions,
  type Notify,
  parseMessageOptions,
  parseNotify,
  type RecipientOptions,
  saysSomething,
  selectRecipients,
} from "../../../components/lib/queue/message_options.ts";

/** Octet strings. */
const anyOctets = fc.uint8Array({ maxLength: 40 }).map((octets) => String.fromCharCode(...octets));
const anyNotify = fc.oneof(
  fc.constant<Notify>({ never: true, success: false, failure: false, delay: false }),
  fc.record({ never: fc.constant(false), success: fc.boolean(), failure: fc.boolean(), delay: fc.boolean() }, {
    noNullPrototype: true,
  })
    .filter(({ success, failure, delay }) => success || failure || delay),
);
const anyRecipient: fc.Arbitrary<RecipientOptions> = fc.record({ notify: anyNotify, orcpt: anyOctets }, {
  requiredKeys: [],
  noNullPrototype: true,
});
const anyMail = fc.record({
  addresses: fc.array(anyOctets, { maxLength: 6 }),
  whole: fc.record({
    ret: fc.constantFrom("FULL" as const, "HDRS" as const),
    envid: anyOctets,
    requireTls: fc.constant(true),
    smtputf8: fc.constant(true),
    body: fc.constantFrom("8BITMIME" as const, "BINARYMIME" as const),
  }, { requiredKeys: [], noNullPrototype: true }),
  recipients: fc.dictionary(fc.nat(5).map(String), anyRecipient),
}).map(({ addresses, whole, recipients }) => {
  const places = Object.entries(recipients).map(([place, one]) => [Number(place), one] as const);
  const options: MessageOptions = { ...whole, recipients: new Map(places.filter(([at]) => at < addresses.length)) };
  return { addresses, options };
});

describe("formatMessageOptions()", () => {
  it("writes what its module says", () => {
    const notify = { never: false, success: true, failure: false, delay: true };
    const recipients = new Map([[0, { notify, orcpt: "rfc822;Bob@b.example" }], [2, {}]]);
    const options = { ret: "HDRS", envid: "QQ\r\n=", requireTls: true, smtputf8: true, body: "8BITMIME", recipients };
    assertEquals(
      formatMessageOptions(options as MessageOptions, ["bob@b.example", "x", "eve\n@e.example"]),
      "dqo1\nRET=HDRS\nENVID=QQ+0D+0A+3D\nREQUIRETLS\nSMTPUTF8\nBODY=8BITMIME\n" +
        "RCPT 0 bob@b.example NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob@b.example\nRCPT 2 eve+0A@e.example\n",
    );
  });

  it("writes lines of printable ASCII, whatever the client chose", () => {
    fc.assert(fc.property(anyMail, ({ options, addresses }) => {
      assert(/^(?:[ -~]*\n)+$/.test(formatMessageOptions(options, addresses)));
    }));
  });
});

describe("parseMessageOptions()", () => {
  it("is the inverse of formatMessageOptions(), and knows each recipient's address", () => {
    fc.assert(fc.property(anyMail, ({ options, addresses }) => {
      const parsed = parseMessageOptions(formatMessageOptions(options, addresses));
      const recipients = new Map(
        Array.from(options.recipients, ([place, one]) => [place, { ...one, address: addresses[place]! }]),
      );
      assertEquals(parsed, { ok: true, value: { ...options, recipients } });
    }));
  });

  const refused = [
    ...["", "\n", "dqo1", "dqo2\n", "dqo1\n\n", "dqo1\nRET=full\n", "dqo1\nRET=FULL", "DQO1\n", "dqo1\r\n"],
    ...["dqo1\nENVID=+0a\n", "dqo1\nENVID=a b\n", "dqo1\nBODY=7BIT\n", "dqo1\nrequiretls\n", "dqo1\n__proto__=1\n"],
    ...["dqo1\nRCPT\n", "dqo1\nRCPT 0\nRCPT 0 a\n", "dqo1\nRCPT x a\n", "dqo1\nRCPT 00 a\n", "dqo1\nRCPT -1 a\n"],
    ...["dqo1\nRCPT 0 a NOTIFY=\n", "dqo1\nRCPT 0 a NOTIFY=NEVER,DELAY\n", "dqo1\nRCPT 0 a ORCPT=b c\n"],
    ...["dqo1\nRCPT 0 a__proto__\nRCPT 0 b\n", "dqo1\nRCPT 0 a X=1\n", "dqo1\nRCPT 0 a \n", "dqo1\nRCPT 1e3 a\n"],
  ];
  for (const text of refused) {
    it(`refuses ${JSON.stringify(text)}`, () => assertEquals(parseMessageOptions(text).ok, false));
  }

  it("ends on any octets, behind its first line, too", () => {
    fc.assert(fc.property(fc.uint8Array(), (octets) => {
      const text = String.fromCharCode(...octets);
      for (const start of ["", "dqo1\n", "dqo1\nRCPT "]) parseMessageOptions(start + text);
    }));
  });
});

describe("parseNotify()", () => {
  it("is the inverse of formatNotify()", () => {
    fc.assert(fc.property(anyNotify, (notify) => {
      assertEquals(parseNotify(formatNotify(notify)), { ok: true, value: notify });
    }));
  });

  for (const text of ["", ",", "NEVER,FAILURE", "SUCCESS,", "SUCCESS,SUCCESS", "success", "NEVER ", "constructor"]) {
    it(`refuses ${JSON.stringify(text)}`, () => assertEquals(parseNotify(text).ok, false));
  }
});

describe("saysSomething()", () => {
  const recipients = new Map();
  const rows: readonly [MessageOptions, boolean][] = [
    [{ recipients }, false],
    [{ body: "8BITMIME", recipients }, false],
    [{ requireTls: false, smtputf8: false, recipients }, false],
    [{ body: "BINARYMIME", recipients }, true],
    [{ ret: "FULL", recipients }, true],
    [{ envid: "", recipients }, true],
    [{ requireTls: true, recipients }, true],
    [{ smtputf8: true, recipients }, true],
    [{ recipients: new Map([[3, {}]]) }, true],
  ];
  for (const [options, want] of rows) {
    it(`is ${want} of ${JSON.stringify(options)}`, () => assertEquals(saysSomething(options), want));
  }
});

describe("selectRecipients()", () => {
  it("keeps those asked for, by their places among themselves, and all else", () => {
    const options = {
      envid: "e",
      recipients: new Map([[0, { orcpt: "a" }], [2, { orcpt: "c" }], [5, { orcpt: "f" }]]),
    };
    assertEquals(selectRecipients(options, [5, 1, 0]), {
      envid: "e",
      recipients: new Map([[0, { orcpt: "f" }], [2, { orcpt: "a" }]]),
    });
  });
});
