import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { Turns } from "../../components/auth/turns.ts";

describe("turns", () => {
  it("are taken one after the other, and refused at once where too many wait", async () => {
    const turns = new Turns({ atOnce: 1, mostWaiting: 2 });
    const begun: string[] = [];
    const gates = new Map<string, () => void>();
    const take = (client: string) =>
      turns.take(client, () => {
        begun.push(client);
        return new Promise<string>((resolve) => gates.set(client, () => resolve(client)));
      });
    const taken = ["a", "b", "c"].map(take);
    assertEquals(await take("d"), undefined);
    for (const name of ["a", "b", "c"]) {
      await Promise.resolve();
      assertEquals(begun.at(-1), name);
      gates.get(name)!();
      await taken[["a", "b", "c"].indexOf(name)];
    }
    assertEquals(await Promise.all(taken), ["a", "b", "c"]);
  });

  it("are had by one client to a half, so that others get in, and are free again afterwards", async () => {
    const turns = new Turns({ atOnce: 1, mostWaiting: 9 });
    const gate = Promise.withResolvers<void>();
    const work = () => gate.promise.then(() => "done");
    const own = Array.from({ length: 8 }, () => turns.take("a", work));
    assertEquals(await Promise.all(own.slice(5)), [undefined, undefined, undefined]);
    const others = ["b", "c"].map((client) => turns.take(client, work));
    gate.resolve();
    assertEquals(await Promise.all([...own.slice(0, 5), ...others]), Array(7).fill("done"));
    assertEquals(await turns.take("a", work), "done");
  });

  it("are free again after work that threw", async () => {
    const turns = new Turns({ atOnce: 1, mostWaiting: 0 });
    const failed = await turns.take("a", () => Promise.reject(new Error("x"))).catch((error: Error) => error.message);
    assertEquals([failed, await turns.take("a", () => Promise.resolve("next"))], ["x", "next"]);
  });
});
