import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { describe, it } from "@std/testing/bdd";
import { parseResolveRequest } from "../../../components/lib/wire/resolver_protocol.ts";
import { serveUnix, type UnixServer } from "../../../components/lib/wire/server.ts";
import { Askable } from "../../../components/lib/server/oracles.ts";
import type { Home } from "../../../config/home.ts";
import { makeHome, serveGetpw } from "../../qmail-smtpd/world.ts";

/** A resolver that knows these answers, "temporary" among them, and no other name; and notes what it was asked. */
function serveResolver(home: Home, answers: Readonly<Record<string, readonly string[] | "temporary">>) {
  const asked: string[] = [];
  Deno.mkdirSync(join(home.run(), "resolver"), { recursive: true });
  const server = serveUnix(home.socket("resolver"), {
    onFrame: (frame, pipe) => {
      const { id, name, type } = parseResolveRequest(frame);
      const question = `${name} ${type}`;
      asked.push(question);
      const found = new Map(Object.entries(answers)).get(question);
      const status = found === undefined ? "nxdomain" : found === "temporary" ? found : "ok";
      const records = typeof found === "object" ? found.map((value) => ({ value })) : [];
      pipe.send({ id, status, authenticated: false, records });
    },
    onError: (error) => {
      throw error;
    },
  });
  return { server, asked };
}

/** Runs `test` with oracles in a home of their own, and ends all of it. */
async function withOracles(
  start: (home: Home) => UnixServer[],
  test: (oracles: Askable) => Promise<void>,
): Promise<void> {
  const { home } = makeHome();
  const servers = start(home);
  const oracles = new Askable(home);
  try {
    await test(oracles);
  } finally {
    oracles.close();
    for (const server of servers) {
      server.stop();
      server.closeAll();
    }
    Deno.removeSync(home.dir, { recursive: true });
  }
}

describe("the oracles of qmail-smtpd", () => {
  it("tell answers, nothing, and that nobody knows apart, and ask once for what was answered", async () => {
    let asked: string[] = [];
    const start = (home: Home) => {
      const resolver = serveResolver(home, { "a.example A": ["192.0.2.1"], "late.example A": "temporary" });
      asked = resolver.asked;
      return [resolver.server];
    };
    await withOracles(start, async (oracles) => {
      const names = ["a.example", "none.example", "late.example", "a.example", "none.example", "late.example"];
      const kinds = [];
      for (const name of names) kinds.push((await oracles.dns(name, "A")).kind);
      assertEquals(kinds, ["answers", "none", "failure", "answers", "none", "failure"]);
      assertEquals(asked, ["a.example A", "none.example A", "late.example A", "late.example A"]);
    });
  });

  const hosts: readonly (readonly [string, string, Readonly<Record<string, readonly string[]>>, string | undefined])[] =
    [
      [
        "a name that leads back",
        "192.0.2.1",
        { "1.2.0.192.in-addr.arpa PTR": ["mx.example"], "mx.example A": ["192.0.2.9", "192.0.2.1"] },
        "mx.example",
      ],
      [
        "no name that leads elsewhere",
        "192.0.2.1",
        { "1.2.0.192.in-addr.arpa PTR": ["bank.example"], "bank.example A": ["198.51.100.1"] },
        undefined,
      ],
      [
        "the second of two names",
        "192.0.2.1",
        { "1.2.0.192.in-addr.arpa PTR": ["gone.example", "mx.example"], "mx.example A": ["192.0.2.1"] },
        "mx.example",
      ],
      ["none where there is none", "192.0.2.1", {}, undefined],
      ["none for what is no address", "unknown", {}, undefined],
    ];
  for (const [what, ip, answers, host] of hosts) {
    it(`find ${what}`, async () => {
      await withOracles((home) => [serveResolver(home, answers).server], async (oracles) => {
        assertEquals(await oracles.hostOf(ip), host);
      });
    });
  }

  it("remember for a moment which mailbox there is, and never which there is not", async () => {
    await withOracles((home) => [serveGetpw(home)], async (oracles) => {
      assertEquals(await oracles.mailbox("joe@example.com"), "exists");
      assertEquals(oracles.mailbox("joe@example.com"), "exists");
      assertEquals(await oracles.mailbox("none@example.com"), "none");
      assertEquals(oracles.mailbox("none@example.com") instanceof Promise, true);
    });
  });

  it("are unsure, and let mail pass, while nobody answers", async () => {
    await withOracles(() => [], async (oracles) => {
      const triplet = { ip: "192.0.2.1", sender: "", recipient: "joe@example.com", waitSeconds: 60 };
      const answers = await Promise.all([
        oracles.mailbox("joe@example.com"),
        oracles.dns("a.example", "A"),
        oracles.greylist(triplet),
        oracles.count({ key: "k", limit: 1, perSeconds: 60 }),
        oracles.rcptcheck(new Map([["RCPTCHECK", "/bin/true"]])),
        oracles.spp("rcpt", new Map()),
      ]);
      const kinds = answers.map((answer) => typeof answer === "object" ? answer.kind : answer);
      assertEquals(kinds, ["unsure", "failure", "unsure", "within", undefined, "failure"]);
    });
  });
});
