import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch } from "@std/assert";
import type { Config } from "../../components/lib/permissions/grant.ts";
import { parseFilters } from "../../components/lib/filters/chain.ts";
import { manifest } from "../../components/milter/permissions.ts";
import { answer, script } from "../lib/milter/scripted_milter.ts";
import { note, world } from "../lib/filters/world.ts";
import { startScanner, writeControls } from "../support/scanner_process.ts";
import { tempDir } from "../support/temp_dir.ts";
import { milterServer } from "./server.ts";

const text = "Subject: hi\n\nhello\n";

describe("milter as a process", () => {
  it("asks milters at an address and at a Unix socket with its grant alone, and uses all of it", async () => {
    await using around = world();
    using dir = tempDir();
    const path = `${dir.path}/milter.sock`;
    const first = milterServer(script({ E: answer("h", "X-One\x001\0") + answer("c") }));
    const second = milterServer(
      script({ E: answer("+", "<c@c.example>\0") + answer("h", "X-Two\x002\0") + answer("c") }),
      { path },
    );
    await using one = first.server;
    await using _two = second.server;
    await using milter = await startScanner(around, manifest, {
      me: "mx.example\n",
      milters: `127.0.0.1:${one.port}\nunix:${path}\n`,
    });
    assertEquals((await around.send([text], { chain: ["milter"], client: note })).code, 0);
    const [message] = around.queue.messages;
    assertEquals(message!.content, "Subject: hi\nX-One: 1\nX-Two: 2\n\nhello\n");
    assertEquals(message!.envelope.recipients, ["a@a.example", "b@b.example", "c@c.example"]);
    assertMatch(first.sessions[0]!.heard.map(([letter, data]) => letter + data).join("\n"), /Cj\0mx\.example\0/);
    await milter.stopAndCheckGrant();
  });

  it("asks another milter after a SIGHUP only where its grant names it", async () => {
    await using around = world();
    const first = milterServer(script());
    const second = milterServer(script());
    await using one = first.server;
    await using two = second.server;
    await using milter = await startScanner(around, manifest, {
      me: "mx.example\n",
      milters: `127.0.0.1:${one.port}\n`,
    });
    writeControls(around, { milters: `127.0.0.1:${two.port}\n` });
    milter.child.kill("SIGHUP");
    // The signal and the message come by different ways.
    let code = 0;
    for (let round = 0; round < 100 && code === 0; round++) {
      code = (await around.send([text], { chain: ["milter"], client: note })).code;
    }
    assertEquals([code, two.count], [71, 0]);
    await milter.log.waitFor((line) => line.startsWith("judge-failed "), 5000);
  });

  it("is refused by the start where a chain names it and nobody has said which milters", () => {
    const defects = (filters: string, milters: readonly unknown[]) => {
      const chain = parseFilters(filters);
      if (!chain.ok) throw new Error(chain.error);
      return manifest.defects!({ controls: { filters: chain.value, milters } } as unknown as Config);
    };
    assertEquals(defects("smtp: milter", []), ["control/filters names milter, and control/milters names none"]);
    assertEquals([defects("smtp: verify", []), defects("smtp: milter", [1])], [[], []]);
  });
});
