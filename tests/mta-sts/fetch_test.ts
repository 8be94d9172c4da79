import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import type { StsAnswer } from "../../components/lib/wire/sts_client.ts";
import type { ZoneEntry } from "../support/dns_server.ts";
import { opensslIsInstalled, opensslNote } from "../lib/tls/openssl.ts";
import type { Made } from "../lib/tls/openssl.ts";
import { authority, certificateFor, domainZone, expiredFor, type Handler, PolicyHosts, policyText } from "./world.ts";
import { serveText, World } from "./world.ts";

const name = "mta-sts.x.example";
const record = ["v=STSv1; id=1;"];
const none: StsAnswer = { kind: "none" };
const unfetched: StsAnswer = { kind: "none", flaw: "sts-policy-fetch-error" };
const untrusted: StsAnswer = { kind: "none", flaw: "sts-webpki-invalid" };
const enforced: StsAnswer = {
  kind: "policy",
  mode: "enforce",
  mx: ["mx.x.example"],
  strings: ["version: STSv1", "mode: enforce", "mx: mx.x.example", "max_age: 604800"],
};

describe(`mta-sts, asked for a policy${opensslNote}`, { ignore: !opensslIsInstalled }, () => {
  let ca: Made;
  let good: Made;

  beforeAll(() => {
    ca = authority();
    good = certificateFor(name, ca);
  });

  /** What is answered about x.example, whose policy host is like this. */
  async function ask(
    handler: Handler,
    { certificate = good, texts = record, zone = {}, controls = {} }: {
      readonly certificate?: Made;
      readonly texts?: string[];
      readonly zone?: Record<string, ZoneEntry>;
      readonly controls?: Record<string, string>;
    } = {},
  ): Promise<StsAnswer> {
    await using hosts = new PolicyHosts();
    const address = await hosts.start(certificate, handler);
    const all = { ...domainZone("x.example", texts, [address]), ...zone };
    await using world = await World.start({
      zone: all,
      port: hosts.port,
      ca: ca.cert,
      controls,
      fetchMs: 600,
      patienceMs: 5000,
    });
    const client = world.client();
    try {
      return await client.policy("X.Example");
    } finally {
      client.close();
    }
  }

  it("answers it", async () => assertEquals(await ask(serveText(policyText())), enforced));

  it("asks for the well-known path of the policy's host, and for nothing else", async () => {
    const asked: unknown[] = [];
    await ask((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.host}`);
      serveText(policyText())(request, response);
    });
    assertEquals(asked, [`GET /.well-known/mta-sts.txt ${name}`]);
  });

  it("takes a policy in pieces without a length", async () => {
    const answer = await ask((_, response) => {
      response.setHeader("Content-Type", "text/plain; charset=utf-8");
      for (const line of policyText().split(/(?<=\n)/)) response.write(line);
      response.end();
    });
    assertEquals(answer, enforced);
  });

  it("answers none in mode none", async () => {
    assertEquals(await ask(serveText("version: STSv1\nmode: none\nmax_age: 86400\n")), none);
  });

  it("answers none, and connects nowhere, where there is no record", async () => {
    const refuse: Handler = () => {
      throw new Error("nobody should have asked");
    };
    assertEquals(await ask(refuse, { texts: ["v=spf1 -all"] }), none);
    assertEquals(await ask(refuse, { texts: ["v=STSv1; id=1;", "v=STSv1; id=2;"] }), none);
    assertEquals(await ask(refuse, { zone: { "_mta-sts.x.example TXT": { rcode: 2 } } }), none);
  });

  it("connects to no private address unless it may", async () => {
    const refuse: Handler = () => {
      throw new Error("nobody should have asked");
    };
    assertEquals(await ask(refuse, { controls: { mxprivate: "0\n" } }), unfetched);
  });

  it("tries the next address where one is dead", async () => {
    const zone = { "mta-sts.x.example A": { records: ["127.0.0.99", "127.0.0.2"] } };
    assertEquals(await ask(serveText(policyText()), { zone }), enforced);
  });

  it("believes no certificate that is expired, for another name, or of another authority", async () => {
    for (
      const certificate of [
        expiredFor(name, ca),
        certificateFor("x.example", ca),
        certificateFor("mta-sts.y.example", ca),
        certificateFor(name, authority()),
      ]
    ) {
      let isAsked = false;
      const handler: Handler = () => isAsked = true;
      assertEquals(await ask(handler, { certificate }), untrusted);
      assert(!isAsked);
    }
  });

  const status = (code: number, headers: Record<string, string> = {}): Handler => (_, response) => {
    response.writeHead(code, { "Content-Type": "text/plain", ...headers });
    response.end(policyText());
  };
  const refusals: readonly (readonly [string, Handler, StsAnswer])[] = [
    ["a redirect", status(302, { Location: `https://${name}/.well-known/mta-sts.txt` }), unfetched],
    ["404", status(404), unfetched],
    ["a web page", status(200, { "Content-Type": "text/html" }), unfetched],
    ["compressed text", status(200, { "Content-Encoding": "gzip" }), unfetched],
    ["what is no policy", serveText("hello"), { kind: "none", flaw: "sts-policy-invalid" }],
    ["10 MB", serveText(policyText() + "x: y\r\n".repeat(1_700_000)), unfetched],
    ["10 MB without a length", (_, response) => {
      response.writeHead(200, { "Content-Type": "text/plain" });
      for (let at = 0; at < 160; at++) response.write("x: y\r\n".repeat(11_000));
      response.end();
    }, unfetched],
    ["nothing at all", () => {}, unfetched],
    ["half of it", (_, response) => {
      response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": "100" });
      response.write(policyText());
      setTimeout(() => response.destroy(), 10);
    }, unfetched],
    ["an octet now and then", (_, response) => {
      response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": "1000" });
      const timer = setInterval(() => response.write("x"), 20);
      response.on("close", () => clearInterval(timer));
    }, unfetched],
  ];
  for (const [what, handler, want] of refusals) {
    it(`takes ${what} for no policy`, async () => assertEquals(await ask(handler), want));
  }
});
