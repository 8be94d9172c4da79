/** TLS with clients that follow the rules: OpenSSL's (s_client, Python's ssl) and node's. */
import { Buffer } from "node:buffer";
import { createHash, X509Certificate } from "node:crypto";
import net from "node:net";
import tls from "node:tls";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { describe, it } from "@std/testing/bdd";
import { makeCertificate, opensslIsInstalled, opensslNote } from "../lib/tls/openssl.ts";
import { waitFor, within } from "../support/wait.ts";
import { makeContexts, TlsServer } from "./tls_server.ts";

const clients = fromFileUrl(new URL("tls_clients.py", import.meta.url));

function hasPython(): boolean {
  try {
    return new Deno.Command("python3", { args: ["-c", "import ssl"], stderr: "null" }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const python = hasPython();

/** What `openssl s_client` prints that says `lines`, one after the answer to the one before. */
async function sClient(port: number, args: readonly string[], input = "QUIT\r\n"): Promise<string> {
  const child = new Deno.Command("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${port}`, "-ign_eof", "-nocommands", ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // One that gave up before it read this says why on its output.
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { stdout, stderr } = await within(child.output(), 20_000, () => `openssl s_client ${args.join(" ")}`);
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

const starttls = ["-starttls", "smtp"];

describe(`openssl s_client${opensslNote}`, { ignore: !opensslIsInstalled }, () => {
  for (const [option, protocol] of [["-tls1_2", "TLSv1.2"], ["-tls1_3", "TLSv1.3"]] as const) {
    it(`speaks ${protocol} after STARTTLS and from the first octet`, async () => {
      for (const implicit of [false, true]) {
        const { contexts } = await makeContexts(["a.test"]);
        await using server = new TlsServer({ contexts, implicit });
        const said = await sClient(server.port, [option, ...implicit ? [] : starttls]);
        assertStringIncludes(said, "221 bye");
        assertEquals(server.clients[0]!.secured?.protocol, protocol);
      }
    });
  }

  it("is refused with TLS 1.0 and 1.1, and told so", async () => {
    const { contexts } = await makeContexts(["a.test"]);
    await using server = new TlsServer({ contexts, implicit: true });
    for (const option of ["-tls1", "-tls1_1"]) {
      assertMatch(await sClient(server.port, [option, "-cipher", "ALL:@SECLEVEL=0"]), /alert/);
    }
    assertEquals(server.clients.filter(({ failure }) => failure !== undefined).length, 2);
  });

  it("gets the certificate of the host it names, else the default one, and the channel binding is that one's", async () => {
    const { contexts, pems } = await makeContexts(["a.test", "b.test", "*.w.test"]);
    await using server = new TlsServer({ contexts });
    const table: readonly (readonly [string[], number])[] = [
      [["-servername", "b.test"], 1],
      [["-servername", "x.w.test"], 2],
      [["-servername", "unknown.test"], 0],
      [["-noservername"], 0],
    ];
    for (const [args, index] of table) {
      const said = await sClient(server.port, [...starttls, ...args]);
      const wanted = new X509Certificate(pems[index]!);
      assertMatch(said, new RegExp(`subject=${wanted.subject.replace("=", " = ").replaceAll("*", "\\*")}\n`));
      const { secured } = server.clients.at(-1)!;
      assertEquals(secured?.servername, args[1]);
      assertEquals(secured?.endPoint.toHex(), createHash("sha256").update(wanted.raw).digest("hex"));
    }
  });

  it("is refused where it insists on HTTP, and served where it asks for SMTP", async () => {
    const { contexts } = await makeContexts(["a.test"]);
    await using server = new TlsServer({ contexts, implicit: true });
    assertMatch(await sClient(server.port, ["-alpn", "http/1.1,h2"]), /alert no application protocol/);
    assertMatch(await sClient(server.port, ["-alpn", "h2,smtp"]), /ALPN protocol: smtp/);
    assertEquals(server.clients.map(({ failure }) => failure), ["no application protocol in common", undefined]);
  });

  it("is known by a certificate that an authority has issued, and only if it has the key", async () => {
    const authority = makeCertificate({ name: "authority" });
    const shown = makeCertificate({ name: "client.test", by: authority });
    const stranger = makeCertificate({ name: "client.test" });
    const { contexts } = await makeContexts(["a.test"], { authorities: authority.cert });
    await using server = new TlsServer({ contexts, implicit: true });
    const dir = Deno.makeTempDirSync();
    try {
      const write = (name: string, text: string) => {
        Deno.writeTextFileSync(`${dir}/${name}`, text);
        return `${dir}/${name}`;
      };
      const show = async (option: string, { cert, key }: { cert: string; key: string }) => {
        const args = [option, "-cert", write("cert", cert), "-key", write("key", key)];
        const said = await sClient(server.port, args);
        return { said, seen: server.clients.at(-1)! };
      };
      for (const option of ["-tls1_2", "-tls1_3"]) {
        const good = await show(option, shown);
        assertStringIncludes(good.said, "221 bye");
        assertEquals(good.seen.secured?.clientSubject, "CN=client.test");
        assertEquals(good.seen.secured?.clientFingerprint, new X509Certificate(shown.cert).fingerprint256);

        const other = await show(option, stranger);
        assertStringIncludes(other.said, "221 bye", "is served as if it had shown none");
        assertEquals([other.seen.secured?.clientSubject, other.seen.secured?.clientFingerprint], [
          undefined,
          undefined,
        ]);

        const thief = await show(option, { cert: shown.cert, key: withPublicKeyOf(shown.key, stranger.key) });
        assert(thief.seen.secured === undefined && thief.seen.failure !== undefined, "has another's certificate");
      }
      await sClient(server.port, []);
      assertEquals(server.clients.at(-1)!.secured?.clientSubject, undefined);
    } finally {
      Deno.removeSync(dir, { recursive: true });
    }
  });

  it("cannot renegotiate", async () => {
    const { contexts } = await makeContexts(["a.test"]);
    await using server = new TlsServer({ contexts, implicit: true });
    const child = new Deno.Command("openssl", {
      args: ["s_client", "-connect", `127.0.0.1:${server.port}`, "-tls1_2"],
      stdin: "piped",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await waitFor(() => server.clients[0]?.secured, "the handshake");
    await writer.write(new TextEncoder().encode("R\n"));
    const { stderr } = await within(child.output(), 20_000, () => "the refusal");
    assertStringIncludes(new TextDecoder().decode(stderr), "no renegotiation");
    await server.clients[0]!.closed;
  });
});

/** The private number of `key` with the public point of `shown`, as PEM: OpenSSL does not compare them. */
function withPublicKeyOf(shown: string, key: string): string {
  const der = (pem: string) => Buffer.from(pem.replace(/-----.*-----/g, ""), "base64");
  // PKCS#8 around an ECPrivateKey of 32 octets: INTEGER 1, OCTET STRING.
  const marker = Buffer.from([2, 1, 1, 4, 32]);
  const [forged, own] = [der(shown), der(key)];
  own.copy(forged, forged.indexOf(marker) + 5, own.indexOf(marker) + 5, own.indexOf(marker) + 37);
  return `-----BEGIN PRIVATE KEY-----\n${forged.toString("base64")}\n-----END PRIVATE KEY-----\n`;
}

describe(`many OpenSSL clients at once${python ? "" : " (skipped: no python3 with ssl)"}`, { ignore: !python }, () => {
  for (const kind of ["starttls", "implicit"] as const) {
    it(`300 sessions from 20 in parallel end as they should: ${kind}`, async () => {
      const { contexts } = await makeContexts(["a.test", "b.test"]);
      await using server = new TlsServer({ contexts, implicit: kind === "implicit" });
      const child = new Deno.Command("python3", { args: [clients, String(server.port), "300", "20", kind] });
      const { stdout } = await within(child.output(), 120_000, () => `${server.open} sessions`);
      assertEquals(JSON.parse(new TextDecoder().decode(stdout)), { done: 300, trouble: {} });
      await Promise.all(server.clients.map(({ closed }) => closed));
      assertEquals([server.open, server.clients.length], [0, 300]);
    });
  }
});

/** A client of node's TLS over a socket of its own. */
function connectTls(port: number): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: "127.0.0.1" });
    const secure = tls.connect({ socket, rejectUnauthorized: false }, () => resolve(secure));
    secure.on("error", reject);
  });
}

async function until(socket: tls.TLSSocket, end: string): Promise<string> {
  let text = "";
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += Buffer.from(chunk).toString("latin1");
    if (text.endsWith(end)) break;
  }
  return text;
}

describe("a ClientSocket with TLS", () => {
  it("counts in both layers what the client does not take, and says when it has left", async () => {
    const { contexts } = await makeContexts(["a.test"]);
    await using server = new TlsServer({ contexts, implicit: true });
    const client = await connectTls(server.port);
    await until(client, "220 small server\r\n");
    const bytes = 8_000_000;
    client.write(`BLOW ${bytes}\r\n`);
    const { socket, drained } = await waitFor(() => server.clients[0]!.lines.length > 0 && server.clients[0], "BLOW");
    assert(socket.writableLength > bytes / 4);
    const text = await until(client, "250 ok\r\n");
    assertEquals(text.length, bytes + "250 ok\r\n".length);
    await drained;
    assertEquals(socket.writableLength, 0);
    client.destroy();
  });

  it("reads nothing while it is paused, and everything after that", async () => {
    const { contexts } = await makeContexts(["a.test"]);
    await using server = new TlsServer({ contexts, implicit: true });
    const client = await connectTls(server.port);
    await until(client, "220 small server\r\n");
    client.write("PAUSE\r\n");
    const { socket, lines } = await waitFor(() => server.clients[0]!.lines.length > 0 && server.clients[0], "PAUSE");
    assert(socket.paused);
    const line = `NOOP ${"x".repeat(995)}\r\n`;
    const count = 20_000;
    let written = 0;
    const all = new Promise<void>((resolve) => {
      for (let index = 0; index < count; index++) client.write(line, () => ++written === count && resolve());
    });
    // Both sides' buffers and the system's are full now, far below the 20 MB.
    await waitFor(() => client.writableLength > 0 && stands(() => written), "the client to stand still");
    assert(written < count);
    assert(lines.length < 100, "what was under way when it was paused");
    client.resume();
    socket.resume();
    await all;
    await waitFor(() => lines.length >= count + 1, "all lines");
    client.destroy();
  });

  it("still answers a client that has closed its side, and says close_notify itself", async () => {
    const { contexts } = await makeContexts(["a.test"]);
    await using server = new TlsServer({ contexts, implicit: true });
    const client = await connectTls(server.port);
    await until(client, "220 small server\r\n");
    const ended = new Promise<void>((resolve) => client.on("end", resolve));
    client.end("BLOW 100000\r\n");
    const text = await until(client, "250 ok\r\n");
    assertEquals(text.length, 100_000 + "250 ok\r\n".length);
    client.resume();
    await ended;
    await server.clients[0]!.closed;
  });

  it("goes on reading after it has closed its own side", async () => {
    const { contexts } = await makeContexts(["a.test"]);
    await using server = new TlsServer({ contexts, implicit: true });
    const { port } = server;
    const client = await new Promise<tls.TLSSocket>((resolve) => {
      const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      const secure = tls.connect(
        { socket, rejectUnauthorized: false, allowHalfOpen: true } as tls.ConnectionOptions,
        () => resolve(secure),
      );
    });
    await until(client, "220 small server\r\n");
    client.write("END\r\n");
    await until(client, "250 ok\r\n");
    client.write("NOOP after it\r\n");
    await waitFor(() => server.clients[0]!.lines.includes("NOOP after it"), "the line");
    client.end();
    await server.clients[0]!.closed;
  });
});

let lastValue = -1;
let lastChange = performance.now();

/** Whether a number has not changed for a moment. */
function stands(value: () => number): boolean {
  if (value() !== lastValue) [lastValue, lastChange] = [value(), performance.now()];
  return performance.now() - lastChange > 300;
}
