import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Config, Manifest } from "../../components/lib/permissions/grant.ts";
import { instancesOf } from "../../components/lib/permissions/grant.ts";
import { breaches } from "../../components/lib/permissions/rule.ts";
import { tlsPaths } from "../../components/lib/tls/paths.ts";
import { manifest as qmqpd } from "../../components/qmail-qmqpd/permissions.ts";
import { manifest as qmtpd } from "../../components/qmail-qmtpd/permissions.ts";
import { manifests } from "../../config/manifests.ts";
import { homeAt } from "../../config/home.ts";
import { type ControlFile, controlFilesOf } from "../../config/schema.ts";
import { controlsOf } from "../lib/policy/questions.ts";

const home = homeAt("/h");

function configOf(texts: Readonly<Partial<Record<ControlFile, string>>>, portOffset = 0): Config {
  return { home, portOffset, controls: controlsOf(texts), nameservers: [] };
}

function filesOf(manifest: Manifest): string[] {
  return controlFilesOf(manifest.name).map((file) => home.control(file));
}

describe("the grants of qmail-qmtpd and qmail-qmqpd", () => {
  it("are their ports, their control files, the queue, and for QMTP the mailboxes", () => {
    const config = configOf({ listeners: "qmtp 192.0.2.1:2209\nqmtp [::1]:2209\nqmqp 127.0.0.1:2628\n" });
    assertEquals(qmtpd.permissions(config), {
      listen: ["192.0.2.1:2209", "[::1]:2209"],
      read: filesOf(qmtpd),
      calls: ["qmail-queue", "qmail-getpw"],
      unstable: ["net"],
    });
    assertEquals(qmqpd.permissions(config), {
      listen: ["127.0.0.1:2628"],
      read: filesOf(qmqpd),
      calls: ["qmail-queue"],
      unstable: ["net"],
    });
    assertEquals(breaches([qmtpd, qmqpd], config), []);
  });

  it("hold the certificates where TLS is spoken, those who are asked where there is a reason, and to drop root", () => {
    const listeners = "qmtps 192.0.2.1:6209\nqmtp 192.0.2.1:209\nqmqp 192.0.2.1:628\n";
    const config = configOf({ listeners, dnsbllist: "bl.example\n", greylist: "60\n", rcptcheck: "bin/check\n" });
    const grant = qmtpd.permissions(config);
    assertEquals(grant.read, [...filesOf(qmtpd), ...tlsPaths(home)]);
    assertEquals(grant.calls, ["qmail-queue", "qmail-getpw", "resolver", "tally", "hooks"]);
    assertEquals([grant.sys, qmqpd.permissions(config).sys], [["setgid", "setuid"], ["setgid", "setuid"]]);
    assertEquals([qmtpd.bindsLowPort!(config), qmqpd.bindsLowPort!(config)], [true, true]);
    assertEquals(breaches([qmtpd, qmqpd], config), []);
  });

  it("are needed only where their listeners are there, and nobody's is on a host without a queue", () => {
    const needed = (texts: Readonly<Partial<Record<ControlFile, string>>>) =>
      [qmtpd, qmqpd].map((manifest) => instancesOf(manifest, configOf(texts)));
    assertEquals(needed({}), [1, 1]);
    assertEquals(needed({ listeners: "smtp 127.0.0.1:2525\n" }), [0, 0]);
    assertEquals(needed({ listeners: "qmtps 127.0.0.1:6209\n" }), [1, 0]);
    assertEquals(needed({ listeners: "qmqp 127.0.0.1:628\n" }), [0, 1]);
    const mini = configOf({ mode: "mini\n" });
    assertEquals(
      manifests.filter(({ name }) => name !== "supervisor").map((one) => instancesOf(one, mini)).filter(Boolean),
      [],
    );
  });
});
