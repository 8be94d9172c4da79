import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { manifests } from "../../config/manifests.ts";
import { hardening, natureOf } from "../../scripts/units/hardening.ts";
import { pathWord, unitWord } from "../../scripts/units/word.ts";
import { needs } from "../support/program.ts";
import { runTask } from "../support/task.ts";
import { busy, plain, samples, unitsOf } from "./samples.ts";
import { golden, goldenFiles } from "./write_golden.ts";

const need = needs(["systemd-analyze"]);

/** Units in a folder, for systemd-analyze. */
function withUnits<T>(units: ReadonlyMap<string, string>, work: (dir: string) => T): T {
  const dir = Deno.makeTempDirSync();
  try {
    for (const [name, text] of units) Deno.writeTextFileSync(join(dir, name), text);
    return work(dir);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

function analyze(args: readonly string[]): { readonly success: boolean; readonly said: string } {
  const command = new Deno.Command("systemd-analyze", { args: [...args], stdin: "null" });
  const { success, stdout, stderr } = command.outputSync();
  return { success, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

describe("the units", () => {
  it("are those that were looked at (else: deno run -A tests/units/write_golden.ts)", () => {
    for (const [name, text] of goldenFiles()) assertEquals(text, Deno.readTextFileSync(join(golden, name)), name);
  });

  for (const [name, config] of samples()) {
    it(`are well-formed, ${name}${need.note}`, { ignore: need.ignore }, () => {
      const units = unitsOf(config);
      withUnits(units, (dir) => {
        const { success, said } = analyze(["verify", "--man=no", ...[...units.keys()].map((unit) => join(dir, unit))]);
        assertEquals({ success, said }, { success: true, said: "" });
      });
    });

    it(`are exposed by 2.0 at most towards the network, by 2.5 at most else, ${name}${need.note}`, {
      ignore: need.ignore,
    }, () => {
      const speaking = new Set(
        manifests.filter((manifest) => natureOf(manifest, config).speaks).map(({ name }) => name),
      );
      withUnits(unitsOf(config), (dir) => {
        for (const { name: file } of Deno.readDirSync(dir)) {
          const [, component] = /^dqmail-(.+?)(?:-[0-9]+)?\.service$/.exec(file) ?? [];
          if (component === undefined) continue;
          // In tenths: it ends with another status where a unit is above.
          const threshold = speaking.has(component) ? 20 : 25;
          const { success, said } = analyze(
            ["security", "--offline=yes", "--no-pager", `--threshold=${threshold}`, join(dir, file)],
          );
          assert(
            success,
            `${file}: ${said.split("\n").filter((line) => line.startsWith("✗") || line.startsWith("→")).join("\n")}`,
          );
        }
      });
    });
  }

  it("are one for each process", () => {
    const names = [...unitsOf(busy()).keys()];
    assert(names.includes("dqmail-qmail-smtpd-2.service"));
    const started = manifests.filter(({ startedBy }) => startedBy === "supervisor");
    for (const { name } of started) assert(names.includes(`dqmail-${name}.service`), name);
  });
});

describe("hardening()", () => {
  const linesOf = (name: string, config = plain): readonly string[] => {
    const manifest = manifests.find((manifest) => manifest.name === name)!;
    return hardening(manifest.permissions(config), config, natureOf(manifest, config));
  };

  it("gives a network of its own to who has no business with one", () => {
    for (const name of ["qmail-queue", "qmail-send", "sign", "auth"]) {
      assert(linesOf(name).includes("PrivateNetwork=yes"), name);
      assert(linesOf(name).includes("RestrictAddressFamilies=AF_UNIX"), name);
    }
  });

  it("lets who listens on loopback alone hear nobody else", () => {
    const lines = linesOf("admin");
    assert(lines.includes("IPAddressDeny=any") && lines.includes("IPAddressAllow=localhost"));
  });

  it("keeps nobody from who listens to the world", () => {
    assert(!linesOf("qmail-smtpd", busy()).some((line) => line.startsWith("IPAddress")));
  });

  it("lets a low port be bound without root", () => {
    assert(linesOf("qmail-smtpd", busy()).includes("AmbientCapabilities=CAP_NET_BIND_SERVICE"));
    assert(linesOf("qmail-smtpd").includes("CapabilityBoundingSet="));
  });

  it("hides the mail, the queue and the users from who speaks with the network", () => {
    const hidden = linesOf("qmail-smtpd").find((line) => line.startsWith("InaccessiblePaths="))!;
    for (const folder of ["mail", "queue", "users", "dkim"]) assert(hidden.includes(`-/var/qmail/${folder}`), folder);
  });

  it("mounts the queue as one, since files get second names in it", () => {
    const written = linesOf("qmail-queue").find((line) => line.startsWith("ReadWritePaths="))!;
    assert(written.includes("-/var/qmail/queue ") && !written.includes("/var/qmail/queue/"));
  });

  it("lets nobody run a program but who is granted one", () => {
    for (const manifest of manifests.filter(({ startedBy }) => startedBy === "supervisor")) {
      const { runs } = natureOf(manifest, busy());
      assertEquals(linesOf(manifest.name, busy()).includes("NoExecPaths=/"), !runs, manifest.name);
    }
  });
});

describe("unitWord()", () => {
  for (
    const { input, want } of [
      { input: "/var/qmail", want: "/var/qmail" },
      { input: "100%", want: "100%%" },
      { input: "$HOME", want: "$$HOME" },
      { input: "two words", want: '"two words"' },
      { input: 'a"b\\c', want: '"a\\"b\\\\c"' },
      { input: "", want: '""' },
    ]
  ) {
    it(`writes ${JSON.stringify(input)} as ${want}`, () => assertEquals(unitWord(input), want));
  }

  it("leaves a dollar as it is in a path", () => assertEquals(pathWord("/a$b%"), "/a$b%%"));
  it("refuses a line end", () => void assertThrows(() => unitWord("a\nExecStart=b")));
});

describe("deno task units", () => {
  it("writes them into a folder, and refuses a prefix that is no absolute path", async () => {
    const dir = Deno.makeTempDirSync();
    try {
      const { code, stdout } = await runTask("units", ["--out", dir, "--prefix", `${dir}/home`]);
      assertEquals(code, 0);
      assert(stdout.includes("systemctl enable --now dqmail.target"));
      assert(Deno.readTextFileSync(join(dir, "dqmail-qmail-queue.service")).includes(`${dir}/home/queue`));
      assertEquals((await runTask("units", ["--out", dir, "--prefix", "qmail"])).code, 100);
      assertEquals((await runTask("units", ["--prefix", "/var/qmail"])).code, 100);
    } finally {
      Deno.removeSync(dir, { recursive: true });
    }
  });
});
