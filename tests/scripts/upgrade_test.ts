import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch } from "@std/assert";
import { type Home, homeAt } from "../../config/home.ts";
import * as field from "../../components/lib/wire/fields.ts";
import { serveUnix } from "../../components/lib/wire/server.ts";
import { runTask } from "../support/task.ts";
import { makeBaseDir } from "../support/system.ts";

describe("deno task upgrade", () => {
  let home: Home;

  beforeEach(() => {
    home = homeAt(makeBaseDir());
    for (const dir of [home.control(""), home.run("supervisor"), home.run("supervisor-status")]) {
      Deno.mkdirSync(dir, { recursive: true });
    }
    Deno.writeTextFileSync(home.control("me"), "localhost\n");
  });
  afterEach(() => Deno.removeSync(home.dir, { recursive: true }));

  /** A supervisor that knows these requests. */
  const supervisor = (ops: readonly string[], about: object = {}) => {
    const servers = (["supervisor", "supervisor-status"] as const).map((name) =>
      serveUnix(home.socket(name), {
        onFrame: ({ head }, pipe) => {
          const op = field.oneOf(head, "op", ops);
          const status = { pid: 1, startedSeconds: 0, ready: true, components: [] };
          pipe.send({ id: head["id"], ...(op === "status" ? status : about) });
        },
        onError: () => {},
      })
    );
    return { [Symbol.dispose]: () => servers.forEach((server) => server.stop()) };
  };
  const upgrade = () => runTask("upgrade", ["--home", home.dir]);

  it("says that nothing runs there", async () => {
    const { code, stderr } = await upgrade();
    assertEquals(code, 1);
    assertMatch(stderr, /^no dqmail runs in /);
  });

  for (
    const [who, ops, about] of [
      ["knows nothing of handing over", ["status", "reload"], {}],
      ["hands over in another way", ["status", "about"], { handOver: 2 }],
    ] as const
  ) {
    it(`changes nothing, and says what to do, where the supervisor ${who}`, async () => {
      using _ = supervisor(ops, about);
      const before = [...Deno.readDirSync(home.dir)].map(({ name }) => name);
      const { code, stderr } = await upgrade();
      assertEquals(code, 100);
      assertMatch(stderr, /cannot hand over to this version .* stop --home .* start/s);
      assertEquals([...Deno.readDirSync(home.dir)].map(({ name }) => name), before);
    });
  }
});
