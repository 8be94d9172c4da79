/** Passwords against what is stored of them: the published examples, what Dovecot and crypt(3) write, and what is none. */
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { md5Crypt } from "../../../components/auth/passwords/md5_crypt.ts";
import { shaCrypt } from "../../../components/auth/passwords/sha_crypt.ts";
import { plainPassword, verifyPassword } from "../../../components/auth/passwords/verify.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

describe("shaCrypt()", () => {
  const long = "a very much longer text to encrypt.  This one even stretches over morethan one line.";
  // The examples of the specification, as glibc answers them.
  const rows: readonly (readonly [setting: string, password: string, want: string])[] = [
    ["$5$saltstring", "Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"],
    [
      "$5$rounds=10000$saltstringsaltstring",
      "Hello world!",
      "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA",
    ],
    [
      "$5$rounds=5000$toolongsaltstring",
      "This is just a test",
      "$5$rounds=5000$toolongsaltstrin$Un/5jzAHMgOGZ5.mWJpuVolil07guHPvOW8mGRcvxa5",
    ],
    [
      "$5$rounds=1400$anotherlongsaltstring",
      long,
      "$5$rounds=1400$anotherlongsalts$Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1",
    ],
    [
      "$5$rounds=77777$short",
      "we have a short salt string but not a short password",
      "$5$rounds=77777$short$JiO1O3ZpDAxGJeaDIuqCoEFysAe1mZNJRs3pw0KQRd/",
    ],
    [
      "$5$rounds=10$roundstoolow",
      "the minimum number is still observed",
      "$5$rounds=1000$roundstoolow$yfvwcWrQ8l/K0DAWyuPMDNHpIVlTQebY9l/gL972bIC",
    ],
    [
      "$6$saltstring",
      "Hello world!",
      "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
    ],
    [
      "$6$rounds=10000$saltstringsaltstring",
      "Hello world!",
      "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
    ],
    [
      "$6$rounds=5000$toolongsaltstring",
      "This is just a test",
      "$6$rounds=5000$toolongsaltstrin$lQ8jolhgVRVhY4b5pZKaysCLi0QBxGoNeKQzQ3glMhwllF7oGDZxUhx1yxdYcz/e1JSbq3y6JMxxl8audkUEm0",
    ],
    [
      "$6$rounds=1400$anotherlongsaltstring",
      long,
      "$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1",
    ],
    [
      "$6$rounds=77777$short",
      "we have a short salt string but not a short password",
      "$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0",
    ],
    [
      "$6$rounds=10$roundstoolow",
      "the minimum number is still observed",
      "$6$rounds=1000$roundstoolow$kUMsbe306n21p9R.FRkW3IGn.S9NPN0x50YhH1xhLsPuWGsUSklZt58jaTfF4ZEQpyUNGc0dqbpBYYBaHHrsX.",
    ],
  ];
  for (const [setting, password, want] of rows) {
    it(`${setting} of ${JSON.stringify(password)}`, async () =>
      assertEquals(await shaCrypt(utf8(password), setting), want));
  }

  it("does no work beyond two million rounds", async () => {
    assertEquals(await shaCrypt(utf8("x"), "$6$rounds=2000001$salt$"), undefined);
    assertEquals(await shaCrypt(utf8("x"), "$6$rounds=999999999$salt$"), undefined);
  });
});

describe("md5Crypt()", () => {
  const rows = [
    ["$1$abcdefgh$", "sesame", "$1$abcdefgh$5XhrJpGu.bBXAZh4lT8oY/"],
    ["$1$ab$", "x".repeat(40), "$1$ab$jtRvJqDWXi2dyYBnMmGYN/"],
  ] as const;
  for (const [setting, password, want] of rows) {
    it(`${setting} of ${password}`, () => assertEquals(md5Crypt(utf8(password), setting), want));
  }
});

describe("verifyPassword()", () => {
  // Written by Dovecot 2.3, with {ARGON2ID} of the least memory it takes, and crypt(3).
  const fields = [
    "{SCRAM-SHA-256}4096,87pE7kZmt62b/gJxmkd8pw==,iFmKxrBVQbQG5y5U3m6oHtyLaHPxLGKs1zDIhzlkunU=,5F0xEU4rF2YoPQM/XnBQSKRV3G90uc1dM9OkGeCWkwA=",
    "{BLF-CRYPT}$2y$05$DIiSL0he3hmVt1DovbFxzOQgXbJgymHC5wXV5H7BeRjUMgKCNPGUC",
    "{CRYPT}$2y$05$DIiSL0he3hmVt1DovbFxzOQgXbJgymHC5wXV5H7BeRjUMgKCNPGUC",
    "$2y$05$DIiSL0he3hmVt1DovbFxzOQgXbJgymHC5wXV5H7BeRjUMgKCNPGUC",
    "{SHA512-CRYPT}$6$aJAm2rA6cQf5sDla$lWLyyIgnyShnyijssELIOGD6BdRyDZ1Y9vzlbDJmoXvxB4Am9qLLPjpP9txyMXeI8QgxgzQxE8Drw.aHyWMYA1",
    "{SHA256-CRYPT}$5$5xsb47aDiUprkwaM$UDcH2H880xArnvgXgr.CTLBDdWE6GUkn1beX9f9cT67",
    "$5$5xsb47aDiUprkwaM$UDcH2H880xArnvgXgr.CTLBDdWE6GUkn1beX9f9cT67",
    "{sha256-crypt}$5$5xsb47aDiUprkwaM$UDcH2H880xArnvgXgr.CTLBDdWE6GUkn1beX9f9cT67",
    "{SSHA}nQAXk1hSocGBF/f+NhDEy+8bypEVZB18",
    "{SSHA256}+bqOIUSbx9gjyNeRvXPlrTMT/COkjHMlUXsIRt5i5IMRpq8W",
    "{SSHA512}NAEXy9N8fmn8DKgwggr+fR1a/jB5Y/hqYRyRtM5bDCvujS+tGJTvnFnafsiShrkllccl6vPnCz/9Z8fUHZp3L5cXMM0=",
    "{SMD5}s4CYhqzCIvebVVVe7RWcbR+Jt6E=",
    "{SHA}CEo1Ae3vaEXy8eQZjsOiuBz1xrw=",
    "{SHA256}0MBPSxlR5K6q7IIj7SA55ULzqugFpvp/bXlOWv/10nI=",
    "{SHA512}u5R+nJalYgxpa9F1obKO6mM3+oymw90Z77ZeLLGk3+4CVsyHwhWJNU8an1iHr10jzgXXKhQ64vHv6pxFW/PQVg==",
    "{PLAIN-MD5}c8dae1c50e092f3d877192fc555b1dcf",
    "{LDAP-MD5}yNrhxQ4JLz2HcZL8VVsdzw==",
    "{MD5-CRYPT}$1$66tCevBr$8mtCyKt9OOpWJLfkJQIWs/",
    "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$ciJHHPIKwUHFBhkFMIDtWQ$F+OAQy/fCEvW4WzHXPDA0ts1HDeGBqujpyX9dQRDlrc",
    "{PLAIN}sesame",
    "{CLEARTEXT}sesame",
  ];
  for (const field of fields) {
    it(`knows "sesame" by ${field.slice(0, 40)} and nothing else`, async () => {
      assertEquals(await verifyPassword(utf8("sesame"), field), "right");
      for (const other of ["Sesame", "sesam", "sesame "]) {
        assertEquals(await verifyPassword(utf8(other), field), "wrong", other);
      }
    });
  }

  it("reads 72 octets of a password for bcrypt, as crypt(3) does", async () => {
    const field = "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    assertEquals(await verifyPassword(utf8("U*U"), field), "right");
    assertEquals(await verifyPassword(utf8("x".repeat(200)), field), "wrong");
  });

  const unsupported = [
    "",
    "sesame",
    "{}sesame",
    "{PLAIN",
    "{NONE}sesame",
    "{__proto__}sesame",
    "{constructor}sesame",
    "{PLAIN.B64}c2VzYW1l",
    "{PBKDF2}$1$tjDdYMLzQ90lZrn7$5000$a2fd5b99fb38f85ce7adf043ac9a24ff52054a9f",
    "{CRAM-MD5}c06486eb23448c26ecccb57ea835cb2bece48cb9aaeb56d997ef9fc87fc5a563",
    "{CRYPT}ab1dtFeNTRg2k",
    "ab1dtFeNTRg2k",
    "{CRYPT}$y$j9T$abc$def",
    "{CRYPT}$6$",
    "{SHA512-CRYPT}$6$salt$short",
    "{SHA512-CRYPT}$6$rounds=999999999$salt$lWLyyIgnyShnyijssELIOGD6BdRyDZ1Y9vzlbDJmoXvxB4Am9qLLPjpP9txyMXeI8QgxgzQxE8Drw.aHyWMYA1",
    "{MD5-CRYPT}$1$salt$short",
    "{SHA}AAAA",
    "{SHA}nQAXk1hSocGBF/f+NhDEy+8bypEVZB18",
    "{SSHA}CEo1Ae3vaEXy8eQZjsOiuBz1xrw=",
    "{SSHA256}!!!!",
    "{PLAIN-MD5}c8dae1c50e092f3d877192fc555b1dc",
    "{PLAIN-MD5}zz",
    "{SCRAM-SHA-256}4096,,,",
    "{BLF-CRYPT}$2y$31$DIiSL0he3hmVt1DovbFxzOQgXbJgymHC5wXV5H7BeRjUMgKCNPGUC",
    "{BLF-CRYPT}$2y$05$short",
    "{ARGON2ID}$argon2id$v=19$m=1048577,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "{ARGON2ID}$argon2id$v=19$m=65536,t=999999,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "{ARGON2ID}$argon2id$v=16$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "{ARGON2ID}$argon2id$v=19$m=1,t=1,p=1$AA$AA",
    "{ARGON2ID}$argon2id$v=19$m=64,t=0,p=0$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  ];
  for (const field of unsupported) {
    it(`lets nobody in by ${JSON.stringify(field).slice(0, 60)}`, async () => {
      assertEquals(await verifyPassword(utf8("sesame"), field), "unsupported");
    });
  }

  it("compares any field with any password without throwing", async () => {
    const scheme = fc.constantFrom(
      "",
      "{SHA}",
      "{SSHA}",
      "{PLAIN-MD5}",
      "{CRYPT}",
      "{SCRAM-SHA-256}",
      "{LDAP-MD5}",
      "$1$",
      "$5$",
      "{X}",
    );
    const value = fc.string({ unit: fc.constantFrom(..."$,=+/aA0.{}: \0\xff"), maxLength: 40 });
    const password = fc.uint8Array({ minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(scheme, value, password, async (prefix, rest, octets) => {
        assert(await verifyPassword(octets, prefix + rest) !== "right");
      }),
      { numRuns: 200 },
    );
  });

  it("finds the password itself only where it is kept as it is", () => {
    const rows = [["{PLAIN}p\u00e4ss", "p\xc3\xa4ss"], ["{clear}", ""], ["{SHA}x", undefined], [
      "sesame",
      undefined,
    ]] as const;
    for (const [field, want] of rows) assertEquals(plainPassword(field), want);
  });
});

const doveadm = await new Deno.Command("doveadm", { args: ["pw", "-l"], stdout: "null", stderr: "null" }).output()
  .then(({ success }) => success, () => false);

describe(`Dovecot${doveadm ? "" : " (skipped: no doveadm)"}`, { ignore: !doveadm }, () => {
  const schemes = ["SHA512-CRYPT", "SHA256-CRYPT", "BLF-CRYPT", "MD5-CRYPT", "SSHA512", "SCRAM-SHA-256", "ARGON2ID"];
  for (const scheme of schemes) {
    it(`writes {${scheme}} as it is read here`, async () => {
      for (const password of ["s", "p\u00e4ss w\u00f6rd", "x".repeat(71)]) {
        const { stdout } = await new Deno.Command("doveadm", { args: ["pw", "-s", scheme, "-p", password] }).output();
        assertEquals(await verifyPassword(utf8(password), new TextDecoder().decode(stdout).trim()), "right");
      }
    });
  }
});
