import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { authenticatorOver } from "../../components/lib/sasl/auth_client.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { Client } from "../../components/lib/wire/client.ts";
import { waitFor } from "../support/wait.ts";
import { password, Pop3World } from "./world.ts";

const mebibyte = 1024 * 1024;

describe("qmail-popup, with clients that mean no good,", () => {
  it("ends a line that does not end", async () => {
    await using world = await Pop3World.start();
    using client = await world.connect();
    await client.line();
    // Its end closes this side while octets are on their way: a failing write is part of it.
    await client.send("USER ").then(() => client.send("x".repeat(2000)));
    assertEquals(await client.line(), "-ERR line too long");
    assertEquals(await client.line(), undefined);
  });

  it("ends an AUTH line that does not end, with 1 MiB of it", async () => {
    await using world = await Pop3World.start();
    using client = await world.connect();
    await client.line();
    assertEquals(await client.ask("AUTH PLAIN"), "+ ");
    const sent = client.send("A".repeat(mebibyte)).catch(() => {});
    assertEquals(await client.line(), "-ERR line too long");
    assertEquals(await client.line(), undefined);
    client[Symbol.dispose]();
    await sent;
  });

  it("is not kept waiting by single octets", async () => {
    await using world = await Pop3World.start({ controls: { timeoutpop3d: "1\n" } });
    using client = await world.connect();
    await client.line();
    const timer = setInterval(() => void client.send("N").catch(() => {}), 200);
    assertEquals(await client.line(), undefined);
    clearInterval(timer);
    await world.log.waitFor((line) => line.includes("reason=timeout"), 10_000);
  });

  it("cuts off who reads nothing, and holds little for him meanwhile", async () => {
    const content = `Subject: large\n\n${`${"x".repeat(70)}\n`.repeat(1_000_000)}`;
    await using world = await Pop3World.start({ mail: { "new/1.a": content }, controls: { timeoutpop3d: "2\n" } });
    using warm = await world.loggedIn();
    await warm.ask("STAT");
    const before = [world.rss("qmail-popup"), world.rss("qmail-pop3d")];
    const clients = await Promise.all(Array.from({ length: 10 }, () => world.loggedIn()));
    for (const client of clients) await client.send("RETR 1\r\n".repeat(20));
    await world.log.waitFor((line) => line.includes("reason=timeout"), 20_000);
    const after = [world.rss("qmail-popup"), world.rss("qmail-pop3d")];
    for (const client of clients) client[Symbol.dispose]();
    // Ten times 71 MB were asked for.
    for (const [at, name] of ["qmail-popup", "qmail-pop3d"].entries()) {
      assert(after[at]! - before[at]! < 60 * mebibyte, `${name} grew by ${after[at]! - before[at]!}`);
    }
  });

  it("goes on when a thousand commands come at once", async () => {
    await using world = await Pop3World.start();
    using client = await world.loggedIn();
    await client.send("NOOP\r\n".repeat(1000) + "STAT\r\n");
    for (let at = 0; at < 1000; at++) assertEquals(await client.line(), "+OK ");
    assertEquals(await client.line(), "+OK 3 78");
  });
});

describe("qmail-pop3d, with a qmail-popup that somebody has taken over,", () => {
  const open = (client: Client, ticket: string) => client.request({ op: "open", ticket });

  it("opens nothing without a ticket of auth's, and none twice", async () => {
    await using world = await Pop3World.start({ users: ["amy"] });
    const auth = new Client(world.home.socket("auth"));
    const clients = Array.from({ length: 4 }, () => new Client(world.home.socket("qmail-pop3d")));
    try {
      for (const made of ["", "joe@mx.example.com", "../amy"]) {
        const { head } = await open(clients[0]!, made).finally(() => clients[0]!.pipe?.close());
        assertEquals([head["kind"], head["reason"]], ["refused", "ticket"]);
      }
      const step = await authenticatorOver(auth, { mechanisms: () => ["PLAIN"] })
        .start("PLAIN", { ip: "192.0.2.1", entrance: "pop3", tls: true }).next(toOctets(`\0joe\0${password}`));
      assert(step.kind === "success" && step.ticket !== undefined);
      assertEquals((await open(clients[1]!, step.ticket)).head["kind"], "opened");
      assertEquals((await open(clients[2]!, step.ticket)).head["reason"], "ticket");
    } finally {
      for (const client of [auth, ...clients]) client.close();
    }
  });

  it("ends a connection that does not follow the protocol, and serves the others", async () => {
    await using world = await Pop3World.start();
    using client = await world.loggedIn();
    const wrong: readonly object[] = [
      { op: "command", id: 1 },
      { op: "more", id: 1 },
      { op: "read", id: 1, path: "/etc/passwd" },
      {},
    ];
    for (const head of wrong) {
      const popup = new Client(world.home.socket("qmail-pop3d"));
      const pipe = (await popup.connect())!;
      pipe.send(head);
      await waitFor(() => pipe.closed, "the connection to end");
      popup.close();
    }
    const raw = await Deno.connect({ transport: "unix", path: world.home.socket("qmail-pop3d") });
    const random = crypto.getRandomValues(new Uint8Array(64 * 1024));
    random.set([255, 255, 255, 255]);
    await raw.write(random).catch(() => {});
    assertEquals(await raw.read(new Uint8Array(10)).catch(() => null), null);
    raw.close();
    assertEquals(await client.ask("STAT"), "+OK 3 78");
  });
});
