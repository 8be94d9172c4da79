import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import type { Sent } from "./load.ts";
import { type Arrival, judge, type Verdict } from "./oracle.ts";

const [here, there, refused] = ["demo-1-0@localhost", "r-1-1@sink.example", "refused-1-2@sink.example"];

function message(fields: Partial<Sent> = {}): Sent {
  return {
    number: 1,
    recipients: [here, there],
    bodyHash: "h",
    fate: "accepted",
    answer: "ok qp 7",
    sentMs: 1000,
    ...fields,
  };
}

function delivery(recipient: string, fields: { number?: number; bodyHash?: string; atMs?: number } = {}): Arrival {
  return { kind: "delivery", recipient, number: 1, bodyHash: "h", atMs: 2000, ...fields };
}

function bounce(...recipients: string[]): Arrival {
  return { kind: "bounce", recipients, atMs: 2000 };
}

describe("judge()", () => {
  const rows: {
    title: string;
    sent?: Sent;
    arrivals: Arrival[];
    disturbancesMs?: number[];
    findings?: [kind: string, ...recipients: string[]][];
    counts?: Partial<Verdict>;
  }[] = [
    {
      title: "is content with a delivery for each recipient",
      arrivals: [delivery(here), delivery(there)],
      counts: { accepted: 1, deliveries: 2, bounces: 0, duplicates: 0 },
    },
    {
      title: "is content with a bounce for one whose host refuses him",
      sent: message({ recipients: [here, refused] }),
      arrivals: [delivery(here), bounce(refused)],
      counts: { deliveries: 1, bounces: 1, duplicates: 0 },
    },
    { title: "finds what is lost", arrivals: [delivery(there)], findings: [["lost", here]] },
    { title: "finds all of it lost", arrivals: [], findings: [["lost", here, there]] },
    {
      title: "finds lost what neither came nor bounced",
      sent: message({ recipients: [here, refused] }),
      arrivals: [delivery(here)],
      findings: [["lost", refused]],
    },
    {
      title: "finds a body that changed",
      arrivals: [delivery(here, { bodyHash: "other" }), delivery(there)],
      findings: [["damaged", here]],
    },
    {
      title: "finds another message's text",
      arrivals: [delivery(here, { number: 2 }), delivery(there)],
      findings: [["damaged", here]],
    },
    {
      title: "finds a damaged copy beside a whole one",
      arrivals: [delivery(here), delivery(here, { bodyHash: "" }), delivery(there)],
      disturbancesMs: [1500],
      findings: [["damaged", here]],
    },
    {
      title: "finds a bounce for one who is taken",
      arrivals: [delivery(here), bounce(there)],
      findings: [["bounced", there]],
    },
    {
      title: "finds a delivery and a bounce nobody is to get, and a bounce that names nobody",
      arrivals: [delivery(here), delivery(there), delivery("x@localhost"), bounce("y@sink.example"), bounce()],
      findings: [["stray", "x@localhost"], ["stray", "y@sink.example"], ["stray"]],
    },
    {
      title: "takes a copy more for each kill since it was sent",
      arrivals: [delivery(here), delivery(here, { atMs: 5000 }), delivery(here), delivery(there)],
      disturbancesMs: [500, 3000, 4000],
      counts: { deliveries: 4, duplicates: 2 },
    },
    {
      title: "takes a kill before it was sent, or after the last copy, for no reason of a copy more",
      arrivals: [delivery(here), delivery(here), delivery(there)],
      disturbancesMs: [500, 3000],
      findings: [["repeated", here]],
      counts: { duplicates: 1 },
    },
    {
      title: "counts bounces beyond one as duplicates",
      sent: message({ recipients: [refused] }),
      arrivals: [bounce(refused), bounce(refused)],
      disturbancesMs: [1500],
      counts: { bounces: 2, duplicates: 1 },
    },
    {
      title: "minds nothing where no answer was heard and nothing arrived",
      sent: message({ fate: "unknown" }),
      arrivals: [],
      counts: { accepted: 0, unknown: 1, arrivedAnyway: 0 },
    },
    {
      title: "minds nothing where no answer was heard and all of it arrived",
      sent: message({ fate: "unknown" }),
      arrivals: [delivery(here), delivery(there)],
      counts: { unknown: 1, arrivedAnyway: 1 },
    },
    {
      title: "finds what arrived without an answer for some of its recipients only",
      sent: message({ fate: "unknown" }),
      arrivals: [delivery(here)],
      findings: [["lost", there]],
    },
    {
      title: "wants nothing of what was refused",
      sent: message({ fate: "refused" }),
      arrivals: [],
      counts: { accepted: 0, unknown: 0, arrivedAnyway: 0 },
    },
  ];
  for (const { title, sent = message(), arrivals, disturbancesMs = [], findings = [], counts = {} } of rows) {
    it(title, () => {
      const verdict = judge({ sent: [sent], arrivals, disturbancesMs });
      assertEquals(verdict.findings.map(({ kind, recipients }) => [kind, ...recipients]), findings);
      assertEquals({ ...verdict, ...counts }, verdict);
    });
  }

  it("tells a finding's number", () => {
    const sent = [message(), message({ number: 2, recipients: ["demo-2-0@localhost"] })];
    const { findings } = judge({ sent, arrivals: [delivery(here), delivery(there)], disturbancesMs: [] });
    assertEquals(findings.map(({ kind, number }) => [kind, number]), [["lost", 2]]);
  });
});
