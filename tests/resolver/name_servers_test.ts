import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { believesAd, isFrom, localEndOf, NameServers } from "../../components/resolver/name_servers.ts";

const a = { host: "192.0.2.1", port: 53 };
const b = { host: "192.0.2.2", port: 53 };

describe("NameServers", () => {
  it("keeps the configured order", () => assertEquals(new NameServers([a, b]).inOrder(0), [a, b]));

  it("puts a server that was silent three times in a row last, for half a minute", () => {
    const servers = new NameServers([a, b]);
    assertEquals([1, 2, 3, 4].map((now) => servers.note(a, false, now)), [undefined, undefined, "down", undefined]);
    assertEquals(servers.inOrder(5), [b, a]);
    assertEquals(servers.inOrder(30_004), [a, b]);
  });

  it("takes it back with its first answer", () => {
    const servers = new NameServers([a, b]);
    for (const now of [1, 2, 3]) servers.note(a, false, now);
    assertEquals(servers.note(a, true, 4), "up");
    assertEquals(servers.inOrder(4), [a, b]);
  });

  it("does not count silences between which it answered", () => {
    const servers = new NameServers([a, b]);
    const changes = [false, false, true, false, false].map((answered) => servers.note(a, answered, 0));
    assertEquals(changes, [undefined, undefined, undefined, undefined, undefined]);
    assertEquals(servers.inOrder(0), [a, b]);
  });
});

describe("localEndOf()", () => {
  const rows = [
    { server: "192.0.2.1", want: "0.0.0.0" },
    { server: "127.0.0.53", want: "127.0.0.1" },
    { server: "2001:db8::1", want: "::" },
    { server: "::1", want: "::1" },
  ];
  for (const { server, want } of rows) {
    it(`asks ${server} from ${want}, port 0`, () => {
      assertEquals(localEndOf({ host: server, port: 53 }), { host: want, port: 0 });
    });
  }
});

describe("isFrom()", () => {
  const rows = [
    { server: "192.0.2.1", address: "192.0.2.1", port: 53, want: true },
    { server: "192.0.2.1", address: "192.0.2.1", port: 54, want: false },
    { server: "192.0.2.1", address: "192.0.2.2", port: 53, want: false },
    { server: "2001:db8:0:0::1", address: "2001:db8::1", port: 53, want: true },
    { server: "192.0.2.1", address: "nonsense", port: 53, want: false },
  ];
  for (const { server, address, port, want } of rows) {
    it(`${want ? "takes" : "does not take"} ${address} port ${port} for ${server} port 53`, () => {
      assertEquals(isFrom({ host: server, port: 53 }, address, port), want);
    });
  }
});

describe("believesAd()", () => {
  for (
    const { server, trust, want } of [
      { server: "127.0.0.1", trust: "loopback", want: true },
      { server: "127.0.0.53", trust: "loopback", want: true },
      { server: "::1", trust: "loopback", want: true },
      { server: "192.0.2.1", trust: "loopback", want: false },
      { server: "10.0.0.1", trust: "loopback", want: false },
      { server: "2001:db8::1", trust: "loopback", want: false },
      { server: "192.0.2.1", trust: "1", want: true },
      { server: "127.0.0.1", trust: "0", want: false },
    ] as const
  ) {
    it(`${want ? "believes" : "does not believe"} ${server} with ${trust} in control/trustad`, () => {
      assertEquals(believesAd({ host: server, port: 53 }, trust), want);
    });
  }
});
