/**
 * What an intruder in dial6 could reach: a probe runs in its place, asked about by the same broker.
 * @module
 */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import { fromFileUrl } from "@std/path";
import { fromOctets } from "../../components/lib/octets.ts";
import { selfSignedCertificate } from "../../scripts/home/self_signed.ts";
import { dial } from "../../components/qmail-remote/dial.ts";
import { encodeFrame } from "../../components/lib/wire/frame.ts";
import { waitFor } from "../support/wait.ts";
import { startDial6 } from "./support.ts";

const probe = fromFileUrl(new URL("../support/probe.ts", import.meta.url));

/** A listener at `host` that says 220 to everybody. */
async function greeter(host: string): Promise<{ port: number } & Disposable> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end("220 hello\r\n");
  });
  await new Promise<void>((resolve) => server.listen({ host, port: 0 }, resolve));
  return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => void server.close() };
}

/** What came of each deed of a probe in dial6's place. */
async function tried(
  controls: Parameters<typeof startDial6>[0],
  deeds: readonly (readonly [string, string, string?])[],
): Promise<readonly string[]> {
  let output = "";
  const options = { main: probe, args: [JSON.stringify(deeds)], onOutput: (text: string) => output = text };
  await using process = await startDial6(controls, options);
  assertEquals((await process.status).code, 0);
  return (JSON.parse(output) as { results: string[] }).results;
}

describe("dial6's grant", () => {
  it("reaches nothing on this machine, no IPv4, no other port, no file, no program", async () => {
    using six = await greeter("::1");
    using four = await greeter("127.0.0.1");
    const refused = [
      ["connect", `::1:${six.port}`],
      ["connect", "::1:25"],
      ["connect", `127.0.0.1:${four.port}`],
      ["connect", `::ffff:127.0.0.1:${four.port}`],
      ["connect", "::ffff:7f00:1:25"],
      ["connect", "127.0.0.1:25"],
      ["connect", "localhost:25"],
      ["connect", "fe80::1:25"],
      ["connect", "fc00::1:25"],
      ["connect", "ff02::1:25"],
      ["connect", "64:ff9b::7f00:1:25"],
      ["connect", "2001:db8::1:26"],
      ["connect", "2001:db8::1:443"],
      ["listen", "::1:0"],
      ["listen", "::1:25"],
      ["listen", "127.0.0.1:0"],
      ["datagram", "127.0.0.1:53"],
      ["dns", "127.0.0.1:53"],
      ["fetch", `http://[::1]:${six.port}/`],
      ["fetch", `http://127.0.0.1:${four.port}/`],
      ["read", "/etc/passwd"],
      ["read", "/etc/hostname"],
      ["list", "/"],
      ["stat", "/etc"],
      ["write", "/tmp/dial6-probe"],
      ["run", "/bin/sh", "-c true"],
      ["run", Deno.execPath(), "--version"],
      ["runWithEnv", "/bin/true", "LD_PRELOAD"],
      ["env", "HOME"],
      ["sys", "hostname"],
      ["sys", "networkInterfaces"],
      ["nodeSys", "setuid"],
      ["kill", "1"],
      ["ffi", "/lib/x86_64-linux-gnu/libc.so.6"],
      ["connectUnix", "/run/dbus/system_bus_socket"],
      ["listenUnix", "/tmp/dial6-probe.sock"],
      ["import", "file:///etc/hostname"],
      ["importText", "file:///etc/hostname"],
      ["ask", "net"],
      ["ask", "read"],
      ["ask", "run"],
    ] as const;
    assertEquals(await tried({}, refused), refused.map(() => "refused"));
  });

  it("reaches loopback and the site's own where control/mxprivate says so, at the ports of mail", async () => {
    using six = await greeter("::1");
    const deeds = [
      ["connect", `::1:${six.port}`],
      ["connect", `::1:${six.port + 1}`],
      ["connect", "127.0.0.1:25"],
      ["listen", "::1:25"],
    ] as const;
    assertEquals(await tried({ mxprivate: true, remoteport: six.port }, deeds), [
      "done",
      "refused",
      "refused",
      "refused",
    ]);
  });
});

describe("dial6", () => {
  it("connects qmail-remote, and says no to what the supervisor does not grant", async () => {
    using six = await greeter("::1");
    using other = await greeter("::1");
    await using process = await startDial6({ mxprivate: true, remoteport: six.port });
    const options = { timeoutMs: 5000, dial6: process.path };
    const ask = (port: number, localAddress?: string) => {
      return new Promise<string>((resolve) => {
        const socket = connect({ path: process.path });
        socket.on("error", () => resolve("error"));
        socket.on("end", () => resolve("end"));
        socket.on("data", (chunk: Uint8Array) => {
          resolve(String.fromCharCode(chunk[0]!));
          socket.destroy();
        });
        socket.write(encodeFrame({ op: "dial", address: "::1", port, ...(localAddress ? { localAddress } : {}) }));
      });
    };
    assertEquals(await ask(six.port), "C");
    assertEquals(await ask(other.port), "N");
    assertEquals(await ask(six.port, "::1"), "N");
    assertEquals(process.refused, [`net [::1]:${other.port}`, "net [::1]:0"]);
    // This test may do everything, so it goes through dial6 only where it is told to.
    const direct = await dial("::1", six.port, options);
    assert(direct.kind === "connected");
    direct.connection.close("");
  });

  it("carries TLS from end to end, begun in the middle of a dialogue", async () => {
    const pem = await selfSignedCertificate(["mx.example"], Date.now());
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.write("220 hello\r\n");
      socket.once("data", () => {
        socket.write("220 go ahead\r\n");
        const secured = new TLSSocket(socket, { isServer: true, key: pem, cert: pem });
        secured.on("error", () => {});
        secured.on("data", (chunk: Uint8Array) => secured.write(chunk));
      });
    });
    await new Promise<void>((resolve) => server.listen({ host: "::1", port: 0 }, resolve));
    const { port } = server.address() as AddressInfo;
    await using process = await startDial6({ mxprivate: true, remoteport: port });
    const socket = connect({ path: process.path });
    let heard = "";
    const onData = (chunk: Uint8Array) => heard += fromOctets(chunk);
    socket.on("data", onData);
    socket.write(encodeFrame({ op: "dial", address: "::1", port }));
    await waitFor(() => heard === "C220 hello\r\n", "the greeting");
    socket.write("STARTTLS\r\n");
    await waitFor(() => heard.endsWith("220 go ahead\r\n"), "the answer to STARTTLS");
    socket.off("data", onData);
    socket.pause();
    const secured = connectTls({ socket, rejectUnauthorized: false, servername: "mx.example" });
    let echoed = "";
    secured.on("error", () => {});
    secured.on("data", (chunk: Uint8Array) => echoed += fromOctets(chunk));
    const long = "x".repeat(300_000);
    secured.write(long);
    await waitFor(() => echoed === long, "all of it");
    assertEquals([secured.getProtocol(), secured.getPeerCertificate().subject.CN], ["TLSv1.3", "mx.example"]);
    secured.destroy();
    server.close();
  });

  it("comes from an address of control/outgoingip", async () => {
    using six = await greeter("::1");
    const outgoingip = ["::1"];
    await using process = await startDial6({ mxprivate: true, remoteport: six.port, outgoingip });
    const socket = connect({ path: process.path });
    let heard = "";
    socket.on("data", (chunk: Uint8Array) => heard += new TextDecoder().decode(chunk));
    socket.write(encodeFrame({ op: "dial", address: "::1", port: six.port, localAddress: "::1" }));
    await waitFor(() => heard === "C220 hello\r\n", "the greeting");
    socket.destroy();
  });

  it("does not start without its broker, whatever its flags would be", async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--allow-all", probe, "[]"],
      env: { DENO_PERMISSION_BROKER_PATH: "/nonexistent/s" },
      stdout: "null",
      stderr: "null",
    });
    assertEquals((await child.output()).code, 87);
  });

  it("ends at the first question nobody answers", async () => {
    using six = await greeter("::1");
    const process = await startDial6({ mxprivate: true, remoteport: six.port });
    process.breakBroker();
    const socket = connect({ path: process.path });
    socket.on("error", () => {});
    socket.write(encodeFrame({ op: "dial", address: "::1", port: six.port }));
    assertEquals((await process.status).code, 87);
    socket.destroy();
    await process[Symbol.asyncDispose]();
  });
});
