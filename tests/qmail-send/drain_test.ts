import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { Drain } from "../../components/qmail-send/drain.ts";
import type { JournalMessage } from "../../components/lib/wire/queue_protocol.ts";

function heard() {
  const said: string[] = [];
  const drain = new Drain({
    setAccepting: (accepting) => said.push(`accepting ${accepting}`),
    vacateAll: () => said.push("vacate all"),
    vacate: (serials, ids) => said.push(`vacate ${serials} ${ids}`),
    size: () => 3,
  });
  return { drain, said };
}

const entry = { serial: 9, id: 7 } as JournalMessage;

describe("Drain", () => {
  it("lets mail into the journal where a predecessor may have forbidden it", () => {
    const { drain, said } = heard();
    drain.connected();
    drain.noticed([entry]);
    assertEquals(said, ["accepting true"]);
  });

  it("empties the journal, of what comes late as well, and forbids it to a new qmail-queue, until it is ended", () => {
    const { drain, said } = heard();
    assertEquals(drain.begin(), 3);
    drain.noticed([entry]);
    drain.connected();
    assertEquals(said, ["accepting false", "vacate all", "vacate 9 7", "accepting false"]);
    drain.end();
    drain.noticed([entry]);
    drain.connected();
    assertEquals(said.slice(4), ["accepting true", "accepting true"]);
  });
});
