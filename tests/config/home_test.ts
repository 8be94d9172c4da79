import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { homeAt, homeDefect, socketNames } from "../../config/home.ts";

describe("homeAt()", () => {
  it("makes every path below the home, which it makes absolute", () => {
    const home = homeAt("/var/qmail/");
    assertEquals(
      [home.dir, home.control("me"), home.queue("mess", "2"), home.users("passwd"), home.mail("a", "b")],
      [
        "/var/qmail",
        "/var/qmail/control/me",
        "/var/qmail/queue/mess/2",
        "/var/qmail/users/passwd",
        "/var/qmail/mail/a/b",
      ],
    );
    assertEquals(homeAt("here").dir, `${Deno.cwd()}/here`);
  });

  it("has qmail's own split of the queue, or the one it is told", () =>
    assertEquals([homeAt("/h").queueSplit, homeAt("/h", { queueSplit: 7 }).queueSplit], [23, 7]));

  it("gives each socket a folder of its own", () => {
    const folders = socketNames.map((name) => homeAt("/h").socket(name));
    assertEquals(new Set(folders).size, socketNames.length);
    assert(folders.every((path) => /^\/h\/run\/[a-z0-9-]+\/s$/.test(path)));
  });
});

describe("homeDefect()", () => {
  const longest = Math.max(...socketNames.map((name) => homeAt("/").socket(name).length));
  const ofLength = (length: number) => homeAt(`/${"a".repeat(length - 1)}`);
  const fits = 107 - longest;

  it("is none for a home whose longest socket has 107 octets", () =>
    assertEquals(homeDefect(ofLength(fits)), undefined));

  it("says how long the socket's path would be, and what the system takes", () => {
    const defect = homeDefect(ofLength(fits + 1));
    assert(defect?.includes("would have 108 octets, the system takes 107; choose a shorter --home"), defect);
  });

  it("counts octets, not characters", () => {
    assert(homeDefect(homeAt(`/${"\u00e4".repeat(fits / 2 + 1)}`)) !== undefined);
  });

  for (const dir of ["/a,b", "/a\nb"]) {
    it(`refuses ${JSON.stringify(dir)}, which no grant could name`, () =>
      assert(homeDefect(homeAt(dir)) !== undefined));
  }
});
