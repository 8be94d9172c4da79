/**
 * QMTP and QMTPS of a whole system, from the octets to the Maildir.
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import tls from "node:tls";
import { formatNetstring } from "../../components/lib/qmtp/netstring.ts";
import { hear, send } from "../qmtp/client.ts";
import { waitForMailWith } from "../support/maildir.ts";
import { startSystem } from "../support/system.ts";
import { within } from "../support/wait.ts";

function packageOf(text: string, recipients: readonly string[]): string {
  return formatNetstring(`\n${text}`) + formatNetstring("s@d.example") +
    formatNetstring(recipients.map(formatNetstring).join(""));
}

/** What a server says over TLS up to the `count`th answer. */
function sayOverTls(port: number, octets: string, count: number): Promise<{ heard: string; protocol: string | null }> {
  const heard = new Promise<{ heard: string; protocol: string | null }>((resolve, reject) => {
    const socket = tls.connect(
      { host: "127.0.0.1", port, rejectUnauthorized: false },
      () => socket.write(octets, "latin1"),
    );
    let said = "";
    socket.on("error", reject);
    socket.on("data", (chunk: Uint8Array) => {
      said += new TextDecoder("latin1").decode(chunk);
      if ((said.match(/[0-9]+:[KZD][^,]*,/g) ?? []).length < count) return;
      resolve({ heard: said, protocol: socket.getProtocol() });
      socket.destroy();
    });
  });
  return within(heard, 20_000, () => "answers over TLS");
}

describe("QMTP of a whole system", () => {
  it("brings mail into a Maildir, in the clear and over TLS, and refuses who is not here", async () => {
    await using system = await startSystem({
      tls: true,
      controls: {
        listeners: "smtp 127.0.0.1:0\nqmtp 127.0.0.1:0\nqmtps 127.0.0.1:0\nadmin 127.0.0.1:0\n",
        relayclients: "192.0.2.1\n",
      },
    });
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: system.ports["qmtp"]! });
    await send(
      conn,
      packageOf("Subject: over QMTP\n\nhi\n", ["demo@localhost", "nobody-here@localhost", "a@far.example"]),
    );
    const heard = await hear(conn, (heard) => heard.endsWith("(#5.7.1),"));
    assertMatch(
      heard,
      /^[0-9]+:Kok [0-9]+ qp [0-9]+,45:Dsorry, no mailbox here by that name \(#5\.1\.1\),66:Dsorry, that domain/,
    );
    const mail = await waitForMailWith(system.home, "Subject: over QMTP");
    assertMatch(mail, /\nReceived: from unknown \(\[127\.0\.0\.1\]\)\n {2}by localhost with QMTP; /);

    const two = ["first", "second"].map((word) => packageOf(`Subject: ${word} over QMTPS\n\nhi\n`, ["demo@localhost"]));
    const { heard: secured, protocol } = await sayOverTls(system.ports["qmtps"]!, two.join(""), 2);
    assertMatch(secured, /^[0-9]+:Kok [^,]*,[0-9]+:Kok [^,]*,$/);
    assertEquals(protocol, "TLSv1.3");
    assertMatch(await waitForMailWith(system.home, "Subject: second over QMTPS"), /with QMTP \(TLSv1\.3 \S+\); /);
  });

  it("is all that a host speaks that listens for nothing else", async () => {
    await using system = await startSystem({ controls: { listeners: "qmtp 127.0.0.1:0\n" } });
    assertEquals(Object.keys(system.ports), ["qmtp"]);
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: system.ports["qmtp"]! });
    await send(conn, packageOf("Subject: alone\n\nhi\n", ["demo@localhost"]));
    assertMatch(await hear(conn, (heard) => heard.endsWith(",")), /^[0-9]+:Kok /);
    await waitForMailWith(system.home, "Subject: alone");
  });
});
