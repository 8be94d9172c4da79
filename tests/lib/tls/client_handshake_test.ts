import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { createServer, type Server, type Socket } from "node:net";
import { secure, type SecureResult } from "../../../components/lib/tls/client_handshake.ts";
import type { Proof, TlsPolicy } from "../../../components/lib/tls/client_policy.ts";
import { connected, fingerprint, issue, OpensslServer, stolen, tlsa } from "./issued.ts";
import { tlsaOf } from "../../../components/lib/dane/tlsa.ts";
import { type Made, opensslIsInstalled, opensslNote } from "./openssl.ts";

const may: TlsPolicy = {
  tls: "may",
  implicit: false,
  proof: undefined,
  enforced: true,
  source: "default",
  requireTls: false,
};

function demanding(proof: Proof): TlsPolicy {
  return { ...may, tls: "must", proof };
}

/** Long enough for a machine that is busy; no test waits for it. */
const longMs = 30_000;

async function handshake(port: number, policy = may, name = "mx.test", timeoutMs = longMs): Promise<SecureResult> {
  return await secure(await connected(port), policy, name, timeoutMs);
}

/** The result without its stream, which is closed. */
function ended(result: SecureResult): unknown {
  if (result.kind === "failed") return result;
  result.socket.destroy();
  return result.facts;
}

/** A server that does as it likes with each connection. */
class Scripted implements AsyncDisposable {
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(act: (socket: Socket) => void): Promise<Scripted> {
    const server = createServer();
    const scripted = new Scripted(server);
    server.on("connection", (socket: Socket) => {
      scripted.#open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => scripted.#open.delete(socket));
      act(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return scripted;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Passes octets on between `socket` and a port, and hands out the other socket. */
async function join(socket: Socket, port: number): Promise<Socket> {
  const other = await connected(port);
  other.on("error", () => {});
  other.on("data", (chunk: Uint8Array) => socket.write(chunk));
  socket.on("data", (chunk: Uint8Array) => other.write(chunk));
  other.on("close", () => socket.destroy());
  other.resume();
  socket.on("close", () => other.destroy());
  return other;
}

/** The next line of a stream. */
function lineOf(stream: { on(event: "data", listener: (chunk: Uint8Array) => void): unknown }): Promise<string> {
  let text = "";
  return new Promise((resolve) => {
    stream.on("data", (chunk) => {
      text += new TextDecoder().decode(chunk);
      if (text.includes("\n")) resolve(text);
    });
  });
}

describe(`secure() with OpenSSL${opensslNote}`, { ignore: !opensslIsInstalled }, () => {
  let made: Made | undefined;
  const own = () => made ??= issue({ name: "mx.test" });

  it("speaks TLS 1.2 and 1.3, and nothing older", async () => {
    const protocols: unknown[] = [];
    for (const version of ["-tls1_1", "-tls1_2", "-tls1_3"]) {
      await using server = await OpensslServer.start(own(), [], [version, "-cipher", "DEFAULT:@SECLEVEL=0"]);
      const result = await handshake(server.port);
      protocols.push(result.kind === "secured" ? result.facts.protocol : result.kind);
      ended(result);
    }
    assertEquals(protocols, ["failed", "TLSv1.2", "TLSv1.3"]);
  });

  it("takes any certificate where no proof is wanted", async () => {
    for (const made of [issue({ name: "else.test" }), issue({ name: "mx.test", days: -1 })]) {
      await using server = await OpensslServer.start(made);
      assertEquals(ended(await handshake(server.port)), {
        protocol: "TLSv1.3",
        cipher: "TLS_AES_256_GCM_SHA384",
        proved: false,
      });
    }
  });

  it("carries octets both ways afterwards, however many", async () => {
    await using server = await OpensslServer.start(own());
    const result = await handshake(server.port);
    assert(result.kind === "secured");
    const line = lineOf(result.socket);
    result.socket.write("octets\n");
    assertEquals(await line, "stetco\n");
    result.socket.destroy();
  });

  it("proves a certificate by its fingerprint, and by that only", async () => {
    await using server = await OpensslServer.start(own());
    const policy = demanding({ kind: "fingerprint", fingerprints: ["00".repeat(32), fingerprint(own())] });
    assertEquals((ended(await handshake(server.port, policy, "any.test")) as { proved: boolean }).proved, true);
    const other = demanding({ kind: "fingerprint", fingerprints: ["00".repeat(32)] });
    assertEquals(ended(await handshake(server.port, other)), {
      kind: "failed",
      flaw: "validation-failure",
      text: "its certificate is another one",
    });
  });

  it("asks for the name of the policy where it has one, and for none where there is an address", async () => {
    const cases: readonly (readonly [string, string | undefined, string])[] = [
      ["mx.test", undefined, "mx.test"],
      ["mx.test.", undefined, "mx.test"],
      ["mx.test", "base.test", "base.test"],
      ["192.0.2.1", undefined, ""],
      ["2001:db8::1", undefined, ""],
    ];
    const other = issue({ name: "named.test" });
    for (const [name, servername, want] of cases) {
      // It shows the other certificate to who asks for the name that is wanted.
      const [cert, key] = [Deno.makeTempFileSync(), Deno.makeTempFileSync()];
      Deno.writeTextFileSync(cert, other.cert);
      Deno.writeTextFileSync(key, other.key);
      const args = ["-cert2", cert, "-key2", key, "-servername", want === "" ? "mx.test" : want];
      await using server = await OpensslServer.start(own(), [], args);
      const shown = want === "" ? own() : other;
      const policy = demanding({ kind: "fingerprint", fingerprints: [fingerprint(shown)] });
      const result = await handshake(server.port, { ...policy, ...(servername && { servername }) }, name);
      assertEquals((ended(result) as { proved?: boolean }).proved, true, `${name} ${servername}`);
      for (const file of [cert, key]) Deno.removeSync(file);
    }
  });

  it("fails, and no more, where the name cannot be asked for", async () => {
    await using server = await OpensslServer.start(own());
    for (const name of ["no name", "", "-", "a..b", "x".repeat(300), "\x00", "b\xfccher.test"]) {
      assert(["failed", "secured"].includes(
        (await handshake(server.port, may, name).then((result) => {
          ended(result);
          return result;
        })).kind,
      ));
    }
  });

  it("believes no server that shows a certificate without having its key", async () => {
    for (const version of ["-tls1_2", "-tls1_3"]) {
      await using server = await OpensslServer.start(stolen(own()), [], [version]);
      const proofs: readonly (Proof | undefined)[] = [
        undefined,
        { kind: "fingerprint", fingerprints: [fingerprint(own())] },
        { kind: "dane", records: tlsaOf([{ value: tlsa(own(), 3, 1, 1) }]), names: ["mx.test"] },
        { kind: "authority", names: ["mx.test"], authorities: [own().cert] },
      ];
      for (const proof of proofs) {
        const policy = proof === undefined ? may : demanding(proof);
        assertEquals(ended(await handshake(server.port, policy)), {
          kind: "failed",
          flaw: "validation-failure",
          text: "the TLS handshake failed",
        });
      }
    }
  });

  it("works behind STARTTLS, on a connection that was spoken on before", async () => {
    await using server = await OpensslServer.start(own());
    const { port } = server;
    await using front = await Scripted.start((socket) => {
      socket.write("220 mx.test ESMTP\r\n");
      socket.once("data", () => {
        socket.pause();
        socket.write("220 go on\r\n", () => {
          join(socket, port).then(() => socket.resume());
        });
      });
    });
    const socket = await connected(front.port);
    const greeting = lineOf(socket);
    socket.resume();
    await greeting;
    socket.removeAllListeners("data");
    const ready = lineOf(socket);
    socket.write("STARTTLS\r\n");
    await ready;
    socket.removeAllListeners("data");
    socket.pause();
    const policy = demanding({ kind: "fingerprint", fingerprints: [fingerprint(own())] });
    const result = await secure(socket, policy, "mx.test", longMs);
    assert(result.kind === "secured", result.kind === "failed" ? result.text : "");
    const line = lineOf(result.socket);
    result.socket.write("EHLO\n");
    assertEquals(await line, "OLHE\n");
    result.socket.destroy();
  });

  it("ends the stream where the session is broken, by whatever", async () => {
    const breaks: Readonly<Record<string, (socket: Socket) => void>> = {
      "octets that are no TLS": (socket) => socket.write("250 injected\r\n"),
      "a record that does not decrypt": (socket) => socket.write(Uint8Array.of(23, 3, 3, 0, 32, ...new Uint8Array(32))),
      "an alert that is not protected": (socket) => socket.write(Uint8Array.of(21, 3, 3, 0, 2, 2, 40)),
      "the connection's end": (socket) => socket.end(),
      "a reset": (socket) => socket.resetAndDestroy(),
    };
    for (const version of ["-tls1_2", "-tls1_3"]) {
      await using server = await OpensslServer.start(own(), [], [version]);
      for (const [name, act] of Object.entries(breaks)) {
        const sockets: Socket[] = [];
        await using front = await Scripted.start((socket) => {
          sockets.push(socket);
          socket.pause();
          join(socket, server.port).then(() => socket.resume());
        });
        const result = await handshake(front.port);
        assert(result.kind === "secured", name);
        let heard = "";
        const over = new Promise<void>((resolve) => {
          result.socket.on("error", () => {});
          result.socket.on("data", (chunk: Uint8Array) => heard += new TextDecoder().decode(chunk));
          result.socket.on("end", resolve);
          result.socket.on("close", resolve);
        });
        // Once this came back, nothing of the handshake is under way any more.
        const line = lineOf(result.socket);
        result.socket.write("ready\n");
        await line;
        act(sockets[0]!);
        await over;
        assertEquals(heard, "ydaer\n", name);
        result.socket.destroy();
      }
    }
  });
});

describe("secure() with a server that is none", () => {
  const first = (act: (socket: Socket) => void) => (socket: Socket) => void socket.once("data", () => act(socket));
  const record = (...octets: readonly number[]) => (socket: Socket) => void socket.write(Uint8Array.from(octets));
  const peers: readonly { readonly name: string; readonly act: (socket: Socket) => void; readonly text: RegExp }[] = [
    { name: "closes at once", act: (socket) => socket.end(), text: /disconnected/ },
    { name: "closes when it is spoken to", act: first((socket) => socket.end()), text: /disconnected/ },
    { name: "resets the connection", act: first((socket) => socket.resetAndDestroy()), text: /disconnected|reset/i },
    {
      name: "closes in the middle",
      act: first((socket) => socket.end(Uint8Array.of(22, 3, 3, 0, 100, 2))),
      text: /disconnected/,
    },
    {
      name: "goes on in the clear",
      act: (socket) => socket.write("250 hello\r\n250 and more\r\n"),
      text: /InvalidContentType/,
    },
    {
      name: "speaks HTTP",
      act: first((socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n")),
      text: /InvalidContentType/,
    },
    { name: "sends an alert", act: first(record(21, 3, 3, 0, 2, 2, 40)), text: /HandshakeFailure/ },
    { name: "sends a record of any length", act: record(22, 3, 3, 255, 255), text: /MessageTooLarge/ },
    {
      name: "sends a megabyte of zeros",
      act: (socket) => socket.write(new Uint8Array(1 << 20)),
      text: /InvalidContentType/,
    },
    { name: "says nothing", act: () => {}, text: /in time/ },
    { name: "sends warnings only", act: first(record(21, 3, 3, 0, 2, 1, 112)), text: /in time/ },
    { name: "says that it closes, and does not", act: first(record(21, 3, 3, 0, 2, 1, 0)), text: /in time/ },
    {
      name: "goes on for ever",
      act: (socket) => {
        const more = () =>
          socket.destroyed || void socket.write(Uint8Array.of(21, 3, 3, 0, 2, 1, 112), () => setTimeout(more, 1));
        more();
      },
      text: /in time|./,
    },
  ];
  for (const { name, act, text } of peers) {
    it(`fails where it ${name}, and closes the connection`, async () => {
      await using server = await Scripted.start(act);
      const socket = await connected(server.port);
      const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
      const result = await secure(socket, may, "mx.test", text.source.includes("in time") ? 100 : longMs);
      assert(result.kind === "failed");
      assertEquals(result.flaw, "validation-failure");
      assertMatch(result.text, text);
      assertMatch(result.text, /^[ -~]{1,200}$/);
      await closed;
    });
  }

  it("fails on a connection that is closed already", async () => {
    await using server = await Scripted.start(() => {});
    const socket = await connected(server.port);
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.destroy();
    await closed;
    assertEquals((await secure(socket, may, "mx.test", longMs)).kind, "failed");
  });
});
