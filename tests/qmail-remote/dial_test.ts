import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { fromFileUrl } from "@std/path";
import type { DialOptions } from "../../components/qmail-remote/dial.ts";
import { startDial6 } from "../dial6/support.ts";

const program = fromFileUrl(new URL("./support/dial_all.ts", import.meta.url));

/** What came of dialling each, under these flags. */
async function dialled(
  flags: readonly string[],
  all: readonly (readonly [string, number, Partial<DialOptions>?])[],
): Promise<readonly string[]> {
  const list = all.map(([address, port, options]) => [address, port, { timeoutMs: 3000, ...options }]);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--cached-only", ...flags, program, JSON.stringify(list)],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  assertEquals(code, 0, decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout)) as string[];
}

const flagsFor = (path: string) => [`--allow-net=unix:${path}`, `--allow-read=${path}`, `--allow-write=${path}`];

interface Listening extends Disposable {
  readonly port: number;
}

async function listening(
  where: { host: string } | { path: string },
  serve: (socket: Socket) => void,
): Promise<Listening> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen("host" in where ? { ...where, port: 0 } : where, resolve));
  const address = server.address() as AddressInfo;
  return { port: address.port, [Symbol.dispose]: () => void server.close() };
}

/** Says 220 and the address of whoever connects. */
const greet = (socket: Socket) => void socket.end(`220 ${socket.remoteAddress}\r\n`);

describe("dial()", () => {
  it("connects to what the grant names, by itself", async () => {
    using four = await listening({ host: "127.0.0.1" }, greet);
    using six = await listening({ host: "::1" }, greet);
    const flags = [`--allow-net=127.0.0.1:${four.port},[::1]:${six.port}`];
    assertEquals(
      await dialled(flags, [["127.0.0.1", four.port], ["::1", six.port], ["::1", six.port, { dial6: "/absent/s" }]]),
      ["220 127.0.0.1", "220 ::1", "220 ::1"],
    );
  });

  it("says what stood in the way", async () => {
    using four = await listening({ host: "127.0.0.1" }, greet);
    const gone = await listening({ host: "127.0.0.1" }, greet);
    gone[Symbol.dispose]();
    const flags = [`--allow-net=127.0.0.1:${gone.port}`];
    assertEquals(
      await dialled(flags, [["127.0.0.1", gone.port], ["127.0.0.1", four.port], ["::1", 25]]),
      ["refused", "not granted", "not granted"],
    );
  });

  it("connects from the address it is told to, which the grant has to name", async () => {
    using four = await listening({ host: "127.0.0.1" }, greet);
    const { port } = four;
    const flags = [`--allow-net=127.0.0.1:${port},127.0.0.5:0,192.0.2.1:0`];
    assertEquals(
      await dialled(flags, [
        ["127.0.0.1", port, { localAddress: "127.0.0.5" }],
        ["127.0.0.1", port, { localAddress: "127.0.0.6" }],
        ["127.0.0.1", port, { localAddress: "192.0.2.1" }],
        ["127.0.0.1", port],
      ]),
      ["220 127.0.0.5", "not granted", "unreachable", "220 127.0.0.1"],
    );
  });

  it("goes through dial6 to the other addresses of IPv6", async () => {
    using six = await listening({ host: "::1" }, greet);
    using other = await listening({ host: "::1" }, greet);
    await using dial6 = await startDial6({ mxprivate: true, remoteport: six.port, outgoingip: ["::1"] });
    const options = { dial6: dial6.path };
    assertEquals(
      await dialled(flagsFor(dial6.path), [
        ["::1", six.port, options],
        ["::1", six.port, { ...options, localAddress: "::1" }],
        ["::1", other.port, options],
        ["127.0.0.1", six.port, options],
      ]),
      ["220 ::1", "220 ::1", "not granted", "not granted"],
    );
  });

  for (
    const { claim, serve, want } of [
      { claim: "takes the first words that come with the answer", serve: "C220 at once\r\n", want: "220 at once" },
      { claim: "knows a refusal", serve: "R", want: "refused" },
      { claim: "knows a timeout", serve: "T", want: "timeout" },
      { claim: "knows that there is no way", serve: "U", want: "unreachable" },
      { claim: "knows that dial6 may not", serve: "N", want: "not granted" },
      { claim: "takes an octet of no meaning for no way", serve: "\0", want: "unreachable" },
      { claim: "takes an end without an answer for no way", serve: "", want: "unreachable" },
    ]
  ) {
    it(claim, async () => {
      const path = `${Deno.makeTempDirSync()}/s`;
      using _dial6 = await listening({ path }, (socket) => void socket.end(serve, "latin1"));
      assertEquals(await dialled(flagsFor(path), [["2001:db8::1", 25, { dial6: path }]]), [want]);
    });
  }

  it("waits no longer than it is told to for a dial6 that is silent", async () => {
    const path = `${Deno.makeTempDirSync()}/s`;
    using _dial6 = await listening({ path }, () => {});
    assertEquals(await dialled(flagsFor(path), [["2001:db8::1", 25, { dial6: path, timeoutMs: 50 }]]), ["timeout"]);
  });

  it("takes an absent dial6 for no way", async () => {
    const path = `${Deno.makeTempDirSync()}/s`;
    assertEquals(await dialled(flagsFor(path), [["2001:db8::1", 25, { dial6: path }]]), ["unreachable"]);
  });
});
