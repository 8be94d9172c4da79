import { beforeAll, describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { withLfLines } from "../../../components/lib/dkim/canonical.ts";
import { checkSignatures } from "../../../components/lib/mailauth/dkim.ts";
import { Lookups } from "../../../components/lib/mailauth/lookups.ts";
import { buildPayload, finalDot, findNumber, stampNumber } from "../../../scripts/bench/payload.ts";
import { makeSignedMail, type SignedMail } from "../../../scripts/bench/signed_mail.ts";

const nowMs = Date.UTC(2026, 10, 23);
const sizeBytes = 5000;

describe("makeSignedMail()", () => {
  let mail: SignedMail;
  beforeAll(async () => void (mail = await makeSignedMail(sizeBytes, nowMs)));

  /** The message with that number, as the queue has it. */
  function message(running: number): Uint8Array {
    const payload = buildPayload(sizeBytes, mail.signed.date, mail.signed.signature);
    const octets = payload.octets.slice();
    stampNumber(octets, payload, running);
    return withLfLines(octets.subarray(0, -finalDot.length));
  }
  async function resultsOf(content: Uint8Array): Promise<readonly string[]> {
    const lookups = new Lookups({
      resolve: (name) => {
        const text = mail.texts.get(name);
        return Promise.resolve({
          status: text === undefined ? "nxdomain" : "ok",
          authenticated: false,
          records: text === undefined ? [] : [{ value: text }],
        });
      },
      most: 10,
      signal: new AbortController().signal,
    });
    const { signatures } = await checkSignatures(content, lookups, nowMs);
    return signatures.map(({ result, domain }) => `${domain} ${result}`);
  }

  for (const running of [0, 7, 1_234_567_890]) {
    it(`makes one signature that holds for message ${running}`, async () => {
      const content = message(running);
      assertEquals(findNumber(new TextDecoder().decode(content)), running);
      assertEquals(await resultsOf(content), ["source.example pass"]);
    });
  }

  it("signs the body and the author", async () => {
    const text = new TextDecoder().decode(message(1));
    for (const changed of [text.replace("xx", "xy"), text.replace("<sender@", "<other@")]) {
      assert(changed !== text);
      assertEquals(await resultsOf(new TextEncoder().encode(changed)), ["source.example fail"]);
    }
  });
});
