import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerSession } from "smtp-server";
import { type Made, makeCertificate, opensslIsInstalled, opensslNote } from "../lib/tls/openssl.ts";
import { Pair } from "./support/pair.ts";
import { freePort } from "../support/free_port.ts";

const sender = "s@s.example";
const content = "Subject: hello\n\n.dots\n..more\nand a line\n";

interface Taken {
  readonly sender: string | undefined;
  readonly recipients: readonly string[];
  readonly content: string;
}

describe("delivery to the smtp-server package", () => {
  const taken: Taken[] = [];
  let server: SMTPServer;
  let pair: Pair;

  beforeAll(async () => {
    server = new SMTPServer({
      disabledCommands: ["AUTH", "STARTTLS"],
      disableReverseLookup: true,
      logger: false,
      size: 1_000_000,
      closeTimeout: 1,
      onRcptTo({ address }, _session, callback) {
        if (!address.startsWith("nosuch")) return callback();
        callback(Object.assign(new Error("no such user"), { responseCode: 550 }));
      },
      onData(stream, session: SMTPServerSession, callback) {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => {
          const { mailFrom, rcptTo } = session.envelope;
          taken.push({
            sender: mailFrom ? mailFrom.address : undefined,
            recipients: rcptTo.map(({ address }) => address),
            content: Buffer.concat(chunks).toString("latin1"),
          });
          callback(null, "taken");
        });
      },
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.server.address() as AddressInfo;
    pair = await Pair.start({ smtproutes: `:127.0.0.1:${port}\n` });
  });

  afterAll(async () => {
    await pair[Symbol.asyncDispose]();
    await new Promise<void>((resolve) => server.close(resolve));
  });

  it("brings sender, recipients and content through", async () => {
    const reports = await pair.deliver(content, sender, ["a@r.example", "nosuch@r.example", "c@r.example"]);
    assertEquals(reports.map((report) => report[0]), ["K", "D", "K"]);
    assertEquals(reports[1], "D127.0.0.1 does not like recipient.\nRemote host said: 550 no such user\n");
    const [one] = taken.splice(0);
    assertEquals(one?.content, content.replaceAll("\n", "\r\n"));
    assertEquals([one?.sender, one?.recipients], [sender, ["a@r.example", "c@r.example"]]);
  });

  it("brings many through at once, each once", async () => {
    const names = Array.from({ length: 200 }, (_, n) => `n${n}@r.example`);
    const reports = await Promise.all(names.map((name) => pair.deliver(content, sender, [name])));
    assert(reports.every(([report]) => report?.startsWith("K")), "all delivered");
    assertEquals(taken.splice(0).map(({ recipients }) => recipients.join()).sort(), names.toSorted());
  });

  it("does not send what is larger than the server takes", async () => {
    assertEquals(await pair.deliver("x".repeat(1_000_001), sender, ["a@r.example"]), [
      "D127.0.0.1 accepts 1000000 bytes, the message has 1000001. (#5.3.4)\n",
    ]);
  });
});

describe(
  `delivery to the smtp-server package within TLS, after a login${opensslNote}`,
  { ignore: !opensslIsInstalled },
  () => {
    const taken: { readonly user: string | undefined; readonly isSecure: boolean; readonly content: string }[] = [];
    let made: Made;
    beforeAll(() => {
      made = makeCertificate({ name: "localhost" });
    });

    /** A submission server: STARTTLS or TLS from the start, and no mail without login; amy's password is "secret". */
    async function withServer(
      options: { readonly secure: boolean; readonly versions: "TLSv1.2" | "TLSv1.3" },
      route: (port: number) => string,
      use: (pair: Pair) => Promise<void>,
    ): Promise<void> {
      const server = new SMTPServer({
        ...made,
        secure: options.secure,
        minVersion: options.versions,
        maxVersion: options.versions,
        authMethods: ["PLAIN", "LOGIN", "CRAM-MD5"],
        disableReverseLookup: true,
        logger: false,
        closeTimeout: 1,
        onAuth(auth, _session, callback) {
          const isRight = auth.username === "amy" &&
            (auth.method === "CRAM-MD5" ? auth.validatePassword("secret") : auth.password === "secret");
          if (isRight) callback(null, { user: "amy" });
          else callback(Object.assign(new Error("no"), { responseCode: 535 }));
        },
        onData(stream, session: SMTPServerSession, callback) {
          const chunks: Buffer[] = [];
          stream.on("data", (chunk: Buffer) => chunks.push(chunk));
          stream.on("end", () => {
            const content = Buffer.concat(chunks).toString("latin1");
            taken.push({ user: session.user, isSecure: session.secure, content });
            callback(null, "taken");
          });
        },
      });
      server.on("error", () => {});
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      try {
        await using pair = await Pair.start({ smtproutes: route((server.server.address() as AddressInfo).port) });
        await use(pair);
      } finally {
        await new Promise<void>((resolve) => server.close(resolve));
      }
    }

    for (const versions of ["TLSv1.2", "TLSv1.3"] as const) {
      for (const secure of [false, true]) {
        const how = `${versions}, ${secure ? "from the start" : "by STARTTLS"}`;
        it(`brings mail through: ${how}`, async () => {
          const words = `tls=encrypt${secure ? " implicit" : ""}`;
          await withServer({ secure, versions }, (port) => `:127.0.0.1:${port} ${words} amy secret\n`, async (pair) => {
            const reports = await Promise.all(
              ["a", "b", "c"].map((name) => pair.deliver(content, sender, [`${name}@r.example`])),
            );
            assert(reports.every(([report]) => report?.startsWith("K")), reports.join());
            const want = { user: "amy", isSecure: true, content: content.replaceAll("\n", "\r\n") };
            assertEquals(taken.splice(0), [want, want, want]);
          });
        });
      }
    }

    it("defers where the password is wrong", async () => {
      const options = { secure: false, versions: "TLSv1.3" } as const;
      await withServer(options, (port) => `:127.0.0.1:${port} amy wrong\n`, async (pair) => {
        assertEquals(await pair.deliver(content, sender, ["a@r.example"]), [
          "ZConnected to 127.0.0.1 but login was refused.\nRemote host said: 535 no\n",
        ]);
      });
      assertEquals(taken, []);
    });
  },
);

const smtpSink = "/usr/sbin/smtp-sink";

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** A port that was free a moment ago: smtp-sink takes no 0. */

const missing = isThere(smtpSink) ? undefined : "smtp-sink is not installed";

describe(`delivery to Postfix's smtp-sink${missing === undefined ? "" : ` (skipped: ${missing})`}`, () => {
  /** smtp-sink's arguments, and the verdict it makes. */
  const rows: readonly { readonly args: readonly string[]; readonly name: string; readonly want: string }[] = [
    { args: [], name: "that takes all", want: "K" },
    { args: ["-p"], name: "without PIPELINING", want: "K" },
    { args: ["-8", "-E", "-F"], name: "without 8BITMIME and 8-bit status codes", want: "K" },
    { args: ["-e"], name: "without EHLO", want: "K" },
    { args: ["-f", "rcpt"], name: "that refuses recipients", want: "D" },
    { args: ["-r", "rcpt"], name: "that defers recipients", want: "Z" },
    { args: ["-f", "data"], name: "that refuses DATA", want: "D" },
    { args: ["-f", "."], name: "that refuses the message", want: "D" },
    { args: ["-r", "."], name: "that defers the message", want: "Z" },
    { args: ["-q", "."], name: "that goes away at the end", want: "Z" },
    { args: ["-Q", "mail"], name: "that says 421 to MAIL", want: "Z" },
    { args: ["-q", "connect"], name: "that goes away at once", want: "Z" },
  ];
  for (const { args, name, want } of rows) {
    it(`${name}: ${want}`, { ignore: missing !== undefined }, async () => {
      const port = freePort();
      const asRoot = Deno.uid() === 0 ? ["-u", "nobody"] : [];
      const sink = new Deno.Command(smtpSink, {
        args: [...asRoot, ...args, `127.0.0.1:${port}`, "100"],
        stdout: "null",
        stderr: "null",
      }).spawn();
      try {
        await listening(port);
        await using pair = await Pair.start({ smtproutes: `:127.0.0.1:${port}\n` });
        const reports = await Promise.all(
          Array.from({ length: 5 }, () => pair.deliver(content, sender, ["a@r.example", "b@r.example"])),
        );
        assertEquals(new Set(reports.flat().map((report) => report[0])), new Set([want]), reports.flat().join(""));
      } finally {
        sink.kill("SIGTERM");
        await sink.status;
      }
    });
  }
});

async function listening(port: number): Promise<void> {
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      // Not yet.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
