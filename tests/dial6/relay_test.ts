import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { relay } from "../../components/dial6/relay.ts";
import { encodeFrame } from "../../components/lib/wire/frame.ts";
import { waitFor, within } from "../support/wait.ts";

function listening(server: Server, where: { host?: string; path?: string }): Promise<void> {
  return new Promise((resolve) => server.listen(where.path ?? { host: where.host!, port: 0 }, resolve));
}

/** All that a socket says, as an octet string. */
class Heard {
  text = "";
  ended = false;
  closed = false;
  constructor(socket: Socket) {
    socket.on("data", (chunk: Uint8Array) => this.text += Buffer.from(chunk).toString("latin1"));
    socket.on("end", () => this.ended = true);
    socket.on("close", () => this.closed = true);
    socket.on("error", () => {});
  }
}

describe("a connection through dial6", () => {
  let dir: string;
  let relaying: Server;
  let far: Server;
  let port: number;
  let accepted: Socket[];
  let errors: unknown[];
  const clients: Socket[] = [];

  beforeEach(async () => {
    dir = Deno.makeTempDirSync();
    errors = [];
    accepted = [];
    relaying = createServer(
      { allowHalfOpen: true },
      (client) => relay(client, { askMs: 300, lingerMs: 300, onError: (error) => errors.push(error) }),
    );
    far = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => {});
      accepted.push(socket);
    });
    await listening(relaying, { path: `${dir}/s` });
    await listening(far, { host: "::1" });
    port = (far.address() as AddressInfo).port;
  });

  afterEach(() => {
    for (const socket of [...clients.splice(0), ...accepted]) socket.destroy();
    relaying.close();
    far.close();
    Deno.removeSync(dir, { recursive: true });
  });

  function open(): { socket: Socket; heard: Heard } {
    const socket = connect({ path: `${dir}/s`, allowHalfOpen: true });
    clients.push(socket);
    return { socket, heard: new Heard(socket) };
  }

  async function through(): Promise<{ socket: Socket; heard: Heard; server: Socket }> {
    const { socket, heard } = open();
    socket.write(encodeFrame({ op: "dial", address: "::1", port }));
    await waitFor(() => heard.text === "C" && accepted.length > 0, "the connection");
    return { socket, heard, server: accepted.at(-1)! };
  }

  it("carries octets both ways as they are", async () => {
    const { socket, heard, server } = await through();
    const there = new Heard(server);
    socket.write(Buffer.from([0, 255, 13, 10]));
    server.write(Buffer.from([10, 0, 254]));
    await waitFor(() => there.text === "\0\xff\r\n" && heard.text === "C\n\0\xfe", "the octets");
  });

  it("ends one way without ending the other", async () => {
    const { socket, heard, server } = await through();
    const there = new Heard(server);
    socket.end("last");
    await waitFor(() => there.ended, "the end of the first way");
    assertEquals(there.text, "last");
    server.write("still here");
    await waitFor(() => heard.text === "Cstill here", "what was said after it");
    assertEquals(heard.ended, false);
    server.end();
    await waitFor(() => heard.ended, "the end of the second way");
  });

  it("holds a fast sender back while nobody reads", async () => {
    const { socket, server } = await through();
    const piece = Buffer.alloc(64 * 1024);
    const most = 64 * 1024 * 1024;
    let written = 0;
    while (written < most) {
      written += piece.length;
      if (socket.write(piece)) continue;
      const drained = new Promise<boolean>((resolve) => socket.once("drain", () => resolve(true)));
      const stuck = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 300));
      if (!await Promise.race([drained, stuck])) break;
    }
    assert(written < most, `${written} octets were taken`);
    let read = 0;
    server.on("data", (chunk: Uint8Array) => read += chunk.length);
    await waitFor(() => read === written, "all of it", 20_000);
  });

  it("breaks off when the server does", async () => {
    const { heard, server } = await through();
    server.resetAndDestroy();
    await waitFor(() => heard.ended || heard.closed, "the end");
  });

  it("breaks off at the server when qmail-remote is gone, however silent the server", async () => {
    const { socket, server } = await through();
    const there = new Heard(server);
    socket.destroy();
    await waitFor(() => there.ended && there.closed === false, "the end of what qmail-remote says");
    server.on("error", () => {});
    // The server never ends its own way.
    await waitFor(() => {
      if (!server.destroyed) server.write("x");
      return there.closed;
    }, "the end of the connection");
  });

  it("is refused with an octet where nobody listens", async () => {
    far.close();
    const { socket, heard } = open();
    socket.write(encodeFrame({ op: "dial", address: "::1", port }));
    await waitFor(() => heard.ended, "the end");
    assertEquals(heard.text, "R");
  });

  for (const address of ["127.0.0.1", "localhost", "fe80::1%lo", "", "::ffff:127.0.0.1x"]) {
    it(`is not granted to ${JSON.stringify(address)}, which is no IPv6 address`, async () => {
      const { socket, heard } = open();
      socket.write(encodeFrame({ op: "dial", address, port }));
      await waitFor(() => heard.ended, "the end");
      assertEquals(heard.text, "N");
      assertEquals(accepted.length, 0);
    });
  }

  it("comes from the address that was asked for, or says that there is no way from it", async () => {
    const { socket, heard } = open();
    socket.write(encodeFrame({ op: "dial", address: "::1", port, localAddress: "::1" }));
    await waitFor(() => heard.text === "C" && accepted.length === 1, "the connection");
    assertEquals(accepted[0]!.remoteAddress, "::1");
    const other = open();
    other.socket.write(encodeFrame({ op: "dial", address: "::1", port, localAddress: "2001:db8::5" }));
    await waitFor(() => other.heard.ended, "the end");
    assertEquals(other.heard.text, "U");
  });

  const frame = (head: object) => Buffer.from(encodeFrame(head));
  for (
    const { claim, octets } of [
      { claim: "octets that are no frame", octets: () => Buffer.from("EHLO example\r\n") },
      { claim: "a frame that is too long", octets: () => frame({ op: "dial", address: "x".repeat(2000), port }) },
      { claim: "another request", octets: () => frame({ op: "resolve", id: 1 }) },
      { claim: "no port", octets: () => frame({ op: "dial", address: "::1" }) },
      { claim: "port 0", octets: () => frame({ op: "dial", address: "::1", port: 0 }) },
      { claim: "port 65536", octets: () => frame({ op: "dial", address: "::1", port: 65_536 }) },
      {
        claim: "words before the answer",
        octets: () => Buffer.concat([frame({ op: "dial", address: "::1", port }), Buffer.from("EHLO")]),
      },
    ]
  ) {
    it(`ends without an answer at ${claim}`, async () => {
      const { socket, heard } = open();
      socket.write(octets());
      await waitFor(() => heard.closed || heard.ended, "the end");
      assertEquals([heard.text, errors.length], ["", 1]);
    });
  }

  it("ends when nothing is asked", async () => {
    const { heard } = open();
    await waitFor(() => heard.closed || heard.ended, "the end");
    assertEquals([heard.text, accepted.length], ["", 0]);
  });

  it("is passed in any cut of the request", async () => {
    const { socket, heard } = open();
    for (const octet of frame({ op: "dial", address: "::1", port })) socket.write(Buffer.from([octet]));
    await within(waitFor(() => heard.text === "C", "the connection"), 5000, () => "a connection");
  });
});
