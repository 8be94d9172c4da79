/**
 * Programs that people read mail with, against the processes.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { existsSync } from "@std/fs";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "@std/path";
import { type TempDir, tempDir } from "../support/temp_dir.ts";
import { password, Pop3World, threeMessages } from "./world.ts";

const user = "joe@mx.example.com";
/** Octets that a client may not change: a dot, eight bits, no line end. */
const first = threeMessages["new/1795332001.1.a"]!;

interface Run {
  readonly program: string;
  readonly what: string;
  /** The command line; files it needs go below `dir`. */
  readonly args: (world: Pop3World, dir: string) => readonly string[];
  /** The command line is one of /bin/sh, which calls the program. */
  readonly shell?: boolean;
  readonly env?: (dir: string) => Readonly<Record<string, string>>;
  /** Text that has to come out of it, or into a file below `dir`. */
  readonly check: (output: string, world: Pop3World, dir: string) => void;
}

function write(dir: string, name: string, text: string): string {
  const path = join(dir, name);
  Deno.writeTextFileSync(path, text);
  Deno.chmodSync(path, 0o600);
  return path;
}

const python = (service: string, open: string, body: string): Run => ({
  program: "python3",
  what: `Python's poplib over ${service}`,
  args: (world) => [
    "-c",
    `import poplib, ssl
context = ssl.create_default_context(cadata=${JSON.stringify(world.certificate)})
${open.replace("SPORT", String(world.port("pop3s"))).replace("PORT", String(world.port()))}
p.user(${JSON.stringify(user)}); p.pass_(${JSON.stringify(password)})
${body}
p.quit()`,
  ],
  check: (output) => assertEquals(output.trim().split("\n").at(-1), "good"),
});

const curl = (what: string, args: (world: Pop3World) => readonly string[], check: Run["check"]): Run => ({
  program: "curl",
  what: `curl, ${what}`,
  args: (world, dir) => {
    const file = write(dir, "ca.pem", world.certificate);
    return ["-sS", "--max-time", "20", "--cacert", file, "-u", `${user}:${password}`, ...args(world)];
  },
  check,
});

const runs: readonly Run[] = [
  curl(
    "LIST",
    (world) => [`pop3://localhost:${world.port()}/`],
    (output) => assertEquals(output, "1 43\r\n2 18\r\n3 17\r\n"),
  ),
  curl(
    "RETR after STLS, by SCRAM or PLAIN",
    (world) => ["--ssl-reqd", `pop3://localhost:${world.port()}/1`],
    (output) => assertEquals(output, `${first.replaceAll("\n", "\r\n")}\r\n`),
  ),
  curl(
    "RETR over TLS",
    (world) => [`pop3s://localhost:${world.port("pop3s")}/3`],
    (output) => assertEquals(output, "Subject: three\r\n\r\nz\r\n\r\n"),
  ),
  curl(
    "DELE",
    (world) => ["-X", "DELE 2", "-I", `pop3://localhost:${world.port()}/`],
    (_, world) => assert(!world.files().some((file) => file.includes(".2.a"))),
  ),
  python(
    "STLS",
    `p = poplib.POP3("localhost", PORT, timeout=20); assert "STLS" in p.capa(); p.stls(context); assert "STLS" not in p.capa()`,
    `assert p.stat() == (3, 78), p.stat()
assert [l for l in p.uidl()[1]] == [b"1 1795332001.1.a", b"2 1795332002.2.a", b"3 1795332003.3.a"]
assert p.retr(1)[1][4] == b".l2", p.retr(1)
assert p.top(1, 1)[1] == [b"Return-Path: <a@b>", b"Subject: one", b"", b"l1", b""]
p.dele(1); p.rset(); p.noop()
print("good")`,
  ),
  python(
    "TLS",
    `p = poplib.POP3_SSL("localhost", SPORT, timeout=20, context=context)`,
    `p.dele(3); assert len(p.list()[1]) == 2; print("good")`,
  ),
  {
    program: "fetchmail",
    what: "fetchmail with --uidl and STLS",
    args: (world, dir) => {
      const ca = write(dir, "ca.pem", world.certificate);
      const poll = `poll localhost service ${world.port()} protocol pop3 uidl user "${user}" password "${password}" ` +
        `sslcertck sslcertfile "${ca}" sslproto "auto" keep mda "cat >> ${dir}/mail"\n`;
      const rc = write(dir, "rc", poll);
      const files = ["--pidfile", join(dir, "pid"), "--idfile", join(dir, "ids")];
      return ["-f", rc, ...files, "--nosyslog", "--nodetach", "-v"];
    },
    env: (dir) => ({ HOME: dir, FETCHMAILHOME: dir }),
    check: (_, __, dir) => {
      const mail = Deno.readTextFileSync(join(dir, "mail"));
      for (const subject of ["one", "two", "three"]) assert(mail.includes(`Subject: ${subject}\n`), mail);
    },
  },
  {
    program: "mpop",
    what: "mpop over TLS, taking all from the server",
    args: (world, dir) => {
      const ca = write(dir, "ca.pem", world.certificate);
      for (const part of ["tmp", "new", "cur"]) Deno.mkdirSync(join(dir, "M", part), { recursive: true });
      const rc = write(
        dir,
        "rc",
        `account a\nhost localhost\nport ${world.port("pop3s")}\nuser ${user}\npassword ${password}\ntls on\n` +
          `tls_starttls off\ntls_trust_file ${ca}\nkeep off\ndelivery maildir ${dir}/M\nuidls_file ${dir}/uidls\n`,
      );
      return ["-C", rc, "a"];
    },
    check: (output, world, dir) => {
      assertEquals(Array.from(Deno.readDirSync(join(dir, "M", "new"))).length, 3, output);
      assertEquals(world.files(), []);
    },
  },
  {
    program: "getmail",
    what: "getmail over TLS, which takes each message once",
    args: (world, dir) => {
      const ca = write(dir, "ca.pem", world.certificate);
      // Into a Maildir it delivers for nobody who is root.
      // It misses the end of a program that ends before it begins to wait for that, and waits a minute then.
      const mda = write(dir, "mda", `#!/bin/sh\ncat >>${dir}/mail\nexec sleep 0.3\n`);
      Deno.chmodSync(mda, 0o700);
      const rc = write(
        dir,
        "getmailrc",
        `[retriever]\ntype = SimplePOP3SSLRetriever\nserver = localhost\nport = ${world.port("pop3s")}\n` +
          `username = ${user}\npassword = ${password}\nca_certs = ${ca}\n` +
          `[destination]\ntype = MDA_external\npath = ${mda}\nallow_root_commands = true\n` +
          `[options]\nread_all = false\ndelete = false\n`,
      );
      const once = `getmail --getmaildir=${dir} --rcfile=${rc}`;
      return ["-c", `${once} && ${once}`];
    },
    shell: true,
    check: (output, _, dir) => {
      const mail = existsSync(join(dir, "mail")) ? Deno.readTextFileSync(join(dir, "mail")) : "";
      const subjects = Array.from(mail.matchAll(/^Subject: (.*)$/gm), ([, subject]) => subject);
      assertEquals(subjects, ["one", "two", "three"], output);
    },
  },
  {
    program: "mutt",
    what: "mutt, which copies the mailbox",
    args: (world, dir) => {
      const ca = write(dir, "ca.pem", world.certificate);
      const rc = write(
        dir,
        "rc",
        `set ssl_force_tls=yes\nset certificate_file="${ca}"\nset ssl_usesystemcerts=no\nset pop_delete=no\nset delete=no\nset copy=no\n` +
          `set pop_pass="${password}"\nset pop_user="${user}"\nset folder="${dir}"\nset confirmcreate=no\nset confirmappend=no\n` +
          `set move=no\nset quit=yes\nset header_cache=""\nset message_cachedir=""\nset save_empty=yes\nset mbox_type=mbox\n` +
          `push "<tag-pattern>.<enter><tag-prefix><copy-message>${dir}/out<enter><quit>"\n`,
      );
      return ["-F", rc, "-f", `pop://localhost:${world.port()}/`];
    },
    env: (dir) => ({ HOME: dir, TERM: "xterm" }),
    check: (output, _, dir) => {
      const mail = existsSync(join(dir, "out")) ? Deno.readTextFileSync(join(dir, "out")) : "";
      for (const subject of ["one", "two", "three"]) assert(mail.includes(`Subject: ${subject}`), output + mail);
    },
  },
];

function pathOf(program: string): string | undefined {
  return (Deno.env.get("PATH") ?? "/usr/bin:/bin").split(":").map((dir) => join(dir, program)).find((path) =>
    existsSync(path)
  );
}

describe("qmail-popup serves", () => {
  let world: Pop3World;
  let dir: TempDir;
  beforeAll(async () => {
    world = await Pop3World.start({ tls: true });
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  for (const { program, what, args, shell, env, check } of runs) {
    const path = pathOf(program);
    it(`${what}${path === undefined ? ` (skipped: ${program} is not installed)` : ""}`, {
      ignore: path === undefined,
    }, async () => {
      world.fill("joe", threeMessages);
      dir = tempDir();
      try {
        // A program that asks for a terminal is given one.
        const command = [shell === true ? "/bin/sh" : path!, ...args(world, dir.path)];
        const words = program === "mutt" ? ["script", "-qefc", command.map(quote).join(" "), "/dev/null"] : command;
        const { stdout, stderr } = await new Deno.Command("timeout", {
          args: ["40", ...words],
          env: { ...env?.(dir.path) },
          stdin: "null",
        }).output();
        const output = new TextDecoder().decode(stdout);
        const complaint = new TextDecoder().decode(stderr);
        try {
          check(output, world, dir.path);
        } catch (error) {
          throw new Error(`${error}\n${output}\n${complaint}\n${world.log.text()}`);
        }
      } finally {
        dir[Symbol.dispose]();
      }
    });
  }
});

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
