import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { compileAssign } from "../../../components/lib/users/assign.ts";
import { defaultPw2uOptions, pw2u, type Pw2uFiles, type Pw2uOptions } from "../../../components/lib/users/pw2u.ts";

const noFiles: Pw2uFiles = {
  include: undefined,
  exclude: undefined,
  mailnames: undefined,
  subusers: undefined,
  append: undefined,
};
const passwd = `root:x:0:0:root:/root:/bin/sh
alias:x:7790:2108::/var/qmail/alias:/bin/true
joe:x:503:78:Joe,,,:/home/joe:/bin/sh
Ann:x:504:78::/home/ann:/bin/sh
ftp:x:14:50::/var/ftp:/bin/false
gone:x:505:78::/home/gone:/bin/sh
short:x:506:78::/home/short
bad:x:many:78::/home/bad:/bin/sh
`;
const owners = new Map([["/var/qmail/alias", 7790], ["/home/joe", 503], ["/home/ann", 504], ["/var/ftp", 0]]);
const ownerOf = (home: string) => owners.get(home) ?? "absent" as const;

const alias = `+:alias:7790:2108:/var/qmail/alias:-::
=alias:alias:7790:2108:/var/qmail/alias:::
+alias-:alias:7790:2108:/var/qmail/alias:-::
`;
const joe = "=joe:joe:503:78:/home/joe:::\n+joe-:joe:503:78:/home/joe:-::\n";
const ann = "=Ann:Ann:504:78:/home/ann:::\n+Ann-:Ann:504:78:/home/ann:-::\n";
const ftp = "=ftp:ftp:14:50:/var/ftp:::\n+ftp-:ftp:14:50:/var/ftp:-::\n";
const gone = "=gone:gone:505:78:/home/gone:::\n+gone-:gone:505:78:/home/gone:-::\n";

const rows: readonly {
  readonly why: string;
  readonly options?: Partial<Pw2uOptions>;
  readonly files?: Partial<Pw2uFiles>;
  readonly want: string;
}[] = [
  { why: "users with homes of their own and names without capitals; uid 0 never", want: `${alias}${joe}.\n` },
  { why: "homes not looked at (-H)", options: { homes: "any" }, want: `${alias}${joe}${ftp}${gone}.\n` },
  { why: "capitals (-u)", options: { capitals: true }, want: `${alias}${joe}${ann}.\n` },
  {
    why: "another delimiter (-c +)",
    options: { delimiter: "+" },
    files: { exclude: "joe\n" },
    want: alias.replace("+alias-:", "+alias+:") + ".\n",
  },
  {
    why: "no extensions (-C)",
    options: { delimiter: "" },
    files: { subusers: "sub:joe:pre:\n" },
    want: `+:alias:7790:2108:/var/qmail/alias:-::
=alias:alias:7790:2108:/var/qmail/alias:::
=joe:joe:503:78:/home/joe:::
=sub:joe:503:78:/home/joe:-:pre:
.
`,
  },
  {
    why: "files in a folder (-/)",
    options: { dash: "-/" },
    files: { subusers: "sub:joe:pre:\n" },
    want: `+:alias:7790:2108:/var/qmail/alias:-/::
=alias:alias:7790:2108:/var/qmail/alias:::
+alias-:alias:7790:2108:/var/qmail/alias:-/::
=joe:joe:503:78:/home/joe:::
+joe-:joe:503:78:/home/joe:-/::
=sub:joe:503:78:/home/joe:-/:pre:
+sub-:joe:503:78:/home/joe:-/:pre-:
.
`,
  },
  { why: "users/include", files: { include: "# who\nALIAS  \n\n" }, want: `${alias}.\n` },
  { why: "users/exclude", files: { exclude: "joe\t\n" }, want: `${alias}.\n` },
  {
    why: "users/mailnames instead of the name",
    files: { mailnames: "joe:first:\njoe:J.Shmoe::joe.shmoe:\nno colon\n" },
    want: `${alias}=J.Shmoe:joe:503:78:/home/joe:::
+J.Shmoe-:joe:503:78:/home/joe:-::
=joe.shmoe:joe:503:78:/home/joe:::
+joe.shmoe-:joe:503:78:/home/joe:-::
.
`,
  },
  { why: "users/mailnames that leaves a user none", files: { mailnames: "joe:\n" }, want: `${alias}.\n` },
  {
    why: "users/subusers",
    files: { subusers: "sales:joe:shop:\nincomplete:joe\n" },
    want: `${alias}${joe}=sales:joe:503:78:/home/joe:-:shop:
+sales-:joe:503:78:/home/joe:-:shop-:
.
`,
  },
  {
    why: "users/append, with a line end where it lacks one",
    files: { append: "# kept as it is\n=x:joe:503:78:/home/joe:-:x:" },
    want: `${alias}${joe}# kept as it is\n=x:joe:503:78:/home/joe:-:x:\n.\n`,
  },
];

const run = (options: Partial<Pw2uOptions> = {}, files: Partial<Pw2uFiles> = {}, look = ownerOf, text = passwd) =>
  pw2u(text, { ...noFiles, ...files }, { ...defaultPw2uOptions, ...options }, look);

describe("pw2u()", () => {
  for (const { why, options, files, want } of rows) {
    it(why, () => assertEquals(run(options, files), { ok: true, value: want }));
  }

  it("ends where a home is missing and may not be (-h), and where one cannot be seen", () => {
    assertEquals(run({ homes: "present" }), { ok: false, error: "unable to stat /home/gone" });
    const trouble = (home: string) => home === "/home/joe" ? "unsure" as never : ownerOf(home);
    assertEquals(run({}, {}, trouble), { ok: false, error: "unable to stat /home/joe" });
  });

  it("ends without alias, and for a sub-user of nobody", () => {
    assertEquals(run({}, { exclude: "alias\n" }), { ok: false, error: "unable to find alias user" });
    assertEquals(run({}, { subusers: "sub:gone:pre:\n" }), {
      ok: false,
      error: "unable to find gone user for subuser",
    });
  });

  it("makes a file that qmail-newu takes, of any passwd(5) with an alias", () => {
    const name = fc.stringMatching(/^[a-zA-Z0-9._-]{1,8}$/);
    const line = fc.oneof(
      fc.tuple(name, fc.nat(3), name).map(([user, uid, home]) => `${user}:x:${uid}:5::/home/${home}:/bin/sh`),
      fc.string({ maxLength: 20 }).filter((text) => !text.includes("\0") && !text.includes("\n")),
    );
    fc.assert(fc.property(fc.array(line, { maxLength: 10 }), (lines) => {
      const text = ["alias:x:7790:2108::/var/qmail/alias:/bin/true", ...lines].join("\n");
      const made = run({ homes: "any", capitals: true }, {}, ownerOf, text);
      assert(made.ok && compileAssign(made.value).ok, JSON.stringify(made));
    }));
  });
});
