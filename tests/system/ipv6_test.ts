/**
 * dial6 in a whole system: there when control/ipv6 says so, held to what the supervisor decides, and back after it died.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { encodeFrame } from "../../components/lib/wire/frame.ts";
import { manifest } from "../../components/dial6/permissions.ts";
import { blackhole } from "../../scripts/bench/fairness/blackhole.ts";
import { placeProbe, probeScript, runProbe } from "../support/grant_script.ts";
import { startDnsServer } from "../support/dns_server.ts";
import { sendMail } from "../support/smtp_client.ts";
import { startSmtpSink } from "../support/smtp_sink.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

describe("a system that sends over IPv6", () => {
  let system: System;
  let far: Server;
  let port: number;

  beforeAll(async () => {
    far = createServer((socket) => {
      socket.on("error", () => {});
      socket.end("220 hello\r\n");
    });
    await new Promise<void>((resolve) => far.listen({ host: "::1", port: 0 }, resolve));
    port = (far.address() as AddressInfo).port;
    system = await startSystem({ controls: { ipv6: "1\n", mxprivate: "1\n", remoteport: `${port}\n` } });
  });

  afterAll(async () => {
    await system?.stop();
    far?.close();
  });

  /** What dial6 says to a request for `[::1]:port`. */
  function ask(port: number): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect({ path: system.home.socket("dial6") });
      let heard = "";
      socket.on("error", () => resolve("no dial6"));
      socket.on("data", (chunk: Uint8Array) => heard += new TextDecoder().decode(chunk));
      socket.on("end", () => resolve(heard));
      socket.write(encodeFrame({ op: "dial", address: "::1", port }));
    });
  }

  const find = async () => (await system.status()).components.find(({ name }) => name === "dial6");

  it("connects to the port of mail, and to no other", async () => {
    assertEquals(await ask(port), "C220 hello\r\n");
    assertEquals(await ask(port - 1), "N");
  });

  it("decides for whatever runs in dial6's place", async () => {
    const script = probeScript(system, "dial6", placeProbe(system));
    const { results } = await runProbe(manifest, ["/bin/sh", script], [
      ["connect", `::1:${port}`],
      ["connect", `::1:${port - 1}`],
      ["connect", "127.0.0.1:25"],
      ["connect", "localhost:25"],
      ["read", system.home.control("me")],
      ["read", system.home.libexec("grants", "dial6")],
      ["list", system.home.queue("mess")],
      ["write", system.home.control("me")],
      ["connectUnix", system.home.socket("qmail-queue")],
      ["connectUnix", system.home.socket("supervisor-status")],
      ["connectUnix", system.home.socket("dial6-permissions")],
      ["run", "/bin/true", ""],
    ]);
    assertEquals(results, ["done", ...Array.from({ length: 11 }, () => "refused")]);
  });

  it("has it back after it was killed", async () => {
    const before = await find();
    assert(before?.pid !== undefined);
    await system.signal("dial6", "SIGKILL");
    await waitFor(async () => {
      const now = await find();
      return now?.state === "running" && now.pid !== before.pid;
    }, "another dial6");
    assertEquals(await ask(port), "C220 hello\r\n");
  });

  it("does as the control files say after a reload: at once for another port, without it for 0", async () => {
    system.writeControl("remoteport", "1\n");
    const before = await find();
    assertEquals(await system.reload(), []);
    await waitFor(async () => await ask(port) === "N", "the new decision");
    assertEquals((await find())?.pid, before?.pid);
    system.writeControl("remoteport", `${port}\n`);
    system.writeControl("ipv6", "0\n");
    assertEquals(await system.reload(), []);
    await waitFor(async () => await find() === undefined, "dial6 to be gone");
    assertEquals(await ask(port), "no dial6");
    system.writeControl("ipv6", "1\n");
    assertEquals(await system.reload(), []);
    await waitFor(async () => (await find())?.state === "running", "dial6 to be there again");
    assertEquals(await ask(port), "C220 hello\r\n");
  });
});

describe("mail to a relay with addresses of both families", () => {
  it("goes over IPv6 where that answers, and over IPv4 where it refuses or is silent", async () => {
    await using six = await startSmtpSink("::1");
    await using four = await startSmtpSink("127.0.0.2");
    await using last = await startSmtpSink("127.0.0.2");
    using _silent = await blackhole("::1", last.port);
    const dns = await startDnsServer({
      "six.example AAAA": ["::1"],
      "both.example A": ["127.0.0.2"],
      "both.example AAAA": ["::1"],
    });
    await using system = await startSystem({
      controls: {
        ipv6: "1\n",
        mxprivate: "1\n",
        nameservers: `127.0.0.1:${dns.port}\n`,
        // Longer than this test waits.
        timeoutconnect: "600\n",
        smtproutes: [
          `a.example:six.example:${six.port}`,
          `b.example:both.example:${four.port}`,
          `c.example:both.example:${last.port}`,
          "",
        ].join("\n"),
      },
    });
    const from = "demo@localhost";
    const content = "Subject: short\n\nhello\n";
    await sendMail(system.ports["smtp"]!, { from, to: ["amy@a.example"], content });
    await waitFor(() => six.taken.length === 1, "the message over IPv6");
    // Nobody listens on that port of ::1.
    await sendMail(system.ports["smtp"]!, { from, to: ["bob@b.example"], content });
    await waitFor(() => four.taken.length === 1, "the message over IPv4");
    await sendMail(system.ports["smtp"]!, { from, to: ["cat@c.example"], content });
    await waitFor(() => last.taken.length === 1, "the message over IPv4, beside a silent address");
    await dns.stop();
  });
});
