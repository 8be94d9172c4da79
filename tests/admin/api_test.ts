/** The API, held against its own document. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { World } from "../../components/admin/world.ts";
import { hostile, makeApp, nowMs, origin, token } from "./fake_world.ts";
import { defectsIn } from "./json_schema.ts";
import { away } from "./samples.ts";

interface Operation {
  readonly summary: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<
    Record<string, { readonly content: { readonly "application/json": { schema: Schema } } }>
  >;
}
type Schema = Readonly<Record<string, unknown>>;
interface Document extends Schema {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

type Body = unknown;

async function call(path: string, { body, world, text }: { body?: Body; world?: Partial<World>; text?: string } = {}) {
  const { app, world: made, errors } = makeApp(world);
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await app.request(`${origin}${path}`, {
    method: sent === undefined ? "GET" : "POST",
    headers: { Host: "localhost", Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    ...(sent === undefined ? {} : { body: sent }),
  });
  assertMatch(response.headers.get("content-type") ?? "", /^application\/json/);
  return { status: response.status, json: JSON.parse(await response.text()), asked: made.asked, errors };
}

async function readDocument(): Promise<Document> {
  return (await call("/api/openapi.json")).json;
}

/** One call of each operation, as `METHOD PATH` of the document. */
const calls: Readonly<Record<string, { readonly path: string; readonly body?: Body }>> = {
  "get /api/v1/status": { path: "/api/v1/status" },
  "get /api/v1/components": { path: "/api/v1/components" },
  "get /api/v1/rates": { path: "/api/v1/rates" },
  "get /api/v1/queue": { path: "/api/v1/queue?text=a&state=held&sort=size&order=ascending&count=10&sender=%3C%3E" },
  "post /api/v1/queue/actions": { path: "/api/v1/queue/actions", body: { action: "retry", messages: [4711, 12] } },
  "get /api/v1/queue/{message}": { path: "/api/v1/queue/4711" },
  "get /api/v1/queue/{message}/content": { path: "/api/v1/queue/4711/content" },
  "get /api/v1/queue/{message}/trace": { path: "/api/v1/queue/4711/trace?life=2" },
  "get /api/v1/trace": { path: "/api/v1/trace?address=amy@a.example" },
  "get /api/v1/log": { path: "/api/v1/log?count=5&component=qmail-send" },
  "get /api/v1/destinations": { path: "/api/v1/destinations" },
  "post /api/v1/destinations": { path: "/api/v1/destinations", body: { action: "pause", destination: "b.example" } },
  "get /api/v1/doctor": { path: "/api/v1/doctor?domain=a.example&ips=192.0.2.1" },
  "get /api/v1/config": { path: "/api/v1/config" },
};

const silent = () => Promise.resolve(away);
const awayWorld: Partial<World> = {
  ...{
    rates: silent,
    controls: silent,
    list: silent,
    content: silent,
    show: silent,
    act: silent,
    destinations: silent,
  },
  ...{ steer: silent, traceMessage: silent, traceAddress: silent, tail: silent },
};

function schemaOf(document: Document, name: string, status: number): Schema {
  const [method = "", path = ""] = name.split(" ");
  const response = document.paths[path]?.[method]?.responses[String(status)];
  assert(response !== undefined, `${name} has no ${status} in the document`);
  return response.content["application/json"].schema;
}

describe("the API's document", () => {
  it("has every operation that is called here, and no other", async () => {
    const { paths, openapi } = await readDocument();
    const names = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((one) => `${one} ${path}`)
    );
    assertEquals(names.sort(), Object.keys(calls).sort());
    assertEquals(openapi, "3.1.0");
  });

  it("says of each what it does, what it takes, and how it may fail", async () => {
    const { paths } = await readDocument();
    for (const [path, methods] of Object.entries(paths)) {
      for (const { summary, parameters = [], responses } of Object.values(methods)) {
        assert(summary.length > 5);
        for (const status of ["200", "401", "502"]) assert(responses[status] !== undefined, `${path} ${status}`);
        const inPath = parameters.filter((one) => one.in === "path").map(({ name, required }) => [name, required]);
        assertEquals(inPath, path.includes("{message}") ? [["message", true]] : []);
      }
    }
  });
});

describe("an answer of the API", () => {
  for (const [name, { path, body }] of Object.entries(calls)) {
    it(`to ${name} is what the document says`, async () => {
      const document = await readDocument();
      const { status, json, errors } = await call(path, { body });
      assertEquals([status, errors], [200, []]);
      assertEquals(defectsIn(json, schemaOf(document, name, 200), document), []);
    });

    it(`to ${name} is what the document says while those that are asked are away`, async () => {
      const document = await readDocument();
      const overview = () => Promise.resolve({ ...quiet, supervisor: away, queue: away, send: away });
      const quiet = { host: "x", homeDir: "/h", takenAtMs: nowMs };
      const { status, json } = await call(path, { body, world: { ...awayWorld, overview } });
      const kept = ["get /api/v1/status", "get /api/v1/doctor"].includes(name);
      assertEquals(status, kept ? 200 : 502);
      assertEquals(defectsIn(json, schemaOf(document, name, status), document), []);
      if (!kept) assertMatch(json.error, /^(supervisor|multilog|qread|qmail-send) cannot be reached$/);
    });
  }

  it("tells octets that are no UTF-8, times out of range and markup as text", async () => {
    const reply = { place: 0, matching: 1, total: 1, indexed: 1, whole: true, unsearched: 0 };
    const row = {
      ...{ id: 1, sender: "a\xff@b", recipients: ["bj\xc3\xb8rn@b", hostile], birthSeconds: Number.MAX_SAFE_INTEGER },
      ...{ sizeBytes: 0, local: { left: 0, done: 0 }, remote: { left: 1, done: 0 }, state: "new" as const },
      ...{ journal: true, bouncing: false },
    };
    const list = () => Promise.resolve({ kind: "answered" as const, status: { ...reply, rows: [row] } });
    const { json } = await call("/api/v1/queue", { world: { list } });
    const [message] = json.messages;
    assertEquals([message.sender, message.recipients, message.next, message.arrived], [
      "a\\xff@b",
      ["bjørn@b", hostile],
      null,
      "+275760-09-13T00:00:00.000Z",
    ]);
  });

  it("to a message that is gone is 404, and to what is no endpoint, too", async () => {
    const document = await readDocument();
    for (const path of ["/api/v1/queue/12", "/api/v1/queue/12/content"]) {
      const { status, json } = await call(path);
      assertEquals(status, 404);
      assertEquals(defectsIn(json, schemaOf(document, "get /api/v1/queue/{message}", 404), document), []);
    }
    for (const path of ["/api/v1/nothing", "/api/v2/status", "/api/", "/api/v1/queue/4711/"]) {
      assertEquals((await call(path)).status, 404);
    }
  });

  const malformed: readonly { readonly path: string; readonly body?: Body; readonly text?: string }[] = [
    { path: "/api/v1/queue?count=0" },
    { path: "/api/v1/queue?count=201" },
    { path: "/api/v1/queue?state=x" },
    { path: "/api/v1/queue?sort=__proto__" },
    { path: "/api/v1/queue/x" },
    { path: "/api/v1/queue/4711/trace?life=0" },
    { path: "/api/v1/trace" },
    { path: "/api/v1/log?count=1001" },
    { path: "/api/v1/doctor" },
    { path: "/api/v1/doctor?domain=a%20b" },
    { path: "/api/v1/doctor?domain=a.example&ips=x" },
    { path: "/api/v1/queue/actions", body: {} },
    { path: "/api/v1/queue/actions", body: { action: "drain", messages: [1] } },
    { path: "/api/v1/queue/actions", body: { action: "hold", messages: [] } },
    { path: "/api/v1/queue/actions", body: { action: "hold", messages: [-1] } },
    { path: "/api/v1/queue/actions", body: { action: "hold", messages: ["1"] } },
    { path: "/api/v1/queue/actions", body: { action: "hold", messages: Array.from({ length: 501 }, (_, at) => at) } },
    { path: "/api/v1/queue/actions", text: "{" },
    { path: "/api/v1/destinations", body: { action: "pause", destination: "a b" } },
    { path: "/api/v1/destinations", body: { action: "stop", destination: "b.example" } },
  ];
  for (const { path, body, text } of malformed) {
    it(`to ${path} ${text ?? JSON.stringify(body)?.slice(0, 50) ?? ""} is 400, and nobody was asked`, async () => {
      const { status, json, asked, errors } = await call(path, { body, ...(text === undefined ? {} : { text }) });
      assertEquals([status, typeof json.error, asked, errors], [400, "string", [], []]);
    });
  }

  it("to a body that is too large is 413", async () => {
    const { app, world } = makeApp();
    const response = await app.request(`${origin}/api/v1/queue/actions`, {
      method: "POST",
      headers: { Host: "localhost", Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ action: "hold", messages: [1], more: "x".repeat(70_000) }),
    });
    assertEquals([response.status, world.asked], [413, []]);
  });

  it("in JSON alone: a form of another site, which may be sent as text, orders nothing", async () => {
    const { app, world } = makeApp();
    const response = await app.request(`${origin}/api/v1/queue/actions`, {
      method: "POST",
      headers: { Host: "localhost", Authorization: `Bearer ${token}`, "Content-Type": "text/plain" },
      body: JSON.stringify({ action: "hold", messages: [1] }),
    });
    assertEquals([response.status, world.asked], [400, []]);
  });

  it("to a browser's order wants the session's word", async () => {
    const { app, world } = makeApp();
    const login = await app.request(`${origin}/login`, {
      method: "POST",
      headers: { Host: "localhost", Origin: "http://localhost" },
      body: new URLSearchParams({ token }),
    });
    const cookie = login.headers.getSetCookie()[0]!.split(";")[0]!;
    const page = await (await app.request(`${origin}/destinations`, { headers: { Host: "localhost", Cookie: cookie } }))
      .text();
    const csrf = /name="csrf" value="([^"]+)"/.exec(page)![1]!;
    const order = async (headers: Record<string, string>) => {
      const response = await app.request(`${origin}/api/v1/queue/actions`, {
        method: "POST",
        headers: { Host: "localhost", Cookie: cookie, "Content-Type": "application/json", ...headers },
        body: JSON.stringify({ action: "hold", messages: [1] }),
      });
      return response.status;
    };
    const same = { Origin: "http://localhost" };
    assertEquals([await order({}), await order(same), await order({ ...same, "X-CSRF-Token": "x" })], [403, 403, 403]);
    assertEquals(world.asked, []);
    assertEquals([await order({ ...same, "X-CSRF-Token": csrf }), world.asked.length], [200, 1]);
  });
});
