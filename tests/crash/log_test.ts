import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { linesAbout, oddities } from "./log.ts";

describe("linesAbout()", () => {
  const lines = [
    "qmail-send: new msg 40",
    "qmail-send: new msg 41",
    "qmail-send: starting delivery 7: msg 41 to remote r-1-0@sink.example",
    "qmail-send: starting delivery 8: msg 40 to remote r-2-0@sink.example",
    "qmail-send: delivery 7: success: taken",
    "qmail-send: delivery 70: success: taken",
    "qmail-send: end msg 41",
  ];

  it("has a recipient's lines and those of the message and the delivery they name", () => {
    assertEquals(linesAbout(["r-1-0@sink.example"], "", lines), [1, 2, 4, 6].map((at) => lines[at]!));
  });

  it("has those of the number the server answered", () => {
    const log = ["qmail-smtpd: accepted rcpts=1 qp=98", "qmail-send: info msg 5: qp 98 uid 0", "qmail-send: end msg 5"];
    assertEquals(linesAbout([], "ok 1 qp 98", [...lines, ...log]), log);
    assertEquals(linesAbout([], "ok 1 qp 9", [...lines, ...log]), []);
  });

  it("has the ends of components near them", () => {
    const end = "restart component=qmail-send code=137";
    assertEquals(linesAbout(["r-2-0@sink.example"], "", [...lines, end]).at(-1), end);
  });

  it("has none where nobody is named", () => {
    assertEquals(linesAbout(["r-3-0@sink.example"], "ok 1 qp 9", lines), []);
    assertEquals(linesAbout([], "", lines), []);
  });
});

describe("oddities()", () => {
  it("counts ends that were no SIGKILL, and what a component did not expect", () => {
    const counts = new Map<string, number>();
    oddities([
      "restart component=qmail-send code=137 signal=SIGKILL ranms=5 delayms=50",
      "restart component=qmail-send code=111 signal=none ranms=5 delayms=50",
      "restart component=qmail-send code=111 signal=none ranms=9 delayms=100",
      "qmail-send: alert: oh no! lost qmail-clean connection!",
      "qmail-lspawn: surprise reason=x",
      "qmail-send: delivery 7: success: surprise",
    ], counts);
    assertEquals([...counts], [["qmail-send ended with 111 (none)", 2], ["qmail-send: alert:", 1], [
      "qmail-lspawn: surprise",
      1,
    ]]);
  });
});
