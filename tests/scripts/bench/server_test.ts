import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { schema } from "../../../config/schema.ts";
import { controlFiles } from "../../../scripts/bench/server.ts";

const plan = { dir: "/tmp", users: 100, hold: false, relayPort: 2600 };
const ports = { smtp: 2525, admin: 8025 };

describe("controlFiles()", () => {
  it("let what a plan names go over what follows from it", () => {
    const controls = { smtproutes: ":127.0.0.1:2601", timeoutconnect: "5" };
    const files = controlFiles({ ...plan, controls }, ports);
    assertEquals([files["smtproutes"], files["timeoutconnect"]], [":127.0.0.1:2601", "5"]);
  });

  it("are such as the schema takes", () => {
    const verifying = { filters: "smtp: verify", nameservers: "127.0.0.1:5300", relayclients: "" };
    const changes = [{}, { hold: true }, { relayPort: undefined }, { controls: { filters: "smtp: sign" } }, {
      controls: verifying,
    }];
    for (const change of changes) {
      for (const [file, text] of Object.entries(controlFiles({ ...plan, ...change }, ports))) {
        assertEquals([file, schema[file as keyof typeof schema].parse(`${text}\n`).ok], [file, true]);
      }
    }
  });

  it("open a port for each service", () => {
    const files = controlFiles(plan, { smtp: 2525, pop3: 2110 });
    assertEquals(files["listeners"], "smtp 127.0.0.1:2525\npop3 127.0.0.1:2110");
  });

  it("let in as many connections as are wanted, whoever they are from", () => {
    assertEquals(controlFiles({ ...plan, connections: 5000 }, ports)["concurrencyincoming"], "10100");
  });

  it("route all remote mail to the sink", () => {
    assertEquals(controlFiles(plan, ports)["smtproutes"], ":127.0.0.1:2600");
  });

  it("hold remote mail where there is no sink, and all mail when told so", () => {
    assertEquals(controlFiles({ ...plan, relayPort: undefined }, ports)["concurrencyremote"], "0");
    assertEquals(controlFiles({ ...plan, hold: true }, ports)["concurrencylocal"], "0");
  });
});
