import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Outcome, outcomeOf } from "../../components/qmail-send/outcome.ts";
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
      if (reports.some(({ verdict }) => verdict !== "Z")) assertEquals(outcome, "answered");
    }));
  });
});
