import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { uidOf } from "../../components/qmail-pop3d/names.ts";
import { PurePop3Peer } from "../lib/pop3/pure_peer.ts";
import { play, readTranscripts } from "../support/transcript.ts";
import { Pop3World, threeMessages } from "./world.ts";

const transcripts = readTranscripts(fromFileUrl(new URL("../transcripts/pop3", import.meta.url)));
const messages = Object.entries(threeMessages).map(([name, content]) => ({ uid: uidOf(name.slice(4)), content }));

describe("POP3 transcripts against the pure machines", () => {
  for (const transcript of transcripts) {
    it(`${transcript.file}: ${transcript.claim}`, async () => {
      await play(transcript, PurePop3Peer.of(transcript, messages));
    });
  }
});

describe("POP3 transcripts against the processes", () => {
  let world: Pop3World;
  beforeAll(async () => {
    world = await Pop3World.start();
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  // The others need a clock, TLS or another greeting: process_test.ts plays what matters of them.
  for (const transcript of transcripts.filter(({ settings }) => !settings.has("pure"))) {
    it(`${transcript.file}: ${transcript.claim}`, async () => {
      world.fill("joe", threeMessages);
      using client = await world.connect();
      await play(transcript, {
        send: (octets) => client.send(octets),
        line: () => client.line(),
        finish: () => client.finish(),
        queued: () => [],
      });
      if (transcript.file === "session.txt") {
        assertEquals(world.files(), ["cur/1795332001.1.a:2,", "cur/1795332003.3.a:2,"]);
      }
    });
  }
});
