import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { type Answer, World } from "./world.ts";

const id = 2189625;
const mess = { [`/q/queue/mess/${id % 23}/${id}`]: "hello\n" };
/** By the letter an address begins with: k..., z..., d..., l... . */
const byLetter = (address: string): Answer =>
  ({ k: "K", z: "Z", d: "D", l: "lost", h: "hold" } as Record<string, Answer>)[address[0]!] ?? "K";

describe("Manager: the first attempt", () => {
  it("delivers, logs qmail's lines and leaves no file", async () => {
    using world = new World({ answer: () => "hold" });
    world.put(id, ["joe@localhost", "ok@r.example"]);
    await world.boot();
    for (const attempt of world.attempts) {
      attempt.report("K");
      await world.clock.settle();
    }
    assertEquals(world.log.lines(), [
      "status: local 0/10 remote 0/20",
      `new msg ${id}`,
      `info msg ${id}: bytes 6 from <joe@localhost> qp 27488 uid 0`,
      `starting delivery 1: msg ${id} to local joe@localhost`,
      "status: local 1/10 remote 0/20",
      `starting delivery 2: msg ${id} to remote ok@r.example`,
      "status: local 1/10 remote 1/20",
      "delivery 1: success: did_1+0+0/",
      "status: local 0/10 remote 1/20",
      "delivery 2: success: did_1+0+0/",
      "status: local 0/10 remote 0/20",
      `end msg ${id}`,
    ]);
    assertEquals(world.disk.files(), {});
    assertEquals(world.send.operations.filter((what) => !what.startsWith("remove ")), []);
  });

  it("ends a message without recipients", async () => {
    using world = new World();
    world.put(id, []);
    await world.boot();
    assertEquals(world.log.lines().slice(1).map((line) => line.split(" ")[0]), ["new", "info", "end"]);
    assertEquals(world.disk.files(), {});
  });

  it("splits what is left with its done marks, and tries again at qmail's time", async () => {
    using world = new World({ answer: (address, attempt) => attempt > 1 ? "K" : byLetter(address) });
    const birth = world.clock.seconds;
    world.put(id, ["k1@localhost", "z1@localhost", "k2@localhost", "z2@r.example"]);
    await world.boot();
    assertEquals(world.disk.files(), {
      ...mess,
      [`/q/queue/info/${id % 23}/${id}`]: "Fjoe@localhost\0",
      [`/q/queue/local/${id % 23}/${id}`]: "Dk1@localhost\0Tz1@localhost\0Dk2@localhost\0",
      [`/q/queue/remote/${id % 23}/${id}`]: "Tz2@r.example\0",
    });
    await world.clock.advance(99);
    assertEquals(world.attempts.length, 4);
    await world.clock.advance(2000);
    assertEquals(world.attempts.slice(4).map(({ addresses, atSeconds }) => [addresses[0], atSeconds - birth]), [
      ["z1@localhost", 100],
      ["z2@r.example", 400],
    ]);
    assertEquals(world.disk.files(), {});
  });

  it("keeps a deferred message on qmail's schedule", async () => {
    using world = new World({ answer: () => "Z" });
    const birth = world.clock.seconds;
    world.put(id, ["z@localhost"]);
    await world.boot();
    await world.clock.advance(3700);
    assertEquals(world.attempts.map(({ atSeconds }) => atSeconds - birth), [0, 100, 400, 900, 1600, 2500, 3600]);
  });

  it("preprocesses more than a hundred recipients first, with a remote delivery for each hundred", async () => {
    using world = new World({ answer: () => "hold" });
    world.put(id, Array.from({ length: 201 }, (_, n) => `u${n}@r.example`));
    await world.boot();
    assertEquals(world.file("todo", id), undefined);
    assertEquals(world.file("remote", id)?.match(/T/g)?.length, 201);
    assertEquals(world.attempts.map(({ addresses }) => addresses.length), [100, 100, 1]);
    world.attempts[2]!.report("K");
    await world.clock.settle();
    assert(world.file("remote", id)?.endsWith("Du200@r.example\0"));
    for (const attempt of world.attempts) attempt.report("K");
    await world.clock.settle();
    assertEquals(world.disk.files(), {});
  });

  it("gives a message with VERP one delivery a recipient, each with its own sender", async () => {
    using world = new World();
    world.put(id, ["ok1@r.example", "ok2@r.example"], { sender: "list-@mx.example.com-@[]" });
    await world.boot();
    assertEquals(world.attempts.map(({ sender }) => sender), [
      "list-ok1=r.example@mx.example.com",
      "list-ok2=r.example@mx.example.com",
    ]);
  });
});

describe("Manager: failures", () => {
  it("sends one bounce for all of them, without virtualdomains' prefix, and ends", async () => {
    using world = new World({ answer: byLetter });
    world.put(id, ["k@localhost", "dead@localhost", "dead2@r.example"]);
    await world.boot();
    assertEquals(world.bounces, [{
      id,
      sender: "joe@localhost",
      paragraphs: "<dead@localhost>:\nhard trouble\n\n<dead2@r.example>:\nhard trouble\n\n",
    }]);
    assertEquals(world.disk.files(), {});
    assertEquals(world.log.lines().at(-1), `end msg ${id}`);
  });

  it("names a virtual recipient as its sender did", async () => {
    using world = new World({ answer: () => "D" });
    world.put(id, ["info@virt.example"]);
    await world.boot();
    assertEquals(world.attempts[0]?.addresses, ["games-info@virt.example"]);
    assertEquals(world.bounces[0]?.paragraphs, "<info@virt.example>:\nhard trouble\n\n");
  });

  it("waits with the bounce until the last recipient is done, even over a restart", async () => {
    using world = new World({
      answer: (address, attempt) => address[0] === "z" && attempt > 1 ? "D" : byLetter(address),
    });
    world.put(id, ["d@localhost", "z@r.example"]);
    await world.boot();
    assertEquals([world.bounces.length, world.file("bounce", id)], [0, "<d@localhost>:\nhard trouble\n\n"]);
    await world.kill();
    await world.boot();
    await world.clock.advance(400);
    assertEquals(world.bounces[0]?.paragraphs, "<d@localhost>:\nhard trouble\n\n<z@r.example>:\nhard trouble\n\n");
    assertEquals([world.bounces.length, world.disk.files()], [1, {}]);
  });

  it("does not end a message before its bounce is queued", async () => {
    using world = new World({ answer: () => "D" });
    world.takesBounces = false;
    world.put(id, ["d@localhost"]);
    await world.boot();
    await world.clock.advance(300);
    assertEquals(Object.keys(world.disk.files()).length, 3);
    world.takesBounces = true;
    await world.clock.advance(123);
    assertEquals([world.bounces.length, world.disk.files()], [1, {}]);
  });

  it("turns a deferral into a failure once the message is too old", async () => {
    using world = new World({ answer: () => "Z", controls: { queuelifetime: 500 } });
    world.put(id, ["z@localhost"]);
    await world.boot();
    await world.clock.advance(901);
    assertEquals(world.attempts.length, 4);
    assertEquals(
      world.bounces[0]?.paragraphs,
      "<z@localhost>:\ntemporary trouble\n" +
        "I'm not going to try again; this message has been in the queue too long.\n\n",
    );
    assert(
      world.log.lines().includes(
        "delivery 4: failure: temporary_trouble/I'm_not_going_to_try_again;_this_message_has_been_in_the_queue_too_long./",
      ),
    );
    assertEquals(world.disk.files(), {});
  });
});

describe("Manager: mail from the null sender", () => {
  it("is given up after bouncelifetime, other mail is not", async () => {
    using world = new World({ answer: () => "Z", controls: { queuelifetime: 5000, bouncelifetime: 300 } });
    world.put(id, ["z@localhost"], { sender: "" });
    world.put(id + 1, ["z@localhost"]);
    await world.boot();
    await world.clock.advance(901);
    assertEquals(world.bounces.map((bounce) => bounce.sender), [""]);
  });
});

describe("Manager: deliveries whose process died", () => {
  it("are made again soon, and deferred after the fourth loss", async () => {
    using world = new World({ answer: (_, attempt) => attempt <= 4 ? "lost" : "K" });
    const birth = world.clock.seconds;
    world.put(id, ["l@localhost"]);
    await world.boot();
    await world.clock.advance(6);
    assertEquals([world.attempts.length, world.file("local", id)], [4, "Tl@localhost\0"]);
    await world.clock.advance(100);
    assertEquals([world.delivered.length, world.attempts[4]!.atSeconds - birth], [1, 100]);
    assertEquals(world.disk.files(), {});
  });

  it("keep nobody else waiting, and their message in one piece", async () => {
    using world = new World({ answer: (address, attempt) => attempt === 1 ? byLetter(address) : "K" });
    world.put(id, ["l@localhost", "k@localhost", "l2@r.example"]);
    await world.boot();
    assertEquals(world.delivered, ["k@localhost"]);
    await world.clock.advance(1);
    assertEquals([world.delivered, world.disk.files()], [["k@localhost", "l@localhost", "l2@r.example"], {}]);
  });
});
