import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  formatTokenFile,
  hashToken,
  isToken,
  longestToken,
  maskTokenFile,
  newToken,
  parseTokenFile,
} from "../../../components/lib/admin_token/token_file.ts";
import { err, ok } from "../../../components/lib/result.ts";

describe("a token for the admin page", () => {
  it("is another one each time, and good for its own file only", () => {
    const [one, other] = [newToken(), newToken()];
    assertNotEquals(one, other);
    const hash = parseTokenFile(formatTokenFile(one));
    assert(hash.ok && isToken(one, hash.value) && !isToken(other, hash.value));
    assert(/^dqa_[A-Za-z0-9_-]{32}$/.test(one), one);
  });

  it("is none where the file is empty, whatever is tried", () => {
    for (const token of ["", " ", "sha256:", hashToken("")]) assert(!isToken(token, ""));
  });

  it("is not looked into where it is too long", () => {
    const long = "x".repeat(longestToken + 1);
    assert(!isToken(long, hashToken(long)));
  });

  const hash = hashToken("secret");
  const malformed = err("expected sha256: and 64 hexadecimal digits");
  const rows = [
    { text: `sha256:${hash}\n`, want: ok(hash) },
    { text: `sha256:${hash.toUpperCase()} \n# more\n`, want: ok(hash) },
    { text: "", want: ok("") },
    { text: "\n", want: ok("") },
    { text: "secret\n", want: malformed },
    { text: `sha256:${hash}0\n`, want: malformed },
    { text: `sha256: ${hash}\n`, want: malformed },
    { text: `md5:${hash}\n`, want: malformed },
  ];
  for (const { text, want } of rows) {
    it(`of the file ${JSON.stringify(text.slice(0, 30))} is ${want.ok ? "read" : "refused, and not repeated"}`, () => {
      assertEquals(parseTokenFile(text), want);
    });
  }

  it("is shown to nobody, not even as a hash", () => {
    assertEquals([maskTokenFile(`sha256:${hash}\n`), maskTokenFile("oops\n"), maskTokenFile("")], [
      "sha256:(hidden)\n",
      "sha256:(hidden)\n",
      "",
    ]);
  });
});
