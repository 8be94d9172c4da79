import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch } from "@std/assert";
import type { Pipe } from "../../../components/lib/wire/pipe.ts";
import { serveUnix, type UnixServer } from "../../../components/lib/wire/server.ts";
import { TallyClient } from "../../../components/lib/wire/tally_client.ts";
import { parseTallyRequest, type TallyRequest } from "../../../components/lib/wire/tally_protocol.ts";
import { type Home, homeAt } from "../../../config/home.ts";
import { type TempDir, tempDir } from "../../support/temp_dir.ts";

const triplet = { ip: "192.0.2.1", sender: "amy@a.example", recipient: "bob@b.example", waitSeconds: 300 };
const limit = { key: "client 192.0.2.1", limit: 1, perSeconds: 60 };

describe("TallyClient", () => {
  let dir: TempDir;
  let home: Home;
  let servers: UnixServer[];
  let clients: TallyClient[];
  let troubles: string[];

  function serve(onRequest: (request: TallyRequest, pipe: Pipe) => void): UnixServer {
    const server = serveUnix(home.socket("tally"), {
      onError: () => {},
      onFrame: (frame, pipe) => onRequest(parseTallyRequest(frame), pipe),
    });
    servers.push(server);
    return server;
  }

  function end(server: UnixServer): void {
    servers = servers.filter((other) => other !== server);
    server.stop();
    server.closeAll();
  }

  function connect(timeoutMs = 10_000): TallyClient {
    const client = new TallyClient(home, { timeoutMs, onTrouble: (error) => void troubles.push(String(error)) });
    clients.push(client);
    return client;
  }

  beforeEach(() => {
    dir = tempDir();
    home = homeAt(dir.path);
    Deno.mkdirSync(home.run("tally"), { recursive: true });
    [servers, clients, troubles] = [[], [], []];
  });

  afterEach(() => {
    clients.forEach((client) => client.close());
    servers.forEach(end);
    dir[Symbol.dispose]();
  });

  it("hands on what tally says, each answer to its question, in whatever order they come", async () => {
    const held: (() => void)[] = [];
    serve((request, pipe) => {
      const reply = request.op === "count"
        ? { kind: "over", retrySeconds: request.limit }
        : { kind: "wait", seconds: request.waitSeconds };
      held.push(() => pipe.send({ id: request.id, ...reply }));
      if (held.length === 4) held.toReversed().forEach((answer) => answer());
    });
    const client = connect();
    const answers = await Promise.all([
      client.greylist(triplet),
      client.count(limit),
      client.greylist({ ...triplet, waitSeconds: 7 }),
      client.count({ ...limit, limit: 9 }),
    ]);
    assertEquals(answers, [
      { kind: "wait", seconds: 300 },
      { kind: "over", retrySeconds: 1 },
      { kind: "wait", seconds: 7 },
      { kind: "over", retrySeconds: 9 },
    ]);
    assertEquals(troubles, []);
  });

  const away: {
    name: string;
    answer?: (request: TallyRequest, pipe: Pipe) => void;
    timeoutMs?: number;
    trouble: RegExp;
  }[] = [
    { name: "is not there", trouble: /cannot connect/ },
    { name: "goes away before it answers", answer: (_, pipe) => pipe.close(), trouble: /lost the connection/ },
    {
      name: "answers what is no answer",
      answer: ({ id }, pipe) => pipe.send({ id, kind: "perhaps" }),
      trouble: /ProtocolError/,
    },
    { name: "hangs", answer: () => {}, timeoutMs: 50, trouble: /no answer in 50 ms/ },
  ];
  for (const { name, answer, timeoutMs, trouble } of away) {
    it(`lets mail pass while tally ${name}, and says so once`, async () => {
      if (answer !== undefined) serve(answer);
      const client = connect(timeoutMs);
      for (let n = 0; n < 2; n++) {
        assertEquals(await client.greylist(triplet), { kind: "unsure" });
        assertEquals(await client.count(limit), { kind: "within" });
      }
      assertEquals(troubles.length, 1);
      assertMatch(troubles[0]!, trouble);
    });
  }

  it("leaves nothing waiting on the connection to a tally that hangs", async () => {
    let asked = 0;
    const server = serve(() => void asked++);
    const client = connect(50);
    await Promise.all(Array.from({ length: 20 }, () => client.greylist(triplet)));
    assertEquals(asked, 20);
    await client.greylist(triplet);
    assertEquals(server.connections.size <= 1, true);
  });

  it("asks again when tally is back, and tells of the next trouble", async () => {
    const answer = ({ id }: TallyRequest, pipe: Pipe) => pipe.send({ id, kind: "pass" });
    const client = connect();
    for (let n = 1; n <= 2; n++) {
      const server = serve(answer);
      assertEquals(await client.greylist(triplet), { kind: "pass" });
      end(server);
      assertEquals(await client.greylist(triplet), { kind: "unsure" });
      assertEquals(troubles.length, n);
    }
  });
});
