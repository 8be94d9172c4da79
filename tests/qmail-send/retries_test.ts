import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Message } from "../../components/qmail-send/message.ts";
import { Retries } from "../../components/qmail-send/retries.ts";
import { Store } from "../../components/qmail-send/store.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { type Channel, queueFile } from "../../components/lib/queue/layout.ts";
import { captureLog } from "../support/captured_log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { emptyQueue, home } from "../support/queue_disk.ts";

const id = 46;

/** Messages that wait on a disk in memory, and what is begun of them. */
function world() {
  const clock = new FakeClock();
  const log = captureLog();
  const disk = emptyQueue(() => clock.seconds);
  const messages = new Map<number, Message>();
  const begun: string[] = [];
  const retries = new Retries(new Store(disk, home), {
    nowSeconds: () => clock.seconds,
    ready: () => true,
    message: (id) => messages.get(id),
    asked: () => undefined,
    begin: ({ id, sender }, channel, left) =>
      begun.push(`${channel}/${id} from ${sender} to ${left.map(({ address }) => address)}`),
  });
  /** One that waits for `inSeconds`; its file says so. */
  const put = (channel: Channel, inSeconds: number, records = "Dann@r.example\0Tjoe@r.example\0") => {
    disk.put(queueFile(home, "info", id), toOctets("Famy@a.example\0"));
    disk.put(queueFile(home, channel, id), toOctets(records), clock.seconds + inSeconds);
  };
  const dispose = () => {
    retries.stop();
    log[Symbol.dispose]();
    clock[Symbol.dispose]();
  };
  return { clock, log, disk, begun, retries, put, [Symbol.dispose]: dispose };
}

const attempt = "remote/46 from amy@a.example to joe@r.example";

describe("Retries", () => {
  it("begin an attempt at who is left when it is due, not before", async () => {
    using here = world();
    here.put("remote", 400);
    here.retries.add({ id, channel: "remote", atSeconds: here.clock.seconds + 400 });
    await here.clock.advance(399);
    assertEquals([here.begun, here.retries.size], [[], 1]);
    await here.clock.advance(1);
    assertEquals([here.begun, here.retries.size], [[attempt], 0]);
  });

  it("count a message that was rescheduled once, and begin one attempt at it", async () => {
    using here = world();
    here.put("remote", 400);
    here.retries.add({ id, channel: "remote", atSeconds: here.clock.seconds + 400 });
    here.retries.surveying(true);
    here.retries.surveying(false);
    here.retries.reschedule(id, "remote", here.clock.seconds + 100);
    assertEquals(here.retries.size, 1);
    await here.clock.advance(100);
    assertEquals(here.begun, [attempt]);
    here.disk.remove(queueFile(home, "remote", id));
    await here.clock.advance(1000);
    assertEquals([here.begun, here.retries.size], [[attempt], 0]);
  });

  it("take up both channels of a message that is rescheduled before a survey came to it", () => {
    using here = world();
    here.put("local", 200, "Tbob\0");
    here.put("remote", 400);
    here.retries.reschedule(id, "remote", here.clock.seconds + 100);
    assertEquals([here.retries.size, here.retries.restedSince(id)], [2, true]);
  });

  it("know what went to wait while a survey runs, and nothing of that afterwards", () => {
    using here = world();
    here.retries.surveying(true);
    here.retries.rests(id);
    assertEquals(here.retries.restedSince(id), true);
    here.retries.surveying(false);
    here.retries.rests(id);
    assertEquals(here.retries.restedSince(id), false);
  });

  it("try a file that is not in its format again after 123 seconds", async () => {
    using here = world();
    here.put("remote", 0, "joe@r.example");
    here.retries.add({ id, channel: "remote", atSeconds: here.clock.seconds });
    await here.clock.advance(0);
    assertEquals(here.log.lines().length, 1);
    assertEquals(here.log.lines()[0]!.startsWith("warning: trouble reading msg 46: "), true);
    here.put("remote", 0);
    await here.clock.advance(122);
    assertEquals(here.begun, []);
    await here.clock.advance(1);
    assertEquals(here.begun, [attempt]);
  });

  it("begin nothing where the file is gone", async () => {
    using here = world();
    here.retries.add({ id, channel: "remote", atSeconds: here.clock.seconds });
    await here.clock.advance(0);
    assertEquals([here.begun, here.retries.size, here.log.lines()], [[], 0, []]);
  });
});
