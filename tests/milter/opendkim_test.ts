/** A milter of another make: OpenDKIM signs and verifies mail that goes through the filter. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { makePem, testKey } from "../lib/dkim/keys.ts";
import { joe, type OpenDkim, startOpenDkim, stranger } from "../support/opendkim.ts";
import { needs } from "../support/program.ts";

const need = needs(["opendkim"]);

/** Folded fields, octets beyond ASCII, lines that dots and blanks begin, and no blank behind a colon. */
const content =
  "Received: from c.example\n  by mx.example; Mon, 23 Nov 2026 03:00:00 +0000\nFrom: Joe <joe@x.example>\n" +
  "To:a@y.example,\n\tb@y.example\nSubject:   two  blanks\nDate: Mon, 23 Nov 2026 03:00:00 +0000\n" +
  "Message-ID: <1@x.example>\n\nHello\n\n.\n..dots\n  blanks \n\xe9\xff\nlast\n\n\n";

async function startMilter(canonicalization: string): Promise<OpenDkim> {
  const pem = makePem("rsa");
  const { record } = await testKey("x.example", "s", pem);
  return await startOpenDkim({
    signing: { pem, algorithm: "rsa-sha256", canonicalization },
    keys: Object.fromEntries([record]),
  });
}

describe(`OpenDKIM as a milter${need.note}`, { ignore: need.ignore }, () => {
  for (const canonicalization of ["simple/simple", "relaxed/relaxed"]) {
    it(`signs (${canonicalization}) what it then verifies, octet by octet, and finds what was changed`, async () => {
      await using milters = await startMilter(canonicalization);
      const signed = await milters.judge(content, joe);
      const [, signature] = /^(DKIM-Signature:[^\n]*\n(?:[ \t][^\n]*\n)*)/m.exec(signed) ?? [];
      assert(signature !== undefined, signed);
      assertMatch(signature, /d=x\.example; s=s;/);
      assertEquals(signed.replace(signature, ""), content);
      const verified = await milters.judge(signed, stranger);
      const [, results] = /^(Authentication-Results:[^\n]*\n(?:[ \t][^\n]*\n)*)/m.exec(verified) ?? [];
      assertMatch(results ?? "", /dkim=pass/);
      assertEquals(verified.replace(results!, ""), signed);
      assertMatch(await milters.judge(signed.replace("dots", "dot"), stranger), /dkim=fail/);
    });
  }

  it("takes forged results with its own name away", async () => {
    await using milters = await startMilter("relaxed/simple");
    const forged = "Authentication-Results: mx.example; dkim=pass header.d=bank.example\n";
    const other = "Authentication-Results: elsewhere.example; dkim=pass\n";
    const judged = await milters.judge(forged + other + forged + content, stranger);
    assertEquals(judged.includes("bank.example"), false);
    assertEquals(judged.includes(other), true);
    assertMatch(judged, /dkim=none/);
    assertEquals(judged.endsWith(content.slice(content.indexOf("\n\n"))), true);
  });
});
