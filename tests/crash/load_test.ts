import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { isRefused, mailOf, timesDeferred } from "./load.ts";

const mails = Array.from({ length: 1000 }, (_, number) => mailOf(1, number));
const sizes = mails.map(({ content }) => content.length);
const recipients = mails.flatMap(({ to }) => to);

describe("mailOf()", () => {
  it("is the same for the same seed and number, and another for another of them", () => {
    assertEquals(mailOf(1, 5), mails[5]);
    assertNotEquals(mailOf(2, 5), mails[5]);
    assertNotEquals(mailOf(1, 6), mails[5]);
  });

  it("is of sizes between 200 bytes and 300 KiB", () => {
    assert(Math.min(...sizes) >= 200 && Math.min(...sizes) < 400, `${Math.min(...sizes)}`);
    assert(Math.max(...sizes) > 200_000 && Math.max(...sizes) < 300 * 1024, `${Math.max(...sizes)}`);
  });

  it("gives every recipient an address of his own", () => {
    assertEquals(new Set(recipients).size, recipients.length);
  });

  it("has local and remote recipients, refused and deferred ones, one or several or 150 a message", () => {
    const kinds = [
      recipients.some((recipient) => recipient.endsWith("@localhost")),
      recipients.some((recipient) => recipient.startsWith("r-")),
      recipients.some(isRefused),
      recipients.some((recipient) => timesDeferred(recipient) === 3),
      mails.some(({ to }) => to.length > 1 && new Set(to.map((recipient) => recipient.split("@")[1])).size === 2),
      mails.some(({ to }) => to.length === 150),
    ];
    assertEquals(kinds, kinds.map(() => true));
  });

  it("has the null reverse-path where nothing can bounce, and there only sometimes", () => {
    const withoutSender = mails.filter(({ from }) => from === "");
    assert(withoutSender.length > 0 && withoutSender.length < mails.length / 4);
    assert(withoutSender.every(({ to }) => !to.some(isRefused)));
  });
});
