import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Outcome, outcomeOf, toldBy } from "../../components/qmail-send/outcome.ts";
import { type DeliveryReport, type Verdict, verdicts } from "../../components/lib/wire/delivery_protocol.ts";

const report = (verdict: Verdict, text: string): DeliveryReport => ({ verdict, text: `${text}\n` });
const accepted = report("K", "192.0.2.1 accepted message.\nRemote host said: 250 ok");
const refused = report("D", "192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 who?");
const greylisted = report("Z", "192.0.2.1 does not like recipient.\nRemote host said: 451 4.7.1 later");
const bareReply = report("Z", "192.0.2.1 does not like recipient.\nRemote host said: 450 later");
const noConnection = report("Z", "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)");
const died = report("Z", "Connected to 192.0.2.1 but connection died. (#4.4.2)");
const timedOut = report("Z", "Connected to 192.0.2.1 but greeting failed.\nRemote host said: 421 4.4.2 timeout");
const refusedThenDied = report("D", refused.text + died.text);
const ownTrouble = report("Z", "Unable to open message. (#4.3.0)");
const noNameServer = report("Z", "Sorry, I couldn't find any host by that name. (#4.1.2)");

/** A deferral with a reply, at a step of the dialogue. */
const steps = {
  greeting: "Connected to 192.0.2.1 but greeting failed.",
  mail: "Connected to 192.0.2.1 but sender was rejected.",
  rcpt: "192.0.2.1 does not like recipient.",
  data: "192.0.2.1 failed on DATA command.",
  dot: "192.0.2.1 failed after I sent the message.",
};
const deferred = (step: keyof typeof steps, reply: string) => report("Z", `${steps[step]}\nRemote host said: ${reply}`);
const next = (code: number) => ({
  site: "Provider.Example",
  host: "mx.provider.example",
  ip: "192.0.2.1",
  tls: "",
  code,
});

describe("outcomeOf()", () => {
  const rows: readonly {
    readonly what: string;
    readonly reports: readonly DeliveryReport[];
    readonly want: Outcome;
  }[] = [
    { what: "success", reports: [accepted], want: "answered" },
    { what: "a refusal", reports: [refused], want: "answered" },
    { what: "a deferral the server asked for", reports: [greylisted], want: "answered" },
    { what: "a deferral without a status of its own", reports: [bareReply], want: "answered" },
    { what: "no connection", reports: [noConnection, noConnection], want: "unreachable" },
    { what: "a connection that died", reports: [died], want: "unreachable" },
    { what: "a server that says its network is in trouble", reports: [timedOut], want: "unreachable" },
    { what: "one answer before the connection died", reports: [died, greylisted, died], want: "answered" },
    { what: "a refusal before the connection died", reports: [died, refusedThenDied], want: "answered" },
    { what: "trouble of our own", reports: [ownTrouble], want: "unknown" },
    { what: "a name that could not be looked up", reports: [noNameServer], want: "unknown" },
    { what: "421 in the greeting", reports: [deferred("greeting", "421 too many")], want: "overloaded" },
    { what: "421 to a recipient", reports: [deferred("rcpt", "421 4.7.0 closing")], want: "overloaded" },
    { what: "421 beside success", reports: [accepted, deferred("rcpt", "421 4.7.0 closing")], want: "overloaded" },
    { what: "421 of which the texts tell nothing", reports: [{ ...died, next: next(421) }], want: "unreachable" },
    { what: "421 after recipients were refused", reports: [{ ...refused, next: next(421) }], want: "overloaded" },
    { what: "450 in the greeting", reports: [deferred("greeting", "450 later")], want: "overloaded" },
    { what: "451 to MAIL", reports: [deferred("mail", "451 4.7.1 slow down")], want: "overloaded" },
    { what: "452 to MAIL for want of room", reports: [deferred("mail", "452 4.3.1 full")], want: "overloaded" },
    { what: "451 to DATA", reports: [deferred("data", "451 4.3.0 trouble")], want: "overloaded" },
    { what: "451 to the message", reports: [deferred("dot", "451 4.7.0 later")], want: "overloaded" },
    { what: "451 to what is in it", reports: [deferred("dot", "451 4.6.0 content")], want: "answered" },
    { what: "454 to MAIL", reports: [deferred("mail", "454 4.7.0 TLS not available")], want: "answered" },
    { what: "greylisting of some", reports: [accepted, greylisted, greylisted], want: "answered" },
    { what: "greylisting of all", reports: [greylisted, deferred("rcpt", "450 4.2.0 greylisted")], want: "answered" },
    { what: "a full mailbox", reports: [deferred("rcpt", "452 4.2.2 over quota")], want: "answered" },
    { what: "too many recipients", reports: [accepted, deferred("rcpt", "452 4.5.3 too many")], want: "answered" },
    { what: "a flood at RCPT", reports: [deferred("rcpt", "450 4.7.28 later")], want: "overloaded" },
    { what: "a busy provider at RCPT", reports: [deferred("rcpt", "451 4.7.500 later")], want: "overloaded" },
    { what: "a rate's words at RCPT", reports: [deferred("rcpt", "450 4.2.1 Rate limit hit")], want: "overloaded" },
    {
      what: "such words on its second line",
      reports: [deferred("rcpt", "450-4.2.1 no\n450 too fast")],
      want: "overloaded",
    },
    {
      what: "such words in a refusal",
      reports: [report("D", `${steps.rcpt}\nRemote host said: 550 too fast`)],
      want: "answered",
    },
    { what: "trouble of our own beside no connection", reports: [noConnection, ownTrouble], want: "unknown" },
  ];
  for (const { what, reports, want } of rows) {
    it(`takes ${what} for "${want}"`, () => assertEquals(outcomeOf({ lost: false, reports }), want));
  }

  it("knows nothing of a delivery that is lost", () => {
    assertEquals(outcomeOf({ lost: true, reports: [noConnection] }), "unknown");
  });

  it("says something about whatever text a server sends", () => {
    const anyReport = fc.record({ verdict: fc.constantFrom(...verdicts), text: fc.string({ unit: "binary" }) });
    fc.assert(fc.property(fc.array(anyReport, { minLength: 1 }), (reports) => {
      const outcome = outcomeOf({ lost: false, reports });
      if (reports.every(({ verdict }) => verdict !== "Z")) assertEquals(outcome, "answered");
    }));
  });
});

describe("toldBy()", () => {
  it("tells the site in lower case, and code and text of the first who did not get it", () => {
    const reports = [{ ...accepted, next: next(450) }, { ...greylisted, next: next(450) }, refused];
    assertEquals(toldBy({ lost: false, reports }), { site: "provider.example", code: 450, error: greylisted.text });
  });

  it("tells nothing where nothing is known", () => {
    assertEquals(toldBy({ lost: true, reports: [accepted] }), { site: "", code: 0, error: undefined });
  });
});
