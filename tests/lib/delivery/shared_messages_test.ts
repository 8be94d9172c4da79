import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import { SharedMessages } from "../../../components/lib/delivery/shared_messages.ts";
import type { MessageText } from "../../../components/lib/delivery/message_file.ts";
import { bytes } from "../octets.ts";

/** Texts that note what is done to them; each has its own content. */
class Texts {
  readonly events: string[] = [];
  fails = false;
  #opened = 0;

  readonly open = (id: number): MessageText => {
    if (this.fails) throw new Deno.errors.NotFound("no such message");
    const name = `${id}#${++this.#opened}`;
    this.events.push(`open ${name}`);
    return {
      sizeBytes: 5,
      read: (offset) => {
        this.events.push(`read ${name} ${offset}`);
        return bytes(name).subarray(offset);
      },
      close: () => void this.events.push(`close ${name}`),
    };
  };
}

const textOf = (message: MessageText) => new TextDecoder().decode(message.read(0));

describe("SharedMessages", () => {
  it("opens a message and reads its beginning once for all who have it, and closes it with the last", () => {
    const texts = new Texts();
    const messages = new SharedMessages(texts.open);
    const [first, second] = [messages.open(7, undefined), messages.open(7, undefined)];
    assertEquals([textOf(first), textOf(second), second.sizeBytes], ["7#1", "7#1", 5]);
    first.close();
    assertEquals(textOf(second), "7#1");
    second.read(2);
    second.close();
    assertEquals(texts.events, ["open 7#1", "read 7#1 0", "read 7#1 2", "close 7#1"]);
  });

  it("opens it anew when nobody has it any more: the number may be another message's", () => {
    const texts = new Texts();
    const messages = new SharedMessages(texts.open);
    messages.open(7, undefined).close();
    assertEquals(textOf(messages.open(7, undefined)), "7#2");
  });

  it("keeps apart messages, and records of the journal under one number", () => {
    const messages = new SharedMessages(new Texts().open);
    const place = { serial: 1, segment: 0, offset: 0, bytes: 10 };
    const opened = [
      messages.open(7, undefined),
      messages.open(8, undefined),
      messages.open(7, place),
      messages.open(7, { ...place, serial: 2 }),
    ];
    assertEquals(opened.map(textOf), ["7#1", "8#2", "7#3", "7#4"]);
  });

  it("does not remember that one could not be opened", () => {
    const texts = new Texts();
    const messages = new SharedMessages(texts.open);
    texts.fails = true;
    assertThrows(() => messages.open(7, undefined));
    texts.fails = false;
    assertEquals(textOf(messages.open(7, undefined)), "7#1");
  });
});
