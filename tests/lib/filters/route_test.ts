/** What goes with a message through a chain, as fields of a frame and as a text. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { filterNames } from "../../../components/lib/filters/chain.ts";
import {
  formatRoute,
  formatRouteText,
  parseRoute,
  parseRouteText,
  type Route,
} from "../../../components/lib/filters/route.ts";
import { noteVariables } from "../../../components/lib/filters/variables.ts";
import { environmentDefect } from "../../../components/lib/hooks/environment.ts";
import { encodeFrame, FrameReader, type RawHead } from "../../../components/lib/wire/frame.ts";
import { ProtocolError } from "../../../components/lib/wire/server.ts";

/** What a server may know of a client: any octets but NUL. */
const octets = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 50,
});
const hops = fc.uniqueArray(fc.constantFrom(...filterNames, "/bin/x"), { maxLength: 7 }).chain((names) =>
  fc.tuple(
    ...names.map((name) =>
      fc.record({ name: fc.constant(name), onTrouble: fc.constantFrom("pass", "451") }, { noNullPrototype: true })
    ),
  )
);
const routes = fc.record({
  client: fc.option(
    fc.record({
      entrance: fc.constantFrom("smtp", "local"),
      ip: fc.constantFrom("192.0.2.1", "2001:db8::1", "unknown"),
      helo: octets,
      host: octets,
      login: octets,
      tls: fc.boolean(),
      relaying: fc.boolean(),
    }, { requiredKeys: ["entrance", "ip", "helo", "tls", "relaying"], noNullPrototype: true }),
    { nil: undefined },
  ),
  chain: hops,
  largestBytes: fc.nat(),
  large: fc.constantFrom("pass", "refuse"),
}, { noNullPrototype: true }) as fc.Arbitrary<Route>;

function throughFrame(head: object): RawHead {
  const [frame] = new FrameReader(1_000_000).push(encodeFrame(head));
  return frame!.head;
}

describe("parseRoute()", () => {
  it("gives what formatRoute() was given, over a frame", () => {
    fc.assert(fc.property(routes, fc.constantFrom("pass" as const, "451" as const), (route, onTrouble) => {
      assertEquals(parseRoute(throughFrame(formatRoute(route, { onTrouble }))), { ...route, onTrouble });
    }));
  });

  it("takes a message of one who knows nothing of filters", () => {
    assertEquals(parseRoute({ op: "message" }), {
      client: undefined,
      chain: [],
      largestBytes: 32 * 1024 * 1024,
      large: "pass",
      onTrouble: "451",
    });
  });

  const wrong: readonly object[] = [
    { chain: "verify" },
    { chain: ["nobody"] },
    { chain: Array(9).fill("verify") },
    { client: 1 },
    { client: { entrance: "smtp" } },
    { filter: { onTrouble: "later", large: "pass", largestBytes: 1 } },
    { filter: { onTrouble: "pass", large: "pass", largestBytes: -1 } },
  ];
  for (const head of wrong) {
    it(`refuses ${JSON.stringify(head).slice(0, 60)}`, () => {
      assert(assertThrows(() => parseRoute(head as RawHead)) instanceof ProtocolError);
    });
  }

  it("cuts what a client calls itself, rather than have a frame refused that others' messages hang on", () => {
    const client = { entrance: "smtp", ip: "192.0.2.1", helo: "h\0".repeat(9000), tls: false, relaying: false };
    const route = { client, chain: [], largestBytes: 1, large: "pass" } as const;
    assertEquals(parseRoute(throughFrame(formatRoute(route, { onTrouble: "451" }))).client!.helo, "h?".repeat(500));
  });
});

describe("formatRouteText()", () => {
  it("is one line of ASCII that a program's environment may hold, and read back the same", () => {
    fc.assert(fc.property(routes, (route) => {
      const text = formatRouteText(route);
      assert(/^[\x20-\x7e]*$/.test(text));
      assertEquals(environmentDefect(new Map([["QMAILFILTERS", text]])), undefined);
      assertEquals(parseRouteText(text), { ok: true, value: route });
    }));
  });

  for (const text of ["", "{", "null", "[]", '{"chain":["x"]}', '"a"']) {
    it(`is not ${JSON.stringify(text)}`, () => assert(!parseRouteText(text).ok));
  }
});

describe("noteVariables()", () => {
  it("makes nothing of a client's octets that no program may get", () => {
    fc.assert(fc.property(routes, ({ client }) => {
      assertEquals(environmentDefect(noteVariables(client)), undefined);
    }));
  });

  it("names the client as tcpserver does", () => {
    const client = { entrance: "smtp", ip: "2001:db8::1", helo: "h", login: "amy", tls: false, relaying: true };
    assertEquals(Object.fromEntries(noteVariables(client)), {
      PROTO: "TCP6",
      TCPREMOTEIP: "2001:db8::1",
      TCPREMOTEINFO: "amy",
      SMTPHELOHOST: "h",
      SMTPAUTHUSER: "amy",
      RELAYCLIENT: "",
    });
  });
});
