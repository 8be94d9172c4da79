import { join } from "@std/path";
import { describe, it } from "@std/testing/bdd";
import { play, readTranscripts, type Transcript } from "../support/transcript.ts";
import { PurePeer } from "./pure_peer.ts";
import { type ControlTexts, makeHome, root, World } from "./world.ts";

/** `! databytes N`, `! relay` and other control files by name; `! queue CODE` is what qmail-queue answers. */
function controlsOf({ settings }: Transcript): ControlTexts {
  const files = [...settings].filter(([name]) => name !== "queue" && name !== "relay").map((
    [name, text],
  ) => [name, `${text}\n`]);
  return { ...Object.fromEntries(files), ...(settings.has("relay") ? { relayclients: "127.0.0.0/8\n" } : {}) };
}

const transcripts = readTranscripts(join(root, "tests/transcripts/smtpd"));

describe("SMTP transcripts against the pure session", () => {
  for (const transcript of transcripts) {
    it(`${transcript.file}: ${transcript.claim}`, async () => {
      const { home, controls } = makeHome(controlsOf(transcript));
      Deno.removeSync(home.dir, { recursive: true });
      await play(transcript, new PurePeer(controls, Number(transcript.settings.get("queue") ?? 0)));
    });
  }
});

describe("SMTP transcripts against the process", () => {
  for (const transcript of transcripts) {
    it(`${transcript.file}: ${transcript.claim}`, async () => {
      await using world = await World.start({ controls: controlsOf(transcript) });
      world.queue.code = Number(transcript.settings.get("queue") ?? 0);
      const client = await world.connect();
      await play(transcript, {
        send: (octets) => client.send(octets),
        line: () => client.line(),
        finish: () => client.finish(),
        queued: () => world.queue.messages.map(({ envelope, content }) => ({ ...envelope, content })),
      });
    });
  }
});
