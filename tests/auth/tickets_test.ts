import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { mostTickets, ticketMs, Tickets } from "../../components/auth/tickets.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { apopDigest } from "../../components/lib/sasl/apop.ts";
import { authenticatorOver } from "../../components/lib/sasl/auth_client.ts";
import { parseRedeemReply } from "../../components/lib/wire/auth_protocol.ts";
import { Client } from "../../components/lib/wire/client.ts";
import { authHome, startAuth } from "./auth_process.ts";

describe("Tickets", () => {
  it("are good once", () => {
    const tickets = new Tickets();
    tickets.issue("t", "amy@mx.example", 0);
    assertEquals(tickets.redeem("t", 1), "amy@mx.example");
    assertEquals(tickets.redeem("t", 1), undefined);
  });

  it("tell whose they are without being used up", () => {
    const tickets = new Tickets();
    tickets.issue("t", "amy@mx.example", 0);
    assertEquals([tickets.whose("t", 1), tickets.whose("t", 1)], ["amy@mx.example", "amy@mx.example"]);
    assertEquals(tickets.whose("t", ticketMs), undefined);
    assertEquals(tickets.redeem("t", 1), "amy@mx.example");
    assertEquals(tickets.whose("t", 1), undefined);
  });

  it("are good for a short time", () => {
    const tickets = new Tickets();
    tickets.issue("t", "amy@mx.example", 0);
    tickets.issue("u", "bob@mx.example", 0);
    assertEquals(tickets.redeem("t", ticketMs - 1), "amy@mx.example");
    assertEquals(tickets.redeem("u", ticketMs), undefined);
  });

  it("do not pile up", () => {
    const tickets = new Tickets();
    for (let at = 0; at < mostTickets + 10; at++) tickets.issue(`t${at}`, "x", 0);
    assertEquals(tickets.size, mostTickets);
    assertEquals(tickets.redeem("t0", 0), undefined);
    tickets.issue("fresh", "x", ticketMs);
    assertEquals(tickets.size, 1);
  });
});

describe("auth, for those who read mail", () => {
  const passwd = "cleo@mx.example:{PLAIN}tanstaaf:1:1::::\n";
  const challenge = "<1896.697170952@dbc.mtview.ca.us>";

  it("gives a ticket with a login at pop3 or pop3s, none at submission, and redeems it once", async () => {
    using home = authHome({ passwd, controls: { listeners: "pop3 127.0.0.1:0\n" } });
    await using _auth = await startAuth(home);
    const client = new Client(home.home.socket("auth"));
    const redeemer = new Client(home.home.socket("auth-tickets"));
    try {
      const auth = authenticatorOver(client, { mechanisms: () => ["PLAIN"] });
      const logIn = (entrance: string) =>
        auth.start("PLAIN", { ip: "192.0.2.1", entrance, tls: true }).next(toOctets("\0cleo\0tanstaaf"));
      const redeem = async (ticket: string) => parseRedeemReply(await redeemer.request({ op: "redeem", ticket }));
      assertEquals(await logIn("submission"), { kind: "success", login: "cleo@mx.example" });
      for (const entrance of ["pop3", "pop3s"]) {
        const step = await logIn(entrance);
        assert(step.kind === "success" && step.ticket !== undefined);
        assertEquals(await redeem(step.ticket), { kind: "login", login: "cleo@mx.example" });
        assertEquals(await redeem(step.ticket), { kind: "none" });
      }
      assertEquals(await redeem("made up"), { kind: "none" });
    } finally {
      client.close();
      redeemer.close();
    }
  });

  for (const allowed of [true, false]) {
    it(`${allowed ? "lets in by APOP where" : "knows no APOP unless"} control/pop3apop is 1`, async () => {
      const controls = { listeners: "pop3 127.0.0.1:0\n", ...(allowed ? { pop3apop: "1\n" } : {}) };
      using home = authHome({ passwd, controls });
      await using _auth = await startAuth(home);
      const client = new Client(home.home.socket("auth"));
      try {
        const auth = authenticatorOver(client, { mechanisms: () => ["APOP"] });
        const say = async (digest: string, entrance: string) => {
          const exchange = auth.start("APOP", { ip: "192.0.2.1", entrance, tls: true });
          const step = await exchange.next(toOctets(`cleo\0${challenge}\0${digest}`));
          return step.kind === "failure" ? step.reason : step.kind;
        };
        const digest = apopDigest("tanstaaf", challenge);
        assertEquals(await say(digest, "pop3"), allowed ? "success" : "unavailable");
        assertEquals(await say("0".repeat(32), "pop3"), allowed ? "credentials" : "unavailable");
        assertEquals(await say(digest, "submission"), "unavailable");
      } finally {
        client.close();
      }
    });
  }
});
