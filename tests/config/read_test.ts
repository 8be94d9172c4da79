import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { homeAt } from "../../config/home.ts";
import { readControls, readControlsOf } from "../../config/read.ts";
import { type ControlFile, controlFilesOf, schema } from "../../config/schema.ts";
import { tempDir } from "../support/temp_dir.ts";

const all = Object.keys(schema) as ControlFile[];

/** A home with these control files. */
function homeWith(files: Readonly<Record<string, string>>) {
  const dir = tempDir();
  const home = homeAt(dir.path);
  Deno.mkdirSync(home.control(""), { recursive: true });
  for (const [file, text] of Object.entries(files)) Deno.writeTextFileSync(home.control(file), text);
  return { home, [Symbol.dispose]: () => dir[Symbol.dispose]() };
}

function errorsOf(files: Readonly<Record<string, string>>, wanted: readonly ControlFile[] = all): readonly string[] {
  using here = homeWith(files);
  const read = readControls(here.home, wanted);
  return read.ok ? [] : read.error.map((error) => error.replaceAll(here.home.dir, "HOME"));
}

describe("readControls()", () => {
  it("takes defaults, and me's value for those that default to it", () => {
    using here = homeWith({ me: "MX.example.com\n" });
    const read = readControls(here.home, all);
    assert(read.ok);
    const { me, bouncehost, doublebouncehost, envnoathost, helohost, smtpgreeting, locals } = read.value;
    assertEquals(new Set([me, bouncehost, doublebouncehost, envnoathost, helohost, smtpgreeting, ...locals]).size, 1);
    assertEquals([read.value.databytes, read.value.queuelifetime, read.value.bouncefrom], [
      0,
      604_800,
      "MAILER-DAEMON",
    ]);
    assertEquals(read.value.rcpthosts, []);
    assert(all.every((file) => read.value[file] !== undefined));
  });

  it("prefers what stands in a file", () => {
    using here = homeWith({ me: "mx.example.com\n", locals: "", databytes: "7\n", helohost: "out.example\n" });
    const read = readControls(here.home, ["locals", "databytes", "helohost"]);
    assertEquals(read, { ok: true, value: { locals: [], databytes: 7, helohost: "out.example" } });
  });

  it("needs me for a file that defaults to it, and not for others", () => {
    assertEquals(errorsOf({}, ["databytes", "rcpthosts"]), []);
    assertEquals(errorsOf({}, ["locals"]), [
      'Cannot read control file "me": expected this host\'s name in HOME/control/me, it is not there',
    ]);
  });

  it("says of every malformed file what was expected, at once", () => {
    assertEquals(errorsOf({ me: "mx example\n", databytes: "10MB\n", remoteport: "99999\n", listeners: "smtp\n" }), [
      'Cannot read control file "me": expected a domain name, got "mx example"',
      'Cannot read control file "databytes": expected a whole number of bytes, got "10MB"',
      'Cannot read control file "listeners": expected "service address:port [proxy]" with a service of smtp, submission, submissions, lmtp, pop3, pop3s, qmtp, qmtps, qmqp, admin, or "lmtp unix:path", got "smtp"',
      'Cannot read control file "remoteport": expected a TCP port from 1 to 65535, got "99999"',
    ]);
  });

  it("hands over the octets of a file that is no text as they are", () => {
    using here = homeWith({ me: "mx.example.com\n" });
    const octets = new Uint8Array(2048).map((_, at) => at);
    Deno.writeFileSync(here.home.control("morercpthosts.cdb"), octets);
    const read = readControls(here.home, ["morercpthosts.cdb"]);
    assert(read.ok && read.value["morercpthosts.cdb"] !== "none");
    assertEquals(new Uint8Array(read.value["morercpthosts.cdb"].readAt(0, 2048)), octets);
  });

  it("names a file that cannot be read, and does not take it for absent", () => {
    using here = homeWith({ me: "mx.example.com\n" });
    Deno.mkdirSync(here.home.control("databytes"));
    const read = readControls(here.home, ["databytes"]);
    assert(!read.ok && read.error.length === 1);
    assert(read.error[0]!.startsWith('Cannot read control file "databytes": '), read.error[0]);
  });
});

describe("readControlsOf()", () => {
  it("reads a component's own files and no others", () => {
    using here = homeWith({ me: "mx.example.com\n", databytes: "10MB\n" });
    const read = readControlsOf(here.home, "qmail-getpw");
    assert(read.ok);
    assertEquals(Object.keys(read.value).sort(), [...controlFilesOf("qmail-getpw")].sort());
  });
});

describe("the schema", () => {
  it("has a user, a meaning and a default or me for every file", () => {
    for (const file of all) {
      const row = schema[file] as { default?: unknown; fromMe?: unknown; usedBy: readonly string[]; doc: string };
      assert(row.usedBy.length > 0 && row.doc.endsWith("."), file);
      assert(file === "me" || row.default !== undefined || row.fromMe !== undefined, file);
    }
  });

  it("names me for every component that has a file which defaults to it", () => {
    for (const file of all) {
      const row = schema[file] as { fromMe?: unknown; usedBy: readonly string[] };
      if (row.fromMe !== undefined) assert(row.usedBy.every((name) => controlFilesOf(name).includes("me")), file);
    }
  });
});
