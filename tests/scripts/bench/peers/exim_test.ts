import { describe, it } from "@std/testing/bdd";
import { assert, assertStringIncludes } from "@std/assert";
import { formatConfig } from "../../../../scripts/bench/peers/exim.ts";

describe("formatConfig()", () => {
  it("relays all mail to the sink, on loopback", () => {
    const config = formatConfig(2525, { relayPort: 2600 });
    for (const line of ["daemon_smtp_ports = 2525", "local_interfaces = 127.0.0.1", "route_list = * 127.0.0.1"]) {
      assertStringIncludes(config, `${line}\n`);
    }
    assertStringIncludes(config, "  port = 2600\n");
  });

  it("lets no mail out where there is no sink", () => {
    assert(!formatConfig(2525, { relayPort: undefined }).includes("manualroute"));
  });
});
