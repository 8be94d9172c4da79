/** What a host is by its control files. */
import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { examineTls } from "../../../components/lib/doctor/tls.ts";
import { type SiteControls, siteOf } from "../../../components/lib/doctor/site.ts";
import { asking } from "./zone.ts";

const controls: SiteControls = {
  me: "mail.a.example",
  helohost: "helo.a.example",
  locals: ["a.example"],
  virtualdomains: new Map([["v.example", "v"]]),
  rcpthosts: ["a.example", "v.example", "away.example"],
  outgoingip: [],
  domainips: new Map(),
  dkim: new Map([["a.example", [{ name: "s1", from: "" }]]]),
  mxprivate: false,
};
const nothing = { named: [], namedBy: "--ip", own: [] };

describe("siteOf()", () => {
  it("says who takes mail for the domain", () => {
    const why = (domain: string) => siteOf(controls, domain, nothing).notTaken;
    assertEquals([why("a.example"), why("v.example")], [undefined, undefined]);
    assertEquals(
      why("away.example"),
      "neither control/locals nor control/virtualdomains names it, so mail for it goes on to its MX",
    );
    assertEquals(why("x.example"), "control/rcpthosts does not name it, so mail for it is refused");
  });

  it("takes the addresses that were named, then those of the control files, then public ones of the machine", () => {
    const own = ["127.0.0.1", "10.0.0.1", "203.0.114.5", "2001:4860:0::1", "x"];
    const of = (outgoingip: readonly string[], named: readonly string[]) => {
      const { addresses, addressesFrom } = siteOf({ ...controls, outgoingip: [...outgoingip] }, "a.example", {
        ...nothing,
        own,
        named,
      });
      return [addressesFrom, ...addresses];
    };
    assertEquals(of(["203.0.114.6"], ["203.0.114.7", "::ffff:203.0.114.7"]), ["--ip", "203.0.114.7"]);
    assertEquals(of(["203.0.114.6"], []), ["control/domainips and outgoingip", "203.0.114.6"]);
    assertEquals(of([], []), ["this machine's interfaces", "203.0.114.5", "2001:4860::1"]);
  });

  it("knows which keys sign, and has seen neither them nor the certificate", async () => {
    const site = siteOf(controls, "news.a.example", nothing);
    assertEquals(site.keys, [{ domain: "a.example", selector: { name: "s1", from: "" }, record: "unseen" }]);
    const [finding, ...more] = await examineTls(site, [], asking({}), 0);
    assertEquals([finding?.state, more], ["note", []]);
  });
});
