/** What the status socket tells of the control files. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type FoundControl, showControls } from "../../components/supervisor/controls.ts";
import { longestShown, parseControls } from "../../components/lib/wire/controls_protocol.ts";
import { ProtocolError } from "../../components/lib/wire/server.ts";
import { schema } from "../../config/schema.ts";

const octetsOf = (text: string) => new TextEncoder().encode(text);

function show(files: Readonly<Record<string, string | FoundControl>>) {
  const find = (file: string) => {
    const found = files[file];
    return typeof found === "string" ? { octets: octetsOf(found), open: true } : found;
  };
  return new Map(showControls(find, "mx.example.org").map((control) => [control.name, control]));
}

describe("showControls()", () => {
  it("tells of every control file, and its defaults", () => {
    const controls = show({});
    assertEquals([...controls.keys()], Object.keys(schema).sort());
    assert(
      [...controls.values()].every(({ origin, value, meaning }) =>
        origin === "default" && value === "" && meaning !== ""
      ),
    );
    assertEquals([controls.get("helohost")?.default, controls.get("databytes")?.default], ["mx.example.org", "0"]);
  });

  it("tells what is set without comments, and what is wrong with it", () => {
    const controls = show({ locals: "# ours\na.example \n\nb.example\n", databytes: "10MB\n" });
    assertEquals([controls.get("locals")?.origin, controls.get("locals")?.value], ["file", "a.example\nb.example"]);
    assertEquals(controls.get("databytes")?.defect, 'expected a whole number of bytes, got "10MB"');
  });

  it("shows no secret, and no file that not everybody may read", () => {
    const closed = (text: string): FoundControl => ({ octets: octetsOf(text), open: false });
    const controls = show({
      admintoken: closed(`sha256:${"ab".repeat(32)}\n`),
      srssecret: closed("verysecret\n"),
      smtproutes: closed(":relay.example user verysecret\n"),
      locals: closed("verysecret.example\n"),
      databytes: closed("verysecret\n"),
    });
    const text = JSON.stringify([...controls.values()]);
    assert(!text.includes("verysecret") && !text.includes("abab"));
    assertEquals([controls.get("locals")?.origin, controls.get("databytes")?.defect], ["hidden", "it is malformed"]);
    assertEquals(controls.get("admintoken")?.value, "sha256:(hidden)");
  });

  it("cuts what is long, and gives only the size of a cdb file", () => {
    const controls = show({ rcpthosts: "a.example\n".repeat(9999), "tcp.smtp.cdb": "\0\x01\x02" });
    assertEquals([controls.get("rcpthosts")?.value.length, controls.get("rcpthosts")?.cut], [longestShown, true]);
    assertEquals(controls.get("tcp.smtp.cdb")?.value, "3 octets");
  });

  it("is read back as it was told", () => {
    const controls = [...show({ locals: "a.example\n", databytes: "x\n" }).values()];
    const head = JSON.parse(JSON.stringify({ id: 1, controls }));
    assertEquals(parseControls({ head, body: new Uint8Array() }), JSON.parse(JSON.stringify(controls)));
  });

  for (const change of [{ name: 1 }, { origin: "x" }, { usedBy: "x" }, { usedBy: [1] }, { cut: 0 }, { defect: 1 }]) {
    it(`is not read back where it has ${JSON.stringify(change)}`, () => {
      const [control] = show({}).values();
      const head = JSON.parse(JSON.stringify({ controls: [{ ...control, ...change }] }));
      const error = assertThrows(() => parseControls({ head, body: new Uint8Array() }));
      assert(error instanceof ProtocolError);
    });
  }
});
