import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { existsSync } from "@std/fs";
import { type Home, homeAt } from "../../config/home.ts";
import { keepSystemUsers } from "../../scripts/home/prepare.ts";
import { makeBaseDir } from "../support/system.ts";

describe("keepSystemUsers()", () => {
  let base: string;
  let home: Home;
  let said: string[];
  const keep = () => keepSystemUsers(home, (line) => said.push(line));
  const file = () => existsSync(home.control("systemusers")) ? Deno.readTextFileSync(home.control("systemusers")) : "";

  beforeEach(() => {
    base = makeBaseDir();
    home = homeAt(base);
    said = [];
    for (const folder of [home.control(""), home.queue("mess", "0")]) Deno.mkdirSync(folder, { recursive: true });
    Deno.writeTextFileSync(home.control("me"), "mx.example\n");
  });
  afterEach(() => Deno.removeSync(base, { recursive: true }));

  it("lets accounts of the system have mail where qmail has run, and says so", () => {
    keep();
    assertEquals([file(), said.length], ["1\n", 1]);
    keep();
    assertEquals(said.length, 1);
  });

  it("leaves a decision that was made", () => {
    Deno.writeTextFileSync(home.control("systemusers"), "0\n");
    keep();
    assertEquals([file(), said], ["0\n", []]);
  });

  it("changes nothing in a home of ours, nor in a new one", () => {
    Deno.mkdirSync(home.libexec());
    keep();
    Deno.removeSync(home.libexec());
    Deno.removeSync(home.queue(""), { recursive: true });
    keep();
    assertEquals([file(), said], ["", []]);
  });
});
