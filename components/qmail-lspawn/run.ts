/**
 * qmail-lspawn's shell: asks qmail-getpw, keeps the pool of qmail-local processes, feeds them messages.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { DeliveryLink } from "../lib/delivery/link.ts";
import { deferral, reportAll, serveSpawner, type Spawn } from "../lib/delivery/spawner.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import { type Running, type Start, tell } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { Client } from "../lib/wire/client.ts";
import type { DeliveryReport } from "../lib/wire/delivery_protocol.ts";
import { parseGetpwReply } from "../lib/wire/getpw_protocol.ts";
import { Pipe, type Streams } from "../lib/wire/pipe.ts";
import { Pool } from "./pool.ts";

const endIdleEveryMs = 10_000;

const notFound: DeliveryReport = { verdict: "D", text: "Sorry, no mailbox here by that name. (#5.1.1)\n" };
const refusesRoot: DeliveryReport = { verdict: "Z", text: "Not allowed to perform deliveries as root.\n" };

/** A child's standard streams. */
function streamsOf(child: Deno.ChildProcess): Streams {
  const reader = child.stdout.getReader({ mode: "byob" });
  const writer = child.stdin.getWriter();
  // Such a reader takes the memory it is given and hands it back with what it read: the same piece goes round.
  let spare = new Uint8Array(0);
  return {
    read: async (buffer) => {
      const into = spare.length === buffer.length ? spare : new Uint8Array(buffer.length);
      const { value, done } = await reader.read(into);
      if (done || value === undefined) return null;
      buffer.set(value);
      spare = new Uint8Array(value.buffer);
      return value.length;
    },
    write: async (octets) => {
      await writer.write(octets);
      return octets.length;
    },
    // The end of its input is what tells a qmail-local to finish and go.
    close: () => void writer.close().catch(() => {}),
  };
}

function startLocal(home: Home, uid: number, gid: number, changeUser: boolean): DeliveryLink {
  const child = new Deno.Command(home.libexec("launch", "qmail-local"), {
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
    clearEnv: true,
    cwd: "/",
    ...(changeUser ? { uid, gid } : {}),
  }).spawn();
  const pid = child.pid;
  tell({ event: "child", name: "qmail-local", pid });
  void child.status.then((status) => {
    tell({ event: "child ended", name: "qmail-local", pid });
    if (!status.success) logEvent("qmail-local", { pid, code: status.code, signal: status.signal ?? "none" });
  });
  return new DeliveryLink(
    new Pipe(streamsOf(child)),
    (error) => logEvent("garbage", { from: "qmail-local", reason: describeError(error) }),
  );
}

export function run({ home }: Start, changeUser: boolean): Running {
  const controls = new ControlValues(home, "qmail-lspawn");
  const getpw = new Client(home.socket("qmail-getpw"));
  const pool = new Pool<DeliveryLink>();
  const end = (worker: DeliveryLink) => worker.close();
  const idle = setInterval(() => pool.endIdle(Date.now(), end), endIdleEveryMs);

  const spawn: Spawn = async ({ sender, recipients }, file) => {
    const all = (report: DeliveryReport) => reportAll(recipients, report);
    const recipient = recipients[0] ?? "";
    if (recipients.length !== 1) return all(deferral("One recipient at a time, please. (#4.3.0)\n"));
    // A qmail-getpw that dies over the question makes this delivery lost, not deferred: it is repeated at once.
    const found = parseGetpwReply(await getpw.request({ op: "find", address: recipient }));
    if (found.kind === "none") return all(notFound);
    if (found.kind !== "account") return all(deferral("Trouble finding the mailbox. (#4.3.0)\n"));
    const { uid, gid, home: userHome } = found;
    if (changeUser && uid === 0) return all(refusesRoot);
    const worker = pool.take(`${uid}:${gid}`, Date.now(), () => startLocal(home, uid, gid, changeUser), end);
    if (worker === undefined) return all(deferral("Too many users' deliveries at once. (#4.3.0)\n"));
    return await worker.deliver(
      { sender, recipients, maildir: `${userHome}/Maildir`, hostName: controls.current.me },
      file,
    );
  };

  const spawner = serveSpawner(home, "qmail-lspawn", spawn);
  return {
    reload: () => controls.reload(),
    stop: async () => {
      await spawner.stop();
      clearInterval(idle);
      pool.endAll(end);
      getpw.close();
    },
  };
}
