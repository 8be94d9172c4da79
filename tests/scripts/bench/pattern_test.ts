import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { expandMaildirs, expandPattern } from "../../../scripts/bench/pattern.ts";

describe("expandPattern()", () => {
  const counts = { users: 100, domains: 7 };
  const rows: { pattern: string; running: number; want: string }[] = [
    { pattern: "amy@a.example", running: 3, want: "amy@a.example" },
    { pattern: "u%u@localhost", running: 0, want: "u0@localhost" },
    { pattern: "u%u@localhost", running: 99, want: "u99@localhost" },
    { pattern: "u%u@localhost", running: 205, want: "u5@localhost" },
    { pattern: "x%n@a.example", running: 1234, want: "x1234@a.example" },
    { pattern: "r%n@d%h.example", running: 15, want: "r15@d1.example" },
    { pattern: "%n-%n@a.example", running: 2, want: "2-2@a.example" },
    { pattern: "50%%u@a.example", running: 4, want: "50%u@a.example" },
    { pattern: "50%z@a.example", running: 4, want: "50%z@a.example" },
    { pattern: "50%", running: 4, want: "50%" },
  ];
  for (const { pattern, running, want } of rows) {
    it(`makes ${want} of ${pattern} and ${running}`, () => assertEquals(expandPattern(pattern, running, counts), want));
  }
});

describe("expandMaildirs()", () => {
  const rows: { pattern: string; want: string[] }[] = [
    { pattern: "/home/mu%d/Maildir", want: ["/home/mu0/Maildir", "/home/mu1/Maildir"] },
    { pattern: "/mail/u%u/Maildir", want: ["/mail/u0/Maildir", "/mail/u1/Maildir"] },
    { pattern: "/mail/amy/Maildir", want: ["/mail/amy/Maildir"] },
  ];
  for (const { pattern, want } of rows) {
    it(`makes ${want.length} of ${pattern}`, () => assertEquals(expandMaildirs(pattern, 2), want));
  }
});
