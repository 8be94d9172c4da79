/**
 * Kills every component, one after the other, and all at once with the supervisor, under a stream of mail. What was
 * answered 250 must arrive, and nothing may be left in the queue.
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Home } from "../../config/home.ts";
import { manifests } from "../../config/manifests.ts";
import type { SendStatus } from "../../components/lib/wire/status_protocol.ts";
import { askSupervisor } from "../../scripts/ask.ts";
import { startMailStream } from "../support/mail_stream.ts";
import { waitFor } from "../support/wait.ts";
import { queueFiles } from "../support/queue_files.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp_sink.ts";
import { startSystem, type System } from "../support/system.ts";

const messages = 2000;
/** Each round kills every component once, then all at one moment. */
const rounds = 3;
const mailboxes = ["demo", "postmaster"] as const;
const recipients = ["demo@localhost", "postmaster@localhost", "r@sink.example"] as const;

/** A port that is free now, to be the same before and after a crash of everything. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

function kill(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}

function numberOf(message: string): number {
  return Number(/^X-Number: ([0-9]+)\r?$/m.exec(message)?.[1] ?? NaN);
}

/** Numbers found in the mailboxes and at the other host, each as often as it was delivered. */
function delivered(home: Home, sink: SmtpSink): number[] {
  const remote = sink.taken.map((mail) => numberOf(mail.content));
  const local = mailboxes.flatMap((name) => {
    const dir = home.mail("localhost", name, "Maildir", "new");
    return Array.from(Deno.readDirSync(dir), (entry) => {
      return numberOf(Deno.readTextFileSync(`${dir}/${entry.name}`));
    });
  });
  return [...local, ...remote];
}

async function idle(system: System): Promise<boolean> {
  const { running } = await sendStatus(system);
  return running.local + running.remote === 0;
}

async function retryAll(system: System): Promise<true> {
  await system.signal("qmail-send", "SIGALRM");
  return true;
}

async function sendStatus({ home }: System): Promise<SendStatus> {
  return await askSupervisor(home, { op: "status" }, "send-status") as unknown as SendStatus;
}

describe("survival", () => {
  it(`every message answered 250 arrives although each component is killed in turn, and all at once (at least ${messages})`, async () => {
    const port = freePort();
    await using sink = await startSmtpSink();
    await using system = await startSystem({
      controls: {
        listeners: `smtp 127.0.0.1:${port}\nadmin 127.0.0.1:0\n`,
        smtproutes: `sink.example:127.0.0.1:${sink.port}\n`,
      },
    });
    const { home } = system;
    const stream = startMailStream({
      port,
      connections: 20,
      recipient: (number) => recipients[number % recipients.length]!,
      size: 2048,
    });
    const names = manifests.map((manifest) => manifest.name).filter((name) => name !== "supervisor");
    let kills = 0;
    const progress = async (by: number) => {
      const goal = stream.accepted.size + by;
      await waitFor(() => stream.accepted.size >= goal, `${goal} messages accepted`, 60_000);
    };
    for (let round = 1; round <= rounds; round++) {
      for (const name of names) {
        await progress(messages / rounds / (names.length + 2));
        const { components } = await system.status();
        const pid = components.find((component) => component.name === name)?.pid;
        if (pid !== undefined && kill(pid)) kills++;
      }
      await progress(messages / rounds / (names.length + 2));
      kills += (await system.status()).components.length + 1;
      await system.killAll();
      await system.start();
    }
    await progress(Math.max(0, messages - stream.accepted.size));
    await stream.stop();
    // A deferral in all that is legitimate; its next attempt need not be waited for.
    await waitFor(async () => (await idle(system)) && retryAll(system), "deliveries to come to rest", 60_000);
    const left = () => queueFiles(home).slice(0, 10).join(" ");
    await waitFor(() => queueFiles(home).length === 0, "an empty queue", 60_000).catch((error) => {
      throw new Error(`${error.message}; still there: ${left()}\n${system.log.text().slice(-4000)}`);
    });
    const found = delivered(home, sink);
    const counts = new Map<number, number>();
    for (const number of found) counts.set(number, (counts.get(number) ?? 0) + 1);
    const lost = [...stream.accepted].filter((number) => !counts.has(number));
    const twice = found.length - counts.size;
    console.log(
      `survival: ${stream.accepted.size} accepted, ${kills} kills, ${found.length} delivered, ${twice} twice, ${lost.length} lost`,
    );
    assertEquals(lost, []);
  });
});
