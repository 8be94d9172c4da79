import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { securityHeaders } from "../../components/admin/app.ts";
import { breaches } from "../../components/lib/permissions/rule.ts";
import { formatTokenFile } from "../../components/lib/admin_token/token_file.ts";
import { manifest } from "../../components/admin/permissions.ts";
import { waitFor } from "../support/wait.ts";
import { type Home } from "../../config/home.ts";
import { readControlsOf } from "../../config/read.ts";
import { queue, send, smtpd, supervisor, withComponents } from "./samples.ts";
import { adminRights, answerStatus, exchange, get, logIn, makeHome, runToEnd, startAdmin, token } from "./support.ts";

/** All three sockets, answering well. */
function answerAll(home: Home): Disposable {
  const stack = new DisposableStack();
  stack.use(answerStatus(home, "supervisor-status", () => supervisor));
  stack.use(answerStatus(home, "queue-status", () => queue));
  stack.use(answerStatus(home, "send-status", () => send));
  return stack;
}

describe("the admin process, under its own grant", () => {
  it("serves pages, API, health and metrics from what the sockets answer", async () => {
    using made = makeHome("smtp 127.0.0.1:0\nadmin 127.0.0.1:0\n");
    using _sockets = answerAll(made.home);
    await using admin = await startAdmin(made.home);
    const port = admin.ports["admin"]!;
    const cookie = await logIn(port);
    const page = await get(port, "/", { Cookie: cookie });
    assertEquals(page.status, 200);
    assertStringIncludes(page.text, '<p class="host">mx.example.org</p>');
    assertStringIncludes(page.text, "All components are running (1).");
    assertStringIncludes(page.text, "Not known: multilog cannot be reached.");
    const status = await get(port, "/api/v1/status", { Authorization: `Bearer ${token}` });
    assertEquals([status.status, JSON.parse(status.text).send.messages], [200, 40]);
    assertEquals((await get(port, "/style.css")).status, 200);
    assertEquals((await get(port, "/healthz")).text, "ok\n");
    assertStringIncludes((await get(port, "/metrics")).text, "\ndqmail_queue_messages 40\n");
    for (const [name, value] of Object.entries(securityHeaders)) {
      assertEquals(page.headers.get(name.toLowerCase()), value);
    }
    const { code, log } = await admin.stop();
    assertEquals([code, log], [0, `listening address=127.0.0.1:${port}\nlogin\n`]);
  });

  it("refuses foreign hosts, requests without a host and methods that no page uses", async () => {
    using made = makeHome("admin 127.0.0.1:0\n");
    await using admin = await startAdmin(made.home);
    const port = admin.ports["admin"]!;
    const rows = [
      { request: "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", want: 421 },
      { request: "GET http://localhost/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", want: 421 },
      { request: "GET / HTTP/1.0\r\n\r\n", want: 421 },
      { request: "GET /nothing HTTP/1.1\r\nHost: LOCALHOST:1\r\nConnection: close\r\n\r\n", want: 303 },
      { request: "HEAD /style.css HTTP/1.1\r\nHost: mx.example.org\r\nConnection: close\r\n\r\n", want: 200 },
      { request: "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", want: 401 },
      ...["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"].map((method) => ({
        request: `${method} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
        want: 405,
      })),
    ];
    for (const { request, want } of rows) {
      const answer = await exchange("127.0.0.1", port, request);
      assertEquals(answer.status, want, request);
      assertEquals(answer.headers.get("x-content-type-options"), "nosniff", request);
      if (request.startsWith("HEAD")) assertEquals(answer.text, "");
    }
  });

  it("shows components that are away, and finds them again when they are back", async () => {
    using made = makeHome("admin 127.0.0.1:0\n");
    await using admin = await startAdmin(made.home);
    const port = admin.ports["admin"]!;
    const away = await get(port, "/healthz");
    assertEquals([away.status, away.text], [
      503,
      "supervisor cannot be reached\nqmail-queue cannot be reached\nqmail-send cannot be reached\n",
    ]);
    assertStringIncludes((await get(port, "/metrics")).text, 'dqmail_answers{component="qmail-send"} 0\n');
    {
      using _sockets = answerAll(made.home);
      assertEquals((await get(port, "/healthz")).status, 200);
    }
    assertEquals((await get(port, "/healthz")).status, 503);
    using _sockets = answerAll(made.home);
    assertEquals((await get(port, "/healthz")).status, 200);
  });

  it("names in /healthz the component that does not run, the one that is silent and the one that talks nonsense", async () => {
    using made = makeHome("admin 127.0.0.1:0\n");
    const broken = withComponents(smtpd, { ...smtpd, name: "resolver", state: "waiting" });
    assert(broken.supervisor.kind === "answered");
    const { status } = broken.supervisor;
    using _supervisor = answerStatus(made.home, "supervisor-status", () => status);
    using _queue = answerStatus(made.home, "queue-status", () => undefined);
    using _send = answerStatus(made.home, "send-status", () => ({ ...send, messages: "<b>" }));
    await using admin = await startAdmin(made.home);
    const { status: code, text } = await get(admin.ports["admin"]!, "/healthz");
    assertEquals([code, text.split("\n")], [503, [
      "qmail-queue gave no answer within a second",
      "qmail-send gave an answer that cannot be read",
      "resolver is not running: waiting",
      "",
    ]]);
    assertStringIncludes((await admin.stop()).log, "status_defect socket=send-status error=ProtocolError");
  });

  it("asks once for all requests that come while it asks", async () => {
    using made = makeHome("admin 127.0.0.1:0\n");
    let asked = 0;
    using _queue = answerStatus(made.home, "queue-status", () => {
      asked++;
      return undefined;
    });
    await using admin = await startAdmin(made.home);
    const port = admin.ports["admin"]!;
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(port, "/healthz")));
    assertEquals(answers.map(({ status }) => status), new Array(20).fill(503));
    assert(asked < 20, `asked ${asked} times`);
  });

  it("listens on every admin line, IPv6 included", async () => {
    using made = makeHome("admin 127.0.0.1:0\nadmin [::1]:0\n");
    using _sockets = answerAll(made.home);
    await using admin = await startAdmin(made.home);
    assertEquals(Object.keys(admin.ports), ["admin", "admin2"]);
    const request = "GET /healthz HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n";
    assertEquals((await exchange("::1", admin.ports["admin2"]!, request)).text, "ok\n");
  });

  for (const address of ["0.0.0.0", "192.0.2.1", "[::]"]) {
    it(`does not start on ${address}, and says why`, async () => {
      using made = makeHome(`admin 127.0.0.1:0\nadmin ${address}:0\n`);
      const { code, log } = await runToEnd(made.home);
      assertEquals(code, 100);
      assertStringIncludes(log, `Cannot listen on ${address}:0 (control file "listeners")`);
      assertStringIncludes(log, "loopback addresses only");
    });
  }

  it("tells open pages of what is new, and ends their streams when it ends", async () => {
    using made = makeHome("admin 127.0.0.1:0\n");
    let messages = 40;
    using _supervisor = answerStatus(made.home, "supervisor-status", () => supervisor);
    using _queue = answerStatus(made.home, "queue-status", () => queue);
    using _send = answerStatus(made.home, "send-status", () => ({ ...send, messages: messages++ }));
    await using admin = await startAdmin(made.home);
    const url = `http://127.0.0.1:${admin.ports["admin"]}/events`;
    const headers = { Cookie: await logIn(admin.ports["admin"]!) };
    const reader = (await fetch(url, { headers })).body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("event: change\ndata: 1\n\n")) {
      const { value, done } = await reader.read();
      assert(!done, text);
      text += value;
    }
    const ended = admin.stop();
    while (!(await reader.read().catch(() => ({ done: true }))).done);
    assertEquals((await ended).code, 0);
  });

  it("knows nobody any more once the token is another one", async () => {
    using made = makeHome("admin 127.0.0.1:0\n");
    using _sockets = answerAll(made.home);
    await using admin = await startAdmin(made.home);
    const port = admin.ports["admin"]!;
    const cookie = await logIn(port);
    assertEquals((await get(port, "/config", { Cookie: cookie })).status, 200);
    Deno.writeTextFileSync(made.home.control("admintoken"), formatTokenFile("another"));
    admin.signal("SIGHUP");
    await waitFor(async () => (await get(port, "/config", { Cookie: cookie })).status === 303, "the session's end");
    assertEquals((await get(port, "/api/v1/status", { Authorization: "Bearer another" })).status, 200);
  });

  it("ends in order while a client keeps its connection open", async () => {
    using made = makeHome("admin 127.0.0.1:0\n");
    using _sockets = answerAll(made.home);
    await using admin = await startAdmin(made.home);
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: admin.ports["admin"]! });
    await conn.write(new TextEncoder().encode("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    await conn.read(new Uint8Array(4096));
    using silent = await Deno.connect({ hostname: "127.0.0.1", port: admin.ports["admin"]! });
    assert(silent.remoteAddr.port > 0);
    assertEquals((await admin.stop()).code, 0);
  });

  it("uses all of its grant and asks for nothing else", async () => {
    using made = makeHome("admin 127.0.0.1:0\nadmin [::1]:0\n");
    using _sockets = answerAll(made.home);
    const audit = `${made.home.dir}/audit.jsonl`;
    const admin = await startAdmin(made.home, { DENO_AUDIT_PERMISSIONS: audit });
    const own = { Authorization: `Bearer ${token}` };
    for (const path of ["status", "queue", "log", "destinations", "doctor?domain=a.example"]) {
      await get(admin.ports["admin"]!, `/api/v1/${path}`, own);
    }
    await admin.stop();
    const used = new Set(auditOf(Deno.readTextFileSync(audit)));
    const { rights } = adminRights(made.home);
    const granted = (["read", "write", "net", "run", "sys"] as const).flatMap((kind) =>
      rights[kind].map((value) => `${kind} ${value}`)
    );
    assertEquals([...used].sort(), granted.sort());
  });

  it("keeps the grant rule", () => {
    using made = makeHome("admin 127.0.0.1:0\n");
    const controls = readControlsOf(made.home, "admin");
    assert(controls.ok);
    assertEquals(
      breaches([manifest], { home: made.home, portOffset: 0, controls: controls.value, nameservers: [] }),
      [],
    );
  });
});

/** The audit's lines as `kind value`. */
function auditOf(text: string): string[] {
  return text.trim().split("\n").map((line) => {
    const { permission, value } = JSON.parse(line) as { permission: string; value: string };
    return `${permission} ${value}`;
  });
}
