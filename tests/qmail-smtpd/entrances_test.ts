import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Entrance, Policy } from "../../components/lib/policy/decision.ts";
import type { Authenticator } from "../../components/lib/sasl/authenticator.ts";
import { Entrances } from "../../components/qmail-smtpd/entrances.ts";
import type { Controls } from "../../config/schema.ts";
import { makeHome } from "./world.ts";

function controlsWith(texts: Readonly<Record<string, string>>): Controls {
  const { home, controls } = makeHome(texts);
  Deno.removeSync(home.dir, { recursive: true });
  return controls;
}

const authenticator: Authenticator = {
  mechanisms: ["PLAIN"],
  start: () => {
    throw new Error("nobody logs in here");
  },
};

function entrancesOf(texts: Readonly<Record<string, string>> = {}, isStressed = () => false): Entrances {
  const controls = controlsWith(texts);
  return new Entrances({ controls, policy: {} as Policy, contexts: undefined, authenticator, isStressed });
}

describe("Entrances", () => {
  const rows = [
    ["smtp", "smtp", []],
    ["submission", "submission", ["PLAIN"]],
    ["submissions", "submission", ["PLAIN"]],
    ["lmtp", "lmtp", []],
  ] as const;
  for (const [entrance, dialect, mechanisms] of rows) {
    it(`has ${entrance} speak ${dialect}${mechanisms.length > 0 ? ", and log in" : ""}`, () => {
      const entrances = entrancesOf();
      const { settings, authenticator } = entrances.valuesFor(entrance, entrances.visitors.at("192.0.2.1"), true);
      assertEquals([settings.dialect, settings.mechanisms], [dialect, mechanisms]);
      assertEquals(authenticator === undefined, mechanisms.length === 0);
    });
  }

  it("has strangers hurry under stress, those too that wait already, and nobody who has logged in", () => {
    let isStressed = false;
    const entrances = entrancesOf({}, () => isStressed);
    const visitor = entrances.visitors.at("192.0.2.1");
    const stranger = entrances.valuesFor("smtp", visitor, true);
    const good = entrances.valuesFor("smtp", visitor, false);
    const patience = (values: typeof good) => [
      values.timeoutSeconds,
      values.settings.mostErrors,
      values.timeoutAfterLoginSeconds ?? values.timeoutSeconds,
      values.settings.mostErrorsAfterLogin ?? values.settings.mostErrors,
    ];
    assertEquals([patience(stranger), patience(good)], [[1200, 20, 1200, 20], [1200, 20, 1200, 20]]);
    isStressed = true;
    assertEquals([patience(stranger), patience(good)], [[10, 1, 1200, 20], [1200, 20, 1200, 20]]);
    isStressed = false;
    assertEquals(patience(stranger), [1200, 20, 1200, 20]);
  });

  it("has nobody wait longer under stress than at other times", () => {
    const entrances = entrancesOf({ timeoutsmtpd: "3\n" }, () => true);
    assertEquals(entrances.valuesFor("smtp", entrances.visitors.at("192.0.2.1"), true).timeoutSeconds, 3);
  });

  it("makes the values of each kind of connection once, however many clients there are", () => {
    const rules = '192.0.2.1:allow,DATABYTES="10"\n';
    const entrances = entrancesOf({ "tcp.smtp": rules, databytes: "20\n", xclients: "192.0.2.2\n" });
    const of = (ip: string, entrance: Entrance = "smtp") =>
      entrances.valuesFor(entrance, entrances.visitors.at(ip), true);
    assertEquals([of("192.0.2.1"), of("192.0.2.2"), of("192.0.2.3")].map(({ settings }) => settings.databytes), [
      10,
      20,
      20,
    ]);
    assertEquals([of("192.0.2.1"), of("192.0.2.2")].map(({ settings }) => settings.xclient), [false, true]);
    assertEquals([of("192.0.2.3") === of("192.0.2.4"), of("192.0.2.3") === of("192.0.2.3", "lmtp")], [true, false]);
  });
});

describe("Visitors", () => {
  it("are known by their address in one spelling, and counted by their network", () => {
    const { visitors } = entrancesOf({ relayclients: "192.0.2.0/24\n2001:db8::/32\n" });
    const seen = (address: string | undefined) => {
      const { ip, network, relaying, trusted } = visitors.at(address);
      return [ip, network, relaying, trusted];
    };
    assertEquals(seen("::ffff:192.0.2.1"), ["192.0.2.1", "192.0.2.1", true, true]);
    assertEquals(seen("2001:db8::1"), ["2001:db8::1", "2001:db8:0:0::/64", true, true]);
    assertEquals(seen("2001:db9::1:2"), ["2001:db9::1:2", "2001:db9:0:0::/64", false, false]);
    assertEquals(seen(undefined), ["unknown", "unknown", false, false]);
    assertEquals(visitors.at("192.0.2.1") === visitors.at("192.0.2.1"), true);
  });

  it("who may relay by a rule, or speak for others, are no strangers", () => {
    const rules = '198.51.100.1:allow,RELAYCLIENT=""\n';
    const { visitors } = entrancesOf({ "tcp.smtp": rules, xclients: "198.51.100.2\n", proxyclients: "198.51.100.3\n" });
    const trusted = [1, 2, 3, 4].map((host) => visitors.at(`198.51.100.${host}`).trusted);
    assertEquals(trusted, [true, true, false, false]);
    const { isProxy, mayXclient } = visitors.at("198.51.100.3");
    assertEquals([isProxy, mayXclient], [true, false]);
  });

  it("get control/rcptcheck where no rule has another for them", () => {
    const rules = '198.51.100.1:allow,RCPTCHECK="/bin/other"\n198.51.100.2:deny\n';
    const { visitors } = entrancesOf({ "tcp.smtp": rules, rcptcheck: "/bin/check\n" });
    const found = [1, 2, 3].map((host) => visitors.at(`198.51.100.${host}`));
    assertEquals(found.map(({ denied }) => denied), [false, true, false]);
    assertEquals([found[0]!, found[2]!].map(({ environment }) => environment.get("RCPTCHECK")), [
      "/bin/other",
      "/bin/check",
    ]);
  });

  it("need their names where a rule is about one", () => {
    assertEquals(entrancesOf({ "tcp.smtp": "192.0.2.:deny\n" }).visitors.needHost, false);
    const { visitors } = entrancesOf({ "tcp.smtp": "=.bad.example:deny\n" });
    assertEquals(visitors.needHost, true);
    assertEquals(visitors.named("192.0.2.1", "mx.bad.example").denied, true);
    assertEquals(visitors.named("192.0.2.1", undefined).denied, false);
  });
});
