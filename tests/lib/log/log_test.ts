import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describeError, log, logEvent, logRestMs, visible } from "../../../components/lib/log/log.ts";
import { captureLog } from "../../support/captured_log.ts";

/** Settles when what was logged before has been written: of two timers with one delay the older one comes first. */
function rest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, logRestMs));
}

describe("log()", () => {
  it("writes the lines of a few milliseconds in one write", async () => {
    const original = Deno.stderr.writeSync;
    const writes: string[] = [];
    Deno.stderr.writeSync = (octets) => {
      writes.push(new TextDecoder().decode(octets));
      return octets.length;
    };
    try {
      for (const line of ["one", "two"]) log(line);
      await Promise.resolve();
      log("three");
      await rest();
    } finally {
      Deno.stderr.writeSync = original;
    }
    assertEquals(writes, ["one\ntwo\nthree\n"]);
  });

  it("writes much without waiting for its reader, what comes meanwhile behind it, and waits for a reader that is far behind", async () => {
    const { write, writeSync } = Deno.stderr;
    const written: number[] = [];
    let read = () => {};
    Deno.stderr.writeSync = (octets) => {
      written.push(-octets.length);
      return octets.length;
    };
    Deno.stderr.write = (octets) => {
      written.push(octets.length);
      return new Promise((resolve) => read = () => resolve(octets.length));
    };
    try {
      log("x".repeat(9999));
      await rest();
      log("y".repeat(4999));
      await rest();
      assertEquals(written, [10_000]);
      read();
      await rest();
      assertEquals(written, [10_000, 5000]);
      log("z".repeat(5_000_000 - 1));
      await rest();
      assertEquals(written, [10_000, 5000, -5_000_000]);
      read();
      await rest();
      log("short");
      await rest();
      assertEquals(written, [10_000, 5000, -5_000_000, -6]);
    } finally {
      Deno.stderr.write = write;
      Deno.stderr.writeSync = writeSync;
    }
  });

  const streams = [
    { claim: "takes two octets at a time", write: (octets: Uint8Array) => octets.subarray(0, 2), want: "a line\n" },
    {
      claim: "is gone: mail goes on without its log",
      write: () => {
        throw new Deno.errors.BrokenPipe("gone");
      },
      want: "",
    },
  ];
  for (const { claim, write, want } of streams) {
    it(`copes with a standard error that ${claim}`, async () => {
      const original = Deno.stderr.writeSync;
      let text = "";
      Deno.stderr.writeSync = (octets) => {
        const taken = write(octets);
        text += new TextDecoder().decode(taken);
        return taken.length;
      };
      try {
        log("a line");
        await rest();
      } finally {
        Deno.stderr.writeSync = original;
      }
      assertEquals(text, want);
    });
  }
});

describe("logEvent()", () => {
  it("writes stable words, then key=value pairs that cannot be mistaken", () => {
    using captured = captureLog();
    logEvent("garbage", { socket: "qmail-queue", reason: "a b\nfake=1", count: 3 });
    logEvent("reloaded");
    assertEquals(captured.lines(), ["garbage socket=qmail-queue reason=a_b_fake=1 count=3", "reloaded"]);
  });
});

describe("visible()", () => {
  const rows = [
    { text: "amy@a.example", want: "amy@a.example" },
    { text: "a b\tc\nd\re\0f", want: "a_b_c_d_e_f" },
    { text: "\x1b[31m", want: "_[31m" },
    { text: "100%s\x7f\x80\xff\u2028", want: "100_s____" },
    { text: "x".repeat(512), want: "x".repeat(512) },
    { text: "x".repeat(513), want: `${"x".repeat(512)}...` },
  ];
  for (const { text, want } of rows) {
    it(`${JSON.stringify(text.slice(0, 20))} of ${text.length}`, () => assertEquals(visible(text), want));
  }

  it("makes one printable word of anything", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => assert(/^[!-$&-~]*$/.test(visible(text)))));
  });
});

describe("describeError()", () => {
  it("is one line", () => {
    assertEquals(describeError(new TypeError("two\nlines")), "TypeError: two lines");
    assertEquals(describeError("thrown text"), "thrown text");
    assertEquals(describeError(undefined), "undefined");
  });
});
