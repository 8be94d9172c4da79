import { join } from "@std/path";
import { describe, it } from "@std/testing/bdd";
import type { Controls } from "../../config/schema.ts";
import { captureLog } from "../support/captured_log.ts";
import { play, readTranscripts, type Transcript } from "../support/transcript.ts";
import type { FakeQueue } from "./fake_queue.ts";
import { fakeSecured, NearWorld } from "./near_world.ts";
import { PurePeer } from "./pure_peer.ts";
import type { SmtpClient } from "./smtp_client.ts";
import { codeOf, controlsOf, isSpecial, setUpOf } from "./transcript_world.ts";
import { makeHome, root, World } from "./world.ts";

const transcripts = readTranscripts(join(root, "tests/transcripts/smtpd"));

async function playWith(transcript: Transcript, client: SmtpClient, queue: FakeQueue): Promise<void> {
  queue.code = codeOf(transcript);
  await play(transcript, {
    send: (octets) => client.send(octets),
    line: () => client.line(),
    finish: () => client.finish(),
    queued: () => queue.messages.map(({ envelope, content }) => ({ ...envelope, content })),
  });
}

describe("SMTP transcripts against the pure session", () => {
  for (const transcript of transcripts) {
    it(`${transcript.file}: ${transcript.claim}`, async () => {
      await play(transcript, await PurePeer.start(setUpOf(transcript, someControls(transcript)), codeOf(transcript)));
    });
  }
});

describe("SMTP transcripts against the process", () => {
  for (const transcript of transcripts.filter((transcript) => !isSpecial(transcript))) {
    it(`${transcript.file}: ${transcript.claim}`, async () => {
      await using world = await World.start({ controls: controlsOf(transcript) });
      await playWith(transcript, await world.connect(), world.queue);
    });
  }
});

describe("SMTP transcripts against a connection", () => {
  for (const transcript of transcripts.filter(isSpecial)) {
    it(`${transcript.file}: ${transcript.claim}`, async () => {
      using _log = captureLog();
      const { secured, bound } = setUpOf(transcript, someControls(transcript));
      const channel = bound ? { ...fakeSecured, endPoint: new Uint8Array([1]) } : fakeSecured;
      await using world = NearWorld.start({
        controls: controlsOf(transcript),
        values: (controls) => {
          const { settings, policy } = setUpOf(transcript, controls);
          return { settings, policy, startTls: () => Promise.resolve(channel) };
        },
        arrival: secured ? { secured: channel } : {},
      });
      await playWith(transcript, await world.connect(), world.queue);
    });
  }
});

function someControls(transcript: Transcript): Controls {
  const { home, controls } = makeHome(controlsOf(transcript));
  Deno.removeSync(home.dir, { recursive: true });
  return controls;
}
