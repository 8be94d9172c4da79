/**
 * Mail that control files route: with logins and TLS, to LMTP, by its sender, from an address of its own; and what two
 * domains of one host share.
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { describeControl } from "../../components/tools/qmail-showctl.ts";
import { type DnsServer, startDnsServer } from "../support/dns_server.ts";
import { queueFiles } from "../support/queue_files.ts";
import { waitForDeferral } from "../support/retry.ts";
import { sendMail } from "../support/smtp_client.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

const password = "Corr3ct-Horse";

/** How a message came. */
interface Taken {
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly user: string | undefined;
  readonly secure: boolean;
  readonly helo: string;
  readonly from: string;
}

interface Host extends AsyncDisposable {
  readonly port: number;
  readonly taken: readonly Taken[];
  readonly connections: number;
}

/** Another host; asks for a login where `user` is to be known. */
async function startHost(options: SMTPServerOptions, address = "127.0.0.1"): Promise<Host> {
  const taken: Taken[] = [];
  let connections = 0;
  const server = new SMTPServer({
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 1,
    onConnect(_session, callback) {
      connections++;
      callback();
    },
    onAuth(auth, _session, callback) {
      if (auth.username === "amy" && auth.password === password) callback(null, { user: "amy" });
      else callback(Object.assign(new Error("who is that"), { responseCode: 535 }));
    },
    onData(stream, session, callback) {
      stream.on("data", (_chunk: Buffer) => {});
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        const recipients = rcptTo.map((one) => one.address);
        taken.push({
          sender: mailFrom ? mailFrom.address : "",
          recipients,
          user: typeof session.user === "string" ? session.user : undefined,
          secure: session.secure,
          helo: String(session.hostNameAppearsAs),
          from: session.remoteAddress,
        });
        // Over LMTP each recipient is answered.
        (callback as (error: null, answer: unknown) => void)(
          null,
          options.lmtp === true ? recipients.map(() => true) : "taken",
        );
      });
    },
    ...options,
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  server.on("error", () => {});
  return {
    port: (server.server.address() as AddressInfo).port,
    taken,
    get connections() {
      return connections;
    },
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(resolve)),
  };
}

const plain: SMTPServerOptions = { disabledCommands: ["AUTH", "STARTTLS"] };

describe("mail that control files route", () => {
  let withLogin: Host;
  let implicit: Host;
  let lmtp: Host;
  let bounces: Host;
  let other: Host;
  let system: System;

  const send = (from: string, to: readonly string[]) =>
    sendMail(system.ports["smtp"]!, { from, to, content: "Subject: routed\n\nx\n" });
  const arrived = (host: Host, recipient: string) =>
    waitFor(
      () => host.taken.find(({ recipients }) => recipients.includes(recipient)),
      `${recipient} at the other host`,
    );

  beforeAll(async () => {
    withLogin = await startHost({ authOptional: false });
    implicit = await startHost({ secure: true, authOptional: true });
    lmtp = await startHost({ ...plain, lmtp: true });
    bounces = await startHost(plain);
    other = await startHost(plain);
    const at = (host: Host) => `127.0.0.1:${host.port}`;
    system = await startSystem({
      controls: {
        smtproutes: [
          `login.example:${at(withLogin)} amy ${password} tls=encrypt`,
          `bars.example:${at(withLogin).replace(/:(?=[0-9]+$)/, ";")} tls=encrypt|amy|${password}`,
          `wrong.example:${at(withLogin)} amy ${password}! tls=encrypt`,
          `verified.example:${at(withLogin)} amy ${password} tls=verify`,
          `implicit.example:${at(implicit)} tls=encrypt implicit`,
          `lmtp.example:${at(lmtp)} protocol=lmtp`,
          `!@:${at(bounces)}`,
          `:${at(other)}`,
          "",
        ].join("\n"),
        authsenders: `amy@localhost:${at(withLogin)} tls=encrypt|amy|${password}\n`,
        domainips: "from.example:127.0.0.5|from.example\n",
        outgoingip: "127.0.0.4\n",
        helohost: "helo.example\n",
      },
    });
  });

  afterAll(async () => {
    await system?.stop();
    for (const host of [withLogin, implicit, lmtp, bounces, other]) await host?.[Symbol.asyncDispose]();
  });

  it("logs in within TLS, whichever way user and password are written", async () => {
    for (const recipient of ["r@login.example", "r@bars.example"]) {
      await send("demo@localhost", [recipient]);
      const { user, secure } = await arrived(withLogin, recipient);
      assertEquals([user, secure], ["amy", true]);
    }
  });

  it("goes by its sender first", async () => {
    await send("amy@localhost", ["r@sender.example"]);
    assertEquals((await arrived(withLogin, "r@sender.example")).user, "amy");
  });

  it("speaks TLS from the first octet on where that is asked for", async () => {
    await send("demo@localhost", ["r@implicit.example"]);
    assertEquals((await arrived(implicit, "r@implicit.example")).secure, true);
  });

  it("is handed to an LMTP server, with a verdict for each recipient", async () => {
    await send("demo@localhost", ["a@lmtp.example", "b@lmtp.example"]);
    assertEquals((await arrived(lmtp, "a@lmtp.example")).recipients, ["a@lmtp.example", "b@lmtp.example"]);
    await waitFor(() => queueFiles(system.home, system.home.queue("mess")).length === 0, "an empty queue");
  });

  it("of the null sender has a relay of its own", async () => {
    await send("", ["r@anywhere.example"]);
    await arrived(bounces, "r@anywhere.example");
    assertEquals(other.taken.some(({ recipients }) => recipients.includes("r@anywhere.example")), false);
  });

  it("leaves from the address, and under the name, of its sender's domain", async () => {
    await send("s@from.example", ["r@one.example"]);
    await send("s@else.example", ["r@two.example"]);
    const [byDomain, byDefault] = [await arrived(other, "r@one.example"), await arrived(other, "r@two.example")];
    assertEquals([byDomain.from, byDomain.helo], ["127.0.0.5", "from.example"]);
    assertEquals([byDefault.from, byDefault.helo], ["127.0.0.4", "helo.example"]);
  });

  it("is deferred where the relay does not know the password, or nobody vouches for its certificate", async () => {
    await send("demo@localhost", ["r@wrong.example"]);
    await send("demo@localhost", ["r@verified.example"]);
    await waitForDeferral(system, 2);
    assertEquals(withLogin.taken.filter(({ recipients }) => /wrong|verified/.test(recipients.join())), []);
  });

  it("has told its password to nobody: no log line, no grant, no qmail-showctl", () => {
    assert(!system.log.text().includes(password));
    for (const { name } of Deno.readDirSync(system.home.libexec("grants"))) {
      const path = system.home.libexec("grants", name);
      if (Deno.statSync(path).isFile) assert(!Deno.readTextFileSync(path).includes(password), name);
    }
    for (const file of ["smtproutes", "authsenders"] as const) {
      const shown = describeControl(file, Deno.readTextFileSync(system.home.control(file)), "localhost");
      assert(!shown.includes(password), shown);
      assertStringIncludes(shown, "(password)");
    }
  });
});

describe("mail for two domains of one host", () => {
  it("goes over one connection", async () => {
    await using host = await startHost(plain, "127.0.0.2");
    const zone: Record<string, { preference: number; exchange: string }[] | string[]> = {
      "mx.host.example A": ["127.0.0.2"],
    };
    const domains = ["one.example", "two.example", "three.example"];
    for (const domain of domains) zone[`${domain} MX`] = [{ preference: 10, exchange: "mx.host.example" }];
    const dns: DnsServer = await startDnsServer(zone);
    try {
      await using system = await startSystem({
        controls: {
          nameservers: `127.0.0.1:${dns.port}\n`,
          mxprivate: "1\n",
          remoteport: `${host.port}\n`,
          mtasts: "0\n",
        },
      });
      for (const [at, domain] of domains.entries()) {
        await sendMail(system.ports["smtp"]!, { from: "demo@localhost", to: [`r@${domain}`], content: "x\n" });
        await waitFor(() => host.taken.length === at + 1, `the message for ${domain}`);
      }
      assertEquals(host.connections, 1);
    } finally {
      await dns.stop();
    }
  });
});

describe("mail for several domains that one relay takes", () => {
  it("travels in one transaction, and its own ways once the routes have changed", async () => {
    await using relay = await startHost(plain);
    await using other = await startHost(plain);
    const at = (host: Host) => `127.0.0.1:${host.port}`;
    await using system = await startSystem({ controls: { smtproutes: `:${at(relay)}\n` } });
    const send = async (name: string, domains: readonly string[]) => {
      const to = domains.map((domain) => `${name}@${domain}.example`);
      await sendMail(system.ports["smtp"]!, { from: "demo@localhost", to, content: "x\n" });
      const taken = () => [...relay.taken, ...other.taken].flatMap(({ recipients }) => recipients);
      await waitFor(() => to.every((one) => taken().includes(one)), `${to.join()} at the other hosts`);
    };
    await send("first", ["one"]);
    await send("second", ["one", "two", "three"]);
    assertEquals(relay.taken.map(({ recipients }) => recipients.length), [1, 3]);
    system.writeControl("smtproutes", `two.example:${at(other)}\n:${at(relay)}\n`);
    assertEquals(await system.reload(), []);
    await system.waitUntilReady();
    for (const name of ["third", "fourth"]) {
      await send(name, ["one", "two", "three"]);
      assertEquals(relay.taken.at(-1)!.recipients, [`${name}@one.example`, `${name}@three.example`]);
      assertEquals(other.taken.at(-1)!.recipients, [`${name}@two.example`]);
    }
  });
});
