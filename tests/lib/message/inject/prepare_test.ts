/**
 * What qmail-inject makes of headers, call by call.
 * @module
 */
import { tokenize } from "../../../../components/lib/address/token.ts";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import {
  injectOptions,
  type InjectVariable,
  injectVariables,
  parseInjectArguments,
} from "../../../../components/lib/message/inject/options.ts";
import { formatReturnPath, prepareMessage } from "../../../../components/lib/message/inject/prepare.ts";

const controls = { defaulthost: "h", defaultdomain: "example.com", plusdomain: "plus.example", idhost: "id.example" };
const moment = { unixSeconds: 1795332860, pid: 19510 };

interface Call {
  readonly args?: readonly string[];
  readonly env?: Readonly<Partial<Record<InjectVariable, string>>>;
  readonly fields?: readonly string[];
  readonly lists?: readonly string[];
}

function prepare({ args = [], env = {}, fields = [], lists = [] }: Call) {
  const parsed = parseInjectArguments(args);
  assert(parsed.ok);
  const environment = new Map(
    injectVariables.flatMap((name) => env[name] === undefined ? [] : [[name, env[name]] as const]),
  );
  const options = injectOptions(parsed.value, environment, controls);
  if (!options.ok) return options;
  return prepareMessage(fields.map((field) => `${field}\n`), options.value, moment, new Set(lists));
}

function prepared(call: Call) {
  const result = prepare(call);
  assert(result.ok, JSON.stringify(result));
  return { ...result.value, lines: result.value.header.split("\n").slice(0, -1) };
}

/** Fields that need no others. */
const whole = ["Date: d", "Message-ID: <m>", "From: a@b.c"];
const date = "22 Nov 2026 07:34:20 -0000";
const messageId = "<20261122073420.19510.qmail@id.example>";

describe("prepareMessage()", () => {
  it("completes a message to the letter", () => {
    const call = {
      env: {
        USER: "joe",
        QMAILNAME: "Joe Q. Public",
        QMAILHOST: "mail.example.com",
        QMAILDEFAULTHOST: "host",
        QMAILDEFAULTDOMAIN: "example.com",
        QMAILIDHOST: "id.example",
      },
      fields: [
        'To: alice.longname@example.com bob.longname@example.org, "Carol X." <carol@example.net>, dave@example.com (Dave), eve@x.example',
        "Subject: t",
      ],
    };
    assertEquals(prepared(call).lines, [
      `Date: ${date}`,
      `Message-ID: ${messageId}`,
      'From: "Joe Q. Public" <joe@mail.example.com>',
      "To: alice.longname@example.com, bob.longname@example.org,",
      '  "Carol X." <carol@example.net>, dave@example.com (Dave), eve@x.example',
      "Subject: t",
    ]);
    assertEquals(prepared(call).sender, "joe@mail.example.com");
    assertEquals(prepared(call).recipients, [
      "eve@x.example",
      "dave@example.com",
      "carol@example.net",
      "bob.longname@example.org",
      "alice.longname@example.com",
    ]);
  });

  it("has a name in a comment on request, a user in quotes where needed, and a list of recipients always", () => {
    const { lines, sender, recipients } = prepared({
      env: { QMAILINJECT: "c", USER: "joe blow", QMAILNAME: "Joe" },
      fields: ["Subject: x"],
    });
    assertEquals(lines.slice(2), [
      'From: "joe blow"@h.example.com (Joe)',
      "Cc: recipient list not shown: ;",
      "Subject: x",
    ]);
    assertEquals([sender, recipients], ["joe blow@h.example.com", []]);
    assertEquals(formatReturnPath(sender), '<"joe blow"@h.example.com>');
  });

  it("rewrites every kind of address", () => {
    const { lines } = prepared({
      fields: [
        ...whole,
        'To: <>, x@[], <foo.>, <@r1,@r2:z@host+>, box@h., "a b"@host, <pre.>, x@y@z, a . b @ c . d , @only, u@[1.2.3.4]',
      ],
    });
    assertEquals(lines.slice(3), [
      "To: <>, x@[], <foo@h.example.com>, <z@host.plus.example>, box@h.example.com,",
      '  "a b"@host.example.com, <pre@h.example.com>, x@y@z.example.com, a.b@c.d, ,',
      "  u@[1.2.3.4]",
    ]);
  });

  it("has all recipients and a sender that tells them and the message apart", () => {
    const { lines, sender, recipients } = prepared({
      args: ["-H", "arg1"],
      env: { QMAILINJECT: "rm", USER: "joe" },
      fields: [...whole, "To: a@h, <x@[]>, grp: c@d.e, g@h.i;", "Cc: foo+", "Bcc: q"],
    });
    assertEquals(lines.slice(3), ["To: a@h.example.com, <x@[]>, grp: c@d.e, g@h.i;", "Cc: foo+@h.example.com"]);
    assertEquals(sender, "joe-1795332860.19510-@h.example.com-@[]");
    assertEquals(recipients, [
      ...["arg1@h.example.com", "g@h.i", "c@d.e", "x@[]", "a@h.example.com"],
      ...["foo+@h.example.com", "q@h.example.com"],
    ]);
  });

  const recipients = [
    { args: ["-a", "x"], want: ["x@h.example.com"] },
    { args: ["-a"], want: [] },
    { args: ["-h", "x"], want: ["to@b.c", "cc@b.c", "bcc@b.c", "app@b.c"] },
    { args: ["-A", "x"], want: ["x@h.example.com"] },
    { args: [], want: ["to@b.c", "cc@b.c", "bcc@b.c", "app@b.c"] },
    { args: ["-H", "x", "y@b.c"], want: ["x@h.example.com", "y@b.c", "to@b.c", "cc@b.c", "bcc@b.c", "app@b.c"] },
  ];
  for (const { args, want } of recipients) {
    it(`takes the recipients that ${JSON.stringify(args)} asks for`, () => {
      const fields = ["TO: to@b.c", "cC: cc@b.c", "Bcc : bcc@b.c", "Apparently-To: app@b.c", "Reply-To: no@b.c"];
      assertEquals(prepared({ args, fields }).recipients, want);
    });
  }

  it("passes To and the like unchanged where they are wrong, with the recipients to the right of the error", () => {
    const fields = ["To: friends: a@b.c, d@e.f;, (((", "Cc: a:b@b.c, <c@d.e>, f@g.h", "Bcc: (", "Resent: x"];
    const { lines, recipients } = prepared({ fields: [...whole, ...fields] });
    assertEquals(lines.slice(3), ["To: friends: a@b.c, d@e.f;, (((", "Cc: a:b@b.c, <c@d.e>, f@g.h", "Resent: x"]);
    assertEquals(recipients, ["f@g.h", "c@d.e", "b@b.c"]);
  });

  for (const name of ["From", "Sender", "Reply-To", "Return-Path", "Errors-To", "Return-Receipt-To", "Resent-From"]) {
    it(`refuses a wrong ${name}`, () => {
      assertEquals(prepare({ fields: [`${name}: (((`, "To: a@b.c"] }), {
        ok: false,
        error: `unable to parse this line:\n${name}: (((`,
      });
    });
  }

  it("refuses arguments that are no address, and hosts of variables that are none", () => {
    const why = (call: Call) => {
      const result = prepare(call);
      return result.ok ? undefined : result.error;
    };
    assertEquals(why({ args: ["x@("] }), "unable to parse address: x@(");
    assertEquals(why({ args: ["-f", "x@a b", "y"] }), "unable to parse address: x@a b");
    assertEquals(why({ env: { QMAILHOST: "a b" } }), "a b");
    assertEquals(why({ env: { QMAILDEFAULTHOST: "x>,y@z" } }), "x>,y@z");
  });

  const senders: readonly (Call & { want: string })[] = [
    { want: "anonymous@h.example.com" },
    { env: { LOGNAME: "l" }, want: "l@h.example.com" },
    { env: { LOGNAME: "l", USER: "u" }, want: "u@h.example.com" },
    { env: { MAILUSER: "m", USER: "u" }, want: "m@h.example.com" },
    { env: { QMAILUSER: "q", MAILUSER: "m", MAILHOST: "m+", QMAILHOST: "x" }, want: "q@x.example.com" },
    { env: { USER: "u", MAILHOST: "m+" }, want: "u@m.plus.example" },
    { env: { USER: "" }, want: "anonymous@h.example.com" },
    { env: { USER: "u", QMAILSUSER: "s", QMAILSHOST: "t.example" }, want: "s@t.example" },
    { env: { USER: "u", QMAILINJECT: "r" }, want: "u-@h.example.com-@[]" },
    { env: { USER: "u", QMAILINJECT: "m" }, want: "u-1795332860.19510@h.example.com" },
    { env: { USER: "u" }, fields: ["Return-Path: <r@host>"], want: "r@host.example.com" },
    { env: { USER: "u" }, fields: ["Return-Path: <>"], want: "" },
    { env: { USER: "u", QMAILINJECT: "s" }, fields: ["Return-Path: <r@host>"], want: "u@h.example.com" },
    { env: { USER: "u", QMAILINJECT: "s" }, fields: ["Return-Path: ((("], want: "u@h.example.com" },
    { env: { QMAILINJECT: "rm" }, fields: ["Return-Path: <r@host>"], want: "r@host.example.com-@[]" },
    { env: { QMAILINJECT: "r" }, fields: ["Return-Path: <>"], want: "" },
    { args: ["-f", "f@host"], env: { QMAILINJECT: "rm" }, fields: ["Return-Path: <r@x>"], want: "f@host.example.com" },
    { args: ["-f", ""], env: { USER: "u" }, want: "" },
    { args: ["-f<>"], env: { USER: "u" }, want: "" },
    { args: ["-f", "<;id>@x.y"], want: "<;id>@x.y" },
  ];
  for (const { want, ...call } of senders) {
    it(`has the sender ${JSON.stringify(want)} for ${JSON.stringify(call)}`, () => {
      assertEquals(prepared(call).sender, want);
      assert(!prepared(call).header.includes("Return-Path"));
    });
  }

  it("has nobody see Bcc, Return-Path and Content-Length, and leaves other fields alone", () => {
    const fields = [
      "Bcc: a@b.c",
      "Resent: x",
      "content-length: 7",
      "Mail-Reply-To: x y",
      "X-\xff:\0 \rz",
      "__proto__: a",
    ];
    assertEquals(prepared({ fields: [...whole, "To: a@b.c", ...fields] }).lines.slice(3), [
      ...["To: a@b.c", "Resent: x", "Mail-Reply-To: x y", "X-\xff:\0 \rz", "__proto__: a"],
    ]);
  });

  it("replaces From and Message-ID on request", () => {
    const { lines } = prepared({ env: { QMAILINJECT: "fi", USER: "u" }, fields: [...whole, "To: a@b.c", "X: y"] });
    assertEquals(lines, [`Message-ID: ${messageId}`, "From: u@h.example.com", "Date: d", "To: a@b.c", "X: y"]);
  });

  it("writes the name that comes first, as a quoted string, and none where it is empty", () => {
    const from = (env: Call["env"]) =>
      prepared({ env: { USER: "u", ...env } }).lines.find((line) => line.startsWith("From"));
    assertEquals(from({ NAME: "N", MAILNAME: "M" }), 'From: "M" <u@h.example.com>');
    assertEquals(from({ QMAILNAME: "", NAME: "N" }), "From: u@h.example.com");
    assertEquals(from({ NAME: 'J "B" \xe9\\' }), 'From: "J \\"B\\" \xe9\\\\" <u@h.example.com>');
    assertEquals(from({ NAME: "x)(y", QMAILINJECT: "c" }), "From: u@h.example.com (x\\)\\(y)");
  });

  describe("for a message that is sent on", () => {
    it("adds only what tells who sends it on, to those of Resent-To", () => {
      const { lines, recipients } = prepared({
        env: { USER: "u" },
        fields: ["Resent-To: r@s", "To: a@b.c", "Cc: (", "Bcc: b@b.c"],
      });
      assertEquals(lines, [
        `Resent-Date: ${date}`,
        `Resent-Message-ID: ${messageId}`,
        "Resent-From: u@h.example.com",
        "Resent-To: r@s.example.com",
        "To: a@b.c",
        "Cc: (",
      ]);
      assertEquals(recipients, ["r@s.example.com"]);
    });

    it("hides Resent-Bcc, and keeps From and Message-ID whatever is asked for", () => {
      const { lines, recipients } = prepared({
        env: { USER: "u", QMAILINJECT: "fi" },
        fields: ["Resent-Bcc: r@s.t", "Resent-Date: d", "Resent-Message-ID: m", "From: a@b.c", "Message-ID: n"],
      });
      assertEquals(lines, [
        "Resent-From: u@h.example.com",
        "Resent-Cc: recipient list not shown: ;",
        ...["Resent-Date: d", "Resent-Message-ID: m", "From: a@b.c", "Message-ID: n"],
      ]);
      assertEquals(recipients, ["r@s.t"]);
    });
  });

  describe("with lists in QMAILMFTFILE", () => {
    const fields = [...whole, "To: L1@x.example, B <b@c.example>", "Cc: d@e.example"];
    const followup = "Mail-Followup-To: d@e.example,\n  L1@x.example,\n  b@c.example\n";

    it("asks for answers to all but who reads the list", () => {
      assert(prepared({ fields, lists: ["l1@x.example"] }).header.startsWith(followup));
    });

    it("does not where no list is addressed, the field is there, or the message is sent on", () => {
      const field = (call: Call) => /^Mail-Followup-To: .*$/m.exec(prepared(call).header)?.[0];
      assertEquals(field({ fields, lists: ["l2@x.example"] }), undefined);
      assertEquals(field({ fields: [...fields, "mail-followup-to: x"], lists: ["l1@x.example"] }), undefined);
      assertEquals(field({ fields: [...fields, "Resent-To: x"], lists: ["l1@x.example"] }), undefined);
    });
  });

  it("makes no second line of any value it puts in", () => {
    const hostile = "x\r\nBcc: evil@x.example\n\nbody";
    const names: readonly InjectVariable[] = ["USER", "NAME", "QMAILSUSER", "QMAILIDHOST"];
    for (const name of names) {
      for (const QMAILINJECT of ["", "c", "r", "m"]) {
        const { header, sender } = prepared({ env: { [name]: hostile, QMAILINJECT } });
        assertEquals(header.split("\n").length, 5, name);
        assert(!/[\r\n]/.test(sender) && !/\r/.test(header));
      }
    }
    for (const name of ["QMAILHOST", "QMAILSHOST", "QMAILDEFAULTHOST", "QMAILDEFAULTDOMAIN", "QMAILPLUSDOMAIN"]) {
      assertEquals(prepare({ env: { [name]: hostile } }).ok, false, name);
    }
    assertEquals(prepare({ args: [hostile] }).ok, false);
    assertEquals(prepare({ args: ["-f", hostile] }).ok, false);
  });

  function hasOddDot(field: string): boolean {
    const kinds = tokenize(field.slice(field.indexOf(":") + 1))?.map(({ kind }) => kind).filter((kind) =>
      kind !== "comment"
    );
    return kinds?.some((kind, at) => kind === "." && [".", "@"].includes(kinds[at + 1]!)) === true;
  }

  it("throws for no fields, puts no NUL or line end into the envelope, and changes nothing the second time", () => {
    const value = fc.string({ unit: fc.constantFrom(...'ab.,@<>:;()[]"\\ \t\r\0\xff+'), maxLength: 40 });
    const name = fc.constantFrom("To", "Cc", "Bcc", "From", "Reply-To", "Return-Path", "Resent-To", "X", "__proto__");
    const fields = fc.array(fc.tuple(name, value).map(([name, value]) => `${name}: ${value}`), { maxLength: 5 });
    fc.assert(
      fc.property(fields, (fields) => {
        const result = prepare({ fields });
        if (!result.ok) return;
        const { header, sender, recipients } = result.value;
        assert([sender, ...recipients].every((address) => !/[\n\0]/.test(address)));
        // qmail takes off one dot, then one "@": a dot in front of it stands at the end the next time.
        if (fields.some(hasOddDot)) return;
        const again = prepare({ fields: header.split(/\n(?![ \t])/).slice(0, -1) });
        assert(again.ok);
        assertEquals(again.value.header, header);
      }),
      { numRuns: 500 },
    );
  });
});

describe("parseInjectArguments()", () => {
  const table = [
    {
      args: ["-nf", "a@b", "-H", "x"],
      want: { print: true, recipientsFrom: "both", sender: "a@b", recipients: ["x"] },
    },
    { args: ["-nNhA"], want: { print: false, recipientsFrom: "either", sender: undefined, recipients: [] } },
    {
      args: ["-fa@b", "--", "-x"],
      want: { print: false, recipientsFrom: "either", sender: "a@b", recipients: ["-x"] },
    },
    { args: ["x", "-n"], want: { print: false, recipientsFrom: "either", sender: undefined, recipients: ["x", "-n"] } },
    { args: ["-"], want: { print: false, recipientsFrom: "either", sender: undefined, recipients: ["-"] } },
    { args: ["-a", ""], want: { print: false, recipientsFrom: "arguments", sender: undefined, recipients: [""] } },
  ];
  for (const { args, want } of table) {
    it(`reads ${JSON.stringify(args)}`, () => {
      const parsed = parseInjectArguments(args);
      assertEquals(parsed.ok && { ...parsed.value }, want as unknown);
    });
  }
  for (const args of [["-x"], ["-f"], ["-nf"]]) {
    it(`refuses ${JSON.stringify(args)}`, () => assertEquals(parseInjectArguments(args).ok, false));
  }
});
