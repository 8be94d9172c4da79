import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { Overruled } from "../../components/qmail-send/overruled.ts";
import { heldSeconds } from "../../components/lib/queue/held.ts";

const entry = (atSeconds: number) => ({ id: 7, channel: "local", atSeconds }) as const;

describe("Overruled", () => {
  const rows: readonly { name: string; overruled: number; alarm?: number; at: number; file: number; want: string }[] = [
    { name: "has an entry tried whose time has come", overruled: 0, at: 100, file: 100, want: "try" },
    { name: "has one tried whose file is older (trouble came between)", overruled: 0, at: 100, file: 50, want: "try" },
    { name: "lets one wait whose file has a later time by now", overruled: 0, at: 100, file: 101, want: "wait" },
    { name: "lets a held one wait", overruled: 0, at: 100, file: heldSeconds, want: "wait" },
    { name: "drops an overruled one that comes too early", overruled: 1, at: 100, file: 101, want: "drop" },
    { name: "has one of several tried when the time has come", overruled: 2, at: 100, file: 100, want: "try" },
    { name: "has one tried too early with SIGALRM", overruled: 0, alarm: 100, at: 100, file: 500, want: "try" },
    {
      name: "has one of several tried too early with SIGALRM",
      overruled: 1,
      alarm: 100,
      at: 99,
      file: 500,
      want: "try",
    },
    { name: "lets a held one wait with SIGALRM", overruled: 0, alarm: 100, at: 100, file: heldSeconds, want: "wait" },
    {
      name: "has SIGALRM change nothing about what is due later",
      overruled: 0,
      alarm: 99,
      at: 100,
      file: 500,
      want: "wait",
    },
  ];
  for (const { name, overruled, alarm, at, file, want } of rows) {
    it(name, () => {
      const made = new Overruled();
      for (let n = 0; n < overruled; n++) made.add(7, "local");
      if (alarm !== undefined) made.alarm(alarm);
      assertEquals(made.judge(entry(at), file, 100), want);
      assertEquals(made.size, want === "drop" ? overruled - 1 : overruled);
    });
  }

  it("has each SIGALRM try a message once, in the same second as well", () => {
    const made = new Overruled();
    made.add(7, "local");
    made.add(7, "local");
    made.alarm(100);
    assertEquals(made.judge(entry(100), 500, 100), "try");
    assertEquals(made.judge(entry(100), 600, 100), "drop");
    made.alarm(100);
    assertEquals(made.judge(entry(100), 600, 100), "try");
    assertEquals(made.judge(entry(100), 700, 100), "drop");
    assertEquals(made.size, 0);
  });

  it("knows channels and messages apart, and takes a drop of what it does not know", () => {
    const made = new Overruled();
    made.add(7, "remote");
    made.drop(7, "local");
    made.drop(8, "remote");
    assertEquals(made.judge(entry(100), 101, 100), "wait");
    assertEquals(made.size, 1);
  });
});
