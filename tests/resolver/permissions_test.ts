import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { breaches } from "../../components/lib/permissions/rule.ts";
import type { Config } from "../../components/lib/permissions/grant.ts";
import { manifest } from "../../components/resolver/permissions.ts";
import { homeAt } from "../../config/home.ts";
import { nameserversOf } from "../../config/nameservers.ts";
import type { Controls } from "../../config/schema.ts";
import type { Endpoint } from "../../config/values.ts";

function config(nameservers: readonly Endpoint[], resolvConf = ""): Config {
  const controls = { nameservers } as Controls;
  return { home: homeAt("/q"), portOffset: 0, controls, nameservers: nameserversOf(controls, resolvConf) };
}

describe("the resolver's grant", () => {
  const rows = [
    {
      claim: "is for the servers of control/nameservers",
      config: config([{ host: "192.0.2.1", port: 5353 }, { host: "192.0.2.2", port: 53 }]),
      want: {
        read: ["/q/control/nameservers", "/q/control/trustad"],
        listen: ["0.0.0.0:0"],
        connect: ["192.0.2.1:5353", "192.0.2.2:53"],
        serves: ["resolver"],
      },
    },
    {
      claim: "reads resolv.conf where control/nameservers names none",
      config: config([], "nameserver 2001:db8::1\nnameserver 192.0.2.1\n"),
      want: {
        read: ["/q/control/nameservers", "/q/control/trustad", "/etc/resolv.conf"],
        listen: ["[::]:0", "0.0.0.0:0"],
        connect: ["[2001:db8::1]:53", "192.0.2.1:53"],
        serves: ["resolver"],
      },
    },
    {
      claim: "binds loopback alone where all servers are there",
      config: config([{ host: "127.0.0.53", port: 53 }, { host: "::1", port: 53 }]),
      want: {
        read: ["/q/control/nameservers", "/q/control/trustad"],
        listen: ["127.0.0.1:0", "[::1]:0"],
        connect: ["127.0.0.53:53", "[::1]:53"],
        serves: ["resolver"],
      },
    },
  ];
  for (const { claim, config, want } of rows) {
    it(claim, () => {
      assertEquals(manifest.permissions(config), want as ReturnType<typeof manifest.permissions>);
      assertEquals(breaches([manifest], config), []);
    });
  }
});
