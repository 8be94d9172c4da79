/**
 * Users: started by root, the components run as qmail's, and none that meets strangers' octets as root; started by an
 * ordinary user, all run as that user.
 * @module
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { accountIds } from "../../config/accounts.ts";
import { manifests } from "../../config/manifests.ts";
import { readConfig } from "../../components/supervisor/config.ts";
import { freeLowPort } from "../support/free_low_port.ts";
import { layOutForUser } from "../support/ordinary_user.ts";
import { sendMail } from "../support/smtp_client.ts";
import { everyComponent } from "../support/every_component.ts";
import { makeBaseDir, startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

const skip = Deno.uid() !== 0;
const missing = skip ? " (skipped: not root)" : "";
const mail = { from: "amy@example.org", to: ["demo@localhost"], content: "Subject: users\n\nhello\n" };

/** The ids of a process as the kernel has them: real, effective, saved and file system's. */
function idsOf(pid: number): { uids: number[]; gids: number[]; groups: number[]; capabilities: string } {
  const text = Deno.readTextFileSync(`/proc/${pid}/status`);
  const words = (key: string) => (new RegExp(`^${key}:(.*)$`, "m").exec(text)?.[1] ?? "").trim().split(/\s+/);
  const numbers = (key: string) => words(key).filter((word) => word !== "").map(Number);
  return { uids: numbers("Uid"), gids: numbers("Gid"), groups: numbers("Groups"), capabilities: words("CapEff")[0]! };
}

/** Beside a listener for submission: what has every component be needed. */
const others = "qmtp 127.0.0.1:0\nqmqp 127.0.0.1:0\npop3 127.0.0.1:0\nadmin 127.0.0.1:0\n";

function newMail(system: System): string[] {
  const dir = system.home.mail("localhost", "demo", "Maildir", "new");
  return Array.from(Deno.readDirSync(dir), ({ name }) => `${dir}/${name}`);
}

describe("the system, started by root", { ignore: skip }, () => {
  let system: System;
  const pids = new Map<string, number>();

  beforeAll(async () => {
    if (skip) return;
    const lowPort = freeLowPort("127.0.0.77");
    system = await startSystem({
      controls: {
        listeners: `smtp 127.0.0.1:0\nsmtp 127.0.0.77:${lowPort}\nsubmission 127.0.0.1:0\n${others}`,
        idleseconds: "0\n",
        ...everyComponent,
      },
    });
    await sendMail(system.ports["smtp"]!, mail);
    await waitFor(() => newMail(system).length === 1, "the delivery");
    for (const { name, pid } of (await system.status()).components) pids.set(name, pid!);
  });

  afterAll(() => system?.stop());

  it(`runs nothing that speaks with the network, and no delivery, as root${missing}`, { ignore: skip }, () => {
    const config = readConfig(system.home, 0);
    assert("controls" in config);
    const facing = manifests.filter(({ permissions }) => {
      const { listen, connect } = permissions(config);
      return (listen ?? []).length + (connect ?? []).length > 0;
    }).map(({ name }) => name);
    for (const name of [...facing, "qmail-local", "qmail-rspawn"]) {
      const { uids, gids, groups, capabilities } = idsOf(pids.get(name)!);
      assert(![...uids, ...gids, ...groups].includes(0), `${name}: ${uids} ${gids} ${groups}`);
      assertEquals(Number.parseInt(capabilities, 16), 0, name);
    }
  });

  it(`runs each component as its account, in no other group${missing}`, { ignore: skip }, () => {
    const accounts = accountIds(Deno.readTextFileSync("/etc/passwd"));
    for (const { name, account } of manifests) {
      if (name === "supervisor") continue;
      const { uids, gids, groups } = idsOf(pids.get(name)!);
      const { uid, gid } = accounts[account];
      assertEquals(uids, [uid, uid, uid, uid], name);
      assertEquals(gids, [gid, gid, gid, gid], name);
      if (account !== "root") assertEquals(groups.filter((group) => group !== gid), [], name);
    }
  });

  it(
    `has only the supervisor, qmail-lspawn and qmail-pop3spawn, who start others as users, stay root${missing}`,
    { ignore: skip },
    () => {
      const roots = [...pids].filter(([, pid]) => idsOf(pid).uids.includes(0)).map(([name]) => name);
      assertEquals(roots, ["qmail-lspawn", "qmail-pop3spawn"]);
    },
  );

  it(`delivers on a port below 1024 as on another${missing}`, { ignore: skip }, async () => {
    const { ports } = await system.component("qmail-smtpd");
    assertEquals(Object.keys(ports), ["smtp", "smtp2", "submission"]);
    assert(ports["smtp2"]! < 1024);
  });

  it(`gives the mailbox's files to the mailbox's owner alone${missing}`, { ignore: skip }, () => {
    const { uid } = accountIds(Deno.readTextFileSync("/etc/passwd")).vmail;
    for (const path of newMail(system)) {
      const info = Deno.statSync(path);
      assertEquals([info.uid, (info.mode ?? 0) & 0o077], [uid, 0]);
    }
  });
});

describe("the system, started by an ordinary user", { ignore: skip }, () => {
  it(`delivers, with every process that user's${missing}`, { ignore: skip }, async () => {
    const dir = makeBaseDir();
    try {
      const user = await layOutForUser(dir);
      const listeners = `smtp 127.0.0.1:0\nsubmission 127.0.0.1:0\n${others}`;
      await using system = await startSystem({ user, controls: { listeners, idleseconds: "0\n", ...everyComponent } });
      await sendMail(system.ports["smtp"]!, mail);
      await waitFor(() => newMail(system).length === 1, "the delivery");
      const { pid, components } = await system.status();
      assertEquals(components.length, manifests.length - 1);
      for (const each of [system.pid, pid, ...components.map((component) => component.pid!)]) {
        const { uids, groups } = idsOf(each);
        assertEquals(uids, [user.uid, user.uid, user.uid, user.uid]);
        assertEquals(groups.filter((group) => group !== user.gid), []);
      }
      assertNotEquals(newMail(system).length, 0);
      assertEquals(Deno.statSync(newMail(system)[0]!).uid, user.uid);
      assertEquals(await system.end(), 0);
    } finally {
      Deno.removeSync(dir, { recursive: true });
    }
  });
});
