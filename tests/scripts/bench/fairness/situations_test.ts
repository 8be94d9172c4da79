import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { schema } from "../../../../config/schema.ts";
import { parseFairnessOptions } from "../../../../scripts/bench/fairness/options.ts";
import { controlsOf, loadOf, situations } from "../../../../scripts/bench/fairness/situations.ts";

describe("controlsOf()", () => {
  it("are such as the schema takes", () => {
    for (const dead of [undefined, 2601]) {
      for (const [file, text] of Object.entries(controlsOf(2600, dead))) {
        assertEquals([file, schema[file as keyof typeof schema].parse(`${text}\n`).ok], [file, true]);
      }
    }
  });
});

describe("loadOf()", () => {
  it("is one large message, or many for the dead host, or nothing", () => {
    const options = parseFairnessOptions(["--recipients", "500", "--waiting", "70"]);
    if (!options.ok) throw new Error(options.error);
    const server = { host: "127.0.0.1", port: 2525 };
    const loads = situations.map((situation) => loadOf(situation, options.value, server));
    assertEquals(loads.map((load) => load && [load.messages, load.recipientsPerMessage, load.recipient]), [
      undefined,
      [1, 500, "u%u-%n@localhost"],
      [1, 500, "r%n@d%h.sink.example"],
      [70, 1, "x%n@dead.example"],
    ]);
  });
});
