/**
 * What a message costs qmail-remote, counted on the whole component in this process: calls for the next server, commands,
 * questions and frames.
 */
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { dirname } from "@std/path";
import { run } from "../../components/qmail-remote/run.ts";
import { DeliveryLink } from "../../components/lib/delivery/link.ts";
import { MessageOctets } from "../../components/lib/delivery/message_file.ts";
import type { Running } from "../../components/lib/process/component.ts";
import { defaultTlsWish } from "../../components/lib/tls/client_policy.ts";
import { Pipe } from "../../components/lib/wire/pipe.ts";
import { serveUnix, type UnixServer } from "../../components/lib/wire/server.ts";
import { type Home, homeAt } from "../../config/home.ts";
import { assertBudget, type Budget, type Counts } from "../support/budget.ts";
import { Meter } from "../support/meter.ts";
import { meterNet } from "../support/metered_net.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";
import { CountedServer } from "./support/counted_server.ts";
import { serveZone } from "./support/zone.ts";

const kibibyte = 1024;

/**
 * One timer more is where a report comes so soon after another that it rests first (lib/delivery/deliverer.ts).
 * Messages have 10 KiB and one recipient unless said. To lower a figure, lower it here.
 */
const budgets = {
  "on a fresh connection": {
    "connections to the server": 1,
    // EHLO; MAIL, RCPT and DATA; the content.
    "writes to the server": 3,
    "reads from the server": 4,
    "commands": 4,
    // MX, A and AAAA.
    "frames to resolver": 3,
    "writes to resolver": { most: 3 },
    "octets to resolver": { most: 3 * 70 },
    "frames to mta-sts": 1,
    "writes to mta-sts": 1,
    "octets to mta-sts": { most: 60 },
    "frames to qmail-rspawn": 1,
    "writes to qmail-rspawn": 1,
    "octets to qmail-rspawn": { most: 300 },
    "timers": { most: 11 },
  },
  "on a kept connection": {
    // RSET, MAIL, RCPT and DATA; the content.
    "writes to the server": 2,
    "reads from the server": 2,
    "commands": 4,
    "frames to resolver": 3,
    "writes to resolver": { most: 3 },
    "octets to resolver": { most: 3 * 70 },
    "frames to qmail-rspawn": 1,
    "writes to qmail-rspawn": 1,
    "octets to qmail-rspawn": { most: 300 },
    "timers": { most: 7 },
  },
  "on a kept connection through a relay, without a question": {
    "writes to the server": 2,
    "reads from the server": 2,
    "commands": 4,
    "frames to qmail-rspawn": 1,
    "writes to qmail-rspawn": 1,
    "octets to qmail-rspawn": { most: 300 },
    "timers": { most: 4 },
  },
  "for 20 recipients": {
    "writes to the server": 2,
    "reads from the server": 2,
    "commands": 23,
    "frames to qmail-rspawn": 1,
    "writes to qmail-rspawn": 1,
    "octets to qmail-rspawn": { most: 4500 },
    "timers": { most: 4 },
  },
  "of 1 MiB": {
    "writes to the server": { most: 12 },
    "reads from the server": 2,
    "commands": 4,
    "frames to qmail-rspawn": 8,
    "writes to qmail-rspawn": 8,
    "octets to qmail-rspawn": { most: 700 },
    "timers": { most: 12 },
  },
} satisfies Readonly<Record<string, Budget>>;

const look = {
  "connections to the server": "components/qmail-remote/idle_connections.ts, next_host.ts",
  "writes to the server": "components/qmail-remote/mail_transaction.ts (a group is one), send_content.ts",
  "reads from the server": "components/qmail-remote/mail_transaction.ts: a group is answered at once",
  "commands": "components/qmail-remote/mail_transaction.ts, opening.ts",
  "frames to resolver": "components/qmail-remote/find_addresses.ts, mx.ts, tls_policy.ts",
  "frames to mta-sts": "components/lib/wire/sts_client.ts: an answer counts for a minute",
  "frames to qmail-rspawn": "components/lib/delivery/deliverer.ts, message_body.ts",
  "octets to qmail-rspawn": "components/qmail-remote/outcome.ts",
  "timers":
    "components/lib/smtp/reply_queue.ts, components/lib/dns/resolver_client.ts, components/qmail-remote/dial.ts",
};

describe("qmail-remote's cost of a message", () => {
  let dir: TempDir;
  let home: Home;
  let server: CountedServer;
  let servers: UnixServer[];
  let meter: Meter;
  let net: Disposable;
  let remote: Running;
  let link: DeliveryLink;

  /** No domain has a policy; nobody counts. */
  function serveSts(): UnixServer {
    return serveUnix(home.socket("mta-sts"), {
      onFrame: ({ head }, pipe) => pipe.send({ id: head["id"], kind: "none" }),
      onError: (error) => {
        throw error;
      },
    });
  }

  beforeEach(async () => {
    dir = tempDir();
    home = homeAt(dir.path);
    for (const name of ["qmail-remote", "remote-status", "resolver", "mta-sts", "tlsrpt"] as const) {
      Deno.mkdirSync(dirname(home.socket(name)), { recursive: true });
    }
    // Not one of this machine's own, as far as its interfaces say.
    server = new CountedServer("127.0.0.2");
    const zone = {
      "r.example MX": [{ value: "mx.r.example", preference: 10 }],
      "mx.r.example A": [{ value: "127.0.0.2" }],
      "other.example MX": [{ value: "mx.other.example", preference: 10 }],
      "mx.other.example A": [{ value: "127.0.0.3" }],
    };
    const tlsrpt = serveUnix(home.socket("tlsrpt"), { onFrame: () => {}, onError: () => {} });
    servers = [serveZone(home, zone), serveSts(), tlsrpt];
    const calls = { [home.socket("resolver")]: "resolver", [home.socket("mta-sts")]: "mta-sts" };
    meter = new Meter({ calls, serves: { [home.socket("qmail-remote")]: "qmail-rspawn" } });
    net = meterNet(meter.tally, "the server");
    remote = run({ home, portOffset: 0, requestStop: () => {} });
    link = new DeliveryLink(
      new Pipe(await Deno.connect({ transport: "unix", path: home.socket("qmail-remote") })),
      () => {},
    );
  });

  afterEach(async () => {
    link.close();
    await remote.stop();
    await server[Symbol.asyncDispose]();
    net[Symbol.dispose]();
    meter[Symbol.dispose]();
    for (const each of servers) {
      each.stop();
      each.closeAll();
    }
    dir[Symbol.dispose]();
  });

  interface What {
    readonly count?: number;
    readonly bytes?: number;
    readonly relayed?: boolean;
    readonly domain?: string;
    readonly port?: number;
  }

  async function deliver(what: What = {}): Promise<void> {
    const { count = 1, bytes = 10 * kibibyte, relayed = false, domain = "r.example", port = server.port } = what;
    const request = {
      sender: "sender@client.example",
      recipients: Array.from({ length: count }, (_, n) => `user${n}@${domain}`),
      domain,
      ...(relayed ? { relayHost: "127.0.0.2" } : {}),
      port,
      helo: "mx.example.com",
      connectTimeoutMs: 60_000,
      timeoutMs: 1_200_000,
      privateAddresses: true,
      protocol: "smtp",
      tls: defaultTlsWish,
      mxps: false,
      ipv6: true,
      localAddresses: [],
    };
    const content = `Subject: a\n\n${"x".repeat(71)}\n`.padEnd(bytes - 1, `${"x".repeat(71)}\n`) + "\n";
    const reports = await link.deliver(request, new MessageOctets(new TextEncoder().encode(content)));
    assertEquals(reports.map(({ verdict }) => verdict), request.recipients.map(() => "K"), reports[0]?.text);
  }

  async function during(work: () => Promise<unknown>): Promise<Counts> {
    const before = server.commands.length;
    const counts = await meter.during(work);
    return { ...counts, "commands": server.commands.length - before };
  }

  it("fits its budget on a fresh connection", async () => {
    // The connections to the neighbours stand.
    await using other = new CountedServer("127.0.0.3");
    await deliver({ domain: "other.example", port: other.port });
    const counts = await during(() => deliver());
    assertBudget("a message on a fresh connection", counts, budgets["on a fresh connection"], look);
  });

  const kept = [
    { costs: "on a kept connection", what: {} },
    { costs: "on a kept connection through a relay, without a question", what: { relayed: true } },
    { costs: "for 20 recipients", what: { relayed: true, count: 20 } },
    { costs: "of 1 MiB", what: { relayed: true, bytes: kibibyte * kibibyte } },
  ] as const;
  for (const { costs, what } of kept) {
    it(`fits its budget ${costs}, each time`, async () => {
      await deliver(what);
      for (let round = 0; round < 3; round++) {
        const counts = await during(() => deliver(what));
        assertBudget(`a message ${costs}`, counts, budgets[costs], look);
      }
    });
  }
});
