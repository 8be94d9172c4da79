import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { manifests } from "../../config/manifests.ts";
import { takingOrder } from "../../components/supervisor/predecessor.ts";

const started = manifests.filter(({ startedBy }) => startedBy === "supervisor");
const order = takingOrder(new Map(started.map((manifest) => [manifest.name, { manifest }])), "multilog")
  .map(([name]) => name);

describe("takingOrder()", () => {
  it("has every component once", () => {
    assertEquals([...order].sort(), started.map(({ name }) => name).sort());
  });

  it("has the servers of the network behind what they ask, and before the one that keeps the log", () => {
    assertEquals(order.slice(-5), ["qmail-smtpd", "qmail-qmtpd", "qmail-qmqpd", "qmail-popup", "multilog"]);
  });

  it("has what others need before those others", () => {
    const before = (first: string, second: string) => assertEquals(order.indexOf(first) < order.indexOf(second), true);
    before("resolver", "qmail-remote");
    before("qmail-getpw", "qmail-lspawn");
    before("qmail-queue", "qmail-send");
  });
});
