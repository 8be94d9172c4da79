import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { parsePlugins } from "../../../components/lib/hooks/plugins_file.ts";

describe("parsePlugins()", () => {
  it("knows a section by its first letter, and keeps the order", () => {
    const text = `# plug-ins
[connection]
/usr/lib/a
[Mail]
  bin/b
: echo "N" # all of it
[RCPT]
/c
[m]
/d
`;
    const plugins = parsePlugins(text);
    assert(plugins.ok);
    assertEquals([...plugins.value], [
      ["connection", [{ program: "/usr/lib/a" }]],
      ["mail", [{ program: "bin/b" }, { command: ' echo "N" # all of it' }, { program: "/d" }]],
      ["rcpt", [{ program: "/c" }]],
    ]);
  });

  for (const text of ["/a", "[nothing]\n/a", "[]\n/a", "[mail\n/a", "[mail]\n/a b", "[mail]\n../a", "[mail]\n:"]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert(!parsePlugins(text).ok));
  }

  it("takes an empty file for no plug-in", () =>
    assertEquals(parsePlugins("[mail]\n\n"), { ok: true, value: new Map() }));
});
