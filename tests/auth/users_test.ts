import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { passwordOf, secretOf, usersOf } from "../../components/auth/users.ts";
import { parseScramSecret, usualIterations } from "../../components/lib/sasl/scram_secret.ts";
import { parsePasswdFile } from "../../components/lib/users/passwd_file.ts";

const scram =
  "{SCRAM-SHA-256}4096,87pE7kZmt62b/gJxmkd8pw==,iFmKxrBVQbQG5y5U3m6oHtyLaHPxLGKs1zDIhzlkunU=,5F0xEU4rF2YoPQM/XnBQSKRV3G90uc1dM9OkGeCWkwA=";
const pepper = new Uint8Array(32).fill(7);

function users(text: string) {
  const parsed = parsePasswdFile(text);
  assert(parsed.ok);
  return usersOf(parsed.value);
}

const some = users([
  `amy@a.example:{PLAIN}one:1:1::::scram=${scram}`,
  `bob@a.example:${scram}:1:1::::`,
  "cleo@a.example:{PLAIN}two:1:1::::",
  "dora@a.example::1:1::::",
  `eve@a.example:{PLAIN}three:1:1::::nologin scram=${scram}`,
  "fay@a.example:{PLAIN}four:1:1::::scram=nonsense",
].join("\n"));

describe("the users", () => {
  it("have the password and the secret of their lines", () => {
    assertEquals(passwordOf(some, "amy@a.example", pepper), { field: "{PLAIN}one", isReal: true });
    const secret = parseScramSecret(scram)!;
    assertEquals(secretOf(some, "amy@a.example", pepper), { secret, isReal: true });
    assertEquals(secretOf(some, "bob@a.example", pepper), { secret, isReal: true });
  });

  it("who are not there, have no password or may not log in are like some other one, and always the same", () => {
    for (const login of ["nobody@a.example", "dora@a.example", "eve@a.example", "__proto__", ""]) {
      const { field, isReal } = passwordOf(some, login, pepper);
      assertEquals(isReal, false);
      assert(some.passwords.includes(field));
      assertEquals(passwordOf(some, login, pepper).field, field);
    }
  });

  it("without a secret are told one like another's, with a salt of their own, and always the same", () => {
    for (const login of ["nobody@a.example", "cleo@a.example", "dora@a.example", "eve@a.example", "fay@a.example"]) {
      const { secret, isReal } = secretOf(some, login, pepper);
      assertEquals([isReal, secret.iterations, secret.salt.length], [false, 4096, 16]);
      assertEquals(secretOf(some, login, pepper).secret, secret);
      assertNotEquals(secretOf(some, `x${login}`, pepper).secret.salt, secret.salt);
      assertNotEquals(secretOf(some, login, new Uint8Array(32)).secret.salt, secret.salt);
    }
  });

  it("of an empty file are all unknown, at the cost of those that would be made here", () => {
    const none = users("");
    assert(passwordOf(none, "amy@a.example", pepper).field.startsWith("{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$"));
    assertEquals(secretOf(none, "amy@a.example", pepper).secret.iterations, usualIterations);
  });
});
