import { assertEquals, assertMatch } from "@std/assert";
import { dirname, fromFileUrl } from "@std/path";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { flagsOf } from "../../components/lib/permissions/grant.ts";
import { queueFile } from "../../components/lib/queue/layout.ts";
import { defaultTlsWish } from "../../components/lib/tls/client_policy.ts";
import { Client } from "../../components/lib/wire/client.ts";
import { parseRemoteRequest, type RemoteRequest } from "../../components/lib/wire/delivery_protocol.ts";
import { serveUnix, type UnixServer } from "../../components/lib/wire/server.ts";
import { manifest } from "../../components/qmail-rspawn/permissions.ts";
import { type Home, homeAt } from "../../config/home.ts";

const main = fromFileUrl(new URL("../../components/qmail-rspawn/main.ts", import.meta.url));

function start(home: Home): Deno.ChildProcess {
  // This grant depends on the home alone.
  const flags = flagsOf(manifest.permissions({ home } as Parameters<typeof manifest.permissions>[0]), home);
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", ...flags, main, "--home", home.dir],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

describe("qmail-rspawn", () => {
  let home: Home;

  beforeEach(() => {
    home = homeAt(Deno.makeTempDirSync({ prefix: "rs" }));
    const paths = [
      home.control("me"),
      home.socket("qmail-rspawn"),
      home.socket("qmail-remote"),
      queueFile(home, "mess", 7),
    ];
    for (const path of paths) Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(home.control("me"), "me.example\n");
    Deno.writeTextFileSync(queueFile(home, "mess", 7), "hello\n");
  });

  afterEach(() => Deno.removeSync(home.dir, { recursive: true }));

  /** A qmail-remote that accepts everything, and keeps what it was asked. */
  function serveRemote(asked: RemoteRequest[]): UnixServer {
    return serveUnix(home.socket("qmail-remote"), {
      onFrame: (frame, pipe) => {
        const request = parseRemoteRequest(frame);
        asked.push(request);
        const reports = request.recipients.map((recipient) => ({ verdict: "K", text: `${recipient}\n` }));
        pipe.send({ op: "report", id: request.id, lost: false, reports });
      },
      onError: () => {},
    });
  }

  async function deliver(recipients: readonly string[]): Promise<unknown> {
    const client = new Client(home.socket("qmail-rspawn"), { connectMs: 10_000 });
    const { head } = await client.request({ op: "deliver", message: 7, sender: "s@s.example", recipients });
    client.close();
    return { lost: head["lost"], reports: head["reports"] };
  }

  it("tells qmail-remote all it needs to know, and qmail-send the reports in order", async () => {
    Deno.writeTextFileSync(home.control("helohost"), "helo.example\n");
    Deno.writeTextFileSync(home.control("smtproutes"), ".example.org:192.0.2.1:26\n");
    Deno.writeTextFileSync(home.control("timeoutconnect"), "7\n");
    const asked: RemoteRequest[] = [];
    const remote = serveRemote(asked);
    const rspawn = start(home);
    assertEquals(await deliver(["a@X.Example.ORG", "noat", "b@r.example", "c@x.example.org"]), {
      lost: false,
      reports: [
        { verdict: "K", text: "a@X.Example.ORG\n" },
        { verdict: "D", text: "Sorry, address must include host name. (#5.1.3)\n" },
        { verdict: "K", text: "b@r.example\n" },
        { verdict: "K", text: "c@x.example.org\n" },
      ],
    });
    const common = {
      sizeBytes: 6,
      sender: "s@s.example",
      helo: "helo.example",
      connectTimeoutMs: 7000,
      timeoutMs: 1_200_000,
      privateAddresses: false,
      protocol: "smtp" as const,
      tls: defaultTlsWish,
      mxps: false,
      ipv6: true,
      localAddresses: [],
    };
    assertEquals(asked, [
      {
        ...common,
        id: 1,
        recipients: ["a@X.Example.ORG", "c@x.example.org"],
        domain: "x.example.org",
        relayHost: "192.0.2.1",
        port: 26,
      },
      { ...common, id: 2, recipients: ["b@r.example"], domain: "r.example", relayHost: undefined, port: 25 },
    ]);
    rspawn.kill("SIGTERM");
    const { code, stderr } = await rspawn.output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
    remote.stop();
    remote.closeAll();
  });

  it("defers while there is no qmail-remote", async () => {
    const rspawn = start(home);
    assertEquals(await deliver(["a@r.example"]), {
      lost: false,
      reports: [{ verdict: "Z", text: "Unable to run qmail-remote. (#4.3.0)\n" }],
    });
    rspawn.kill("SIGTERM");
    const { code, stderr } = await rspawn.output();
    assertEquals(code, 0);
    assertMatch(new TextDecoder().decode(stderr), /^unreachable socket=qmail-remote reason=NotFound[^\n]*\n$/);
  });

  it("keeps its values when a control file is malformed at SIGHUP", async () => {
    const asked: RemoteRequest[] = [];
    const remote = serveRemote(asked);
    const rspawn = start(home);
    await deliver(["a@r.example"]);
    Deno.writeTextFileSync(home.control("helohost"), "new.example\n");
    Deno.writeTextFileSync(home.control("timeoutconnect"), "soon\n");
    rspawn.kill("SIGHUP");
    // Its complaint says that it has read them.
    const reader = rspawn.stderr.pipeThrough(new TextDecoderStream()).getReader();
    const { value } = await reader.read();
    assertEquals(
      value,
      `alert: qmail-rspawn: Cannot read control file "timeoutconnect": expected a whole number of seconds of at least 1, ` +
        `got "soon"; keeping the old values\n`,
    );
    await deliver(["a@r.example"]);
    assertEquals(asked.map(({ helo }) => helo), ["me.example", "me.example"]);
    rspawn.kill("SIGTERM");
    await reader.cancel();
    assertEquals((await rspawn.status).code, 0);
    remote.stop();
    remote.closeAll();
  });

  it("does not start with a malformed control file: exit code 100", async () => {
    Deno.writeTextFileSync(home.control("remoteport"), "smtp\n");
    const { code, stderr } = await start(home).output();
    assertEquals(code, 100);
    assertMatch(new TextDecoder().decode(stderr), /Cannot read control file "remoteport"/);
  });
});
