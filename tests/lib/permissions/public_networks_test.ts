import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { homeAt } from "../../../config/home.ts";
import { contains, parseNetwork } from "../../../config/ip/network.ts";
import { parseIpv4 } from "../../../config/ip/parse_ip.ts";
import { rangeOf } from "../../../config/ip/ranges.ts";
import { flagsOf, publicHost } from "../../../components/lib/permissions/grant.ts";
import { publicNetworks } from "../../../components/lib/permissions/public_networks.ts";

const networks = publicNetworks.map((network) => parseNetwork(network)!);
const holds = (address: string) => networks.some((network) => contains(network, parseIpv4(address)!));

describe("publicNetworks", () => {
  const refused = [
    ...["0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1"],
    ...["169.254.169.254", "172.16.0.0", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.0.0", "192.168.255.255"],
    ...["198.18.0.0", "198.19.255.255", "198.51.100.1", "203.0.113.255", "224.0.0.1", "240.0.0.0", "255.255.255.255"],
  ];
  for (const address of refused) it(`leaves out ${address}`, () => assert(!holds(address)));

  const taken = [
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
  ];
  for (const address of [...taken, "169.253.0.1", "172.15.1.1", "172.32.0.0", "192.0.1.0", "223.255.255.255"]) {
    it(`holds ${address}`, () => assert(holds(address)));
  }

  it("holds no address that code refuses as private, reserved or nobody's", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }), (parts) => {
        const address = parts.join(".");
        const range = rangeOf(parseIpv4(address)!);
        if (holds(address)) assert(["unicast", "reserved", "service"].includes(range), `${address} is ${range}`);
        else assert(range !== "unicast", `${address} is ${range}`);
      }),
      { numRuns: 2000 },
    );
  });

  it("are whole networks, in order, and overlap nowhere", () => {
    let end = 0;
    for (const { address, bits } of networks) {
      const first = address.octets.reduce((number, part) => number * 256 + part, 0);
      assert(first >= end);
      assertEquals(first % 2 ** (32 - bits), 0);
      end = first + 2 ** (32 - bits);
    }
  });

  it("are what the flags say for a grant's word", () => {
    const [flag, ...others] = flagsOf({ connect: [`${publicHost}:25`, "127.0.0.1:2525"] }, homeAt("/h"));
    assertEquals(others, []);
    assertEquals(flag, `--allow-net=${publicNetworks.map((network) => `${network}:25`).join(",")},127.0.0.1:2525`);
  });
});
