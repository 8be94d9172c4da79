/**
 * Commands that change what is kept below the home.
 * @module
 */
import { type Command, homeOption, jsonOption } from "../command.ts";

export const settings: readonly Command[] = [
  {
    name: "user",
    does: "mailboxes: add, passwd, del, list",
    usage: [
      "add NAME@DOMAIN... [--password-stdin] [--home DIR] [--json]",
      "passwd NAME@DOMAIN [--password-stdin] [--home DIR] [--json]",
      "del NAME@DOMAIN... [--home DIR] [--json]",
      "list [--home DIR] [--json]",
    ],
    about: [
      "Mail for NAME@DOMAIN and for NAME-anything@DOMAIN lands in DIR/mail/DOMAIN/NAME/Maildir. The password is asked for on a terminal (twice, not shown), or is the first line of standard input with --password-stdin; without one nobody can log in. A DOMAIN that is not ours yet becomes so (control/locals, control/rcpthosts).",
    ],
    words: [
      { name: "add", then: "NAME@DOMAIN...", does: "makes mailboxes" },
      { name: "passwd", then: "NAME@DOMAIN", does: "changes a password" },
      { name: "del", then: "NAME@DOMAIN...", does: "takes mailboxes away; their mail stays where it is" },
      { name: "list", does: "every mailbox with its Maildir" },
    ],
    options: [
      { name: "password-stdin", of: ["add", "passwd"], does: "the password is the first line of standard input" },
      homeOption,
      jsonOption,
    ],
    examples: [
      { line: "dqmail user add amy@example.org" },
      { line: "echo secret | dqmail user add amy@example.org --password-stdin" },
      { line: "dqmail user list --json" },
    ],
    codes: [[0, "done"], [100, "wrong usage, or the mailbox is there already or not there"], [111, "try again later"]],
    hasHome: true,
  },
  {
    name: "dkim",
    does: "keys that sign, and their DNS records: keygen, rotate, list",
    usage: [
      "keygen DOMAIN [--bits 2048] [--from YYYY-MM-DD] [--home DIR] [--json]",
      "rotate DOMAIN [--bits 2048] [--days 7] [--home DIR] [--json]",
      "list [DOMAIN] [--home DIR] [--json]",
    ],
    about: [
      'Who is signed for: control/filters ("submission: sign"). "dqmail reload" makes the mail server see new keys.',
    ],
    words: [
      {
        name: "keygen",
        then: "DOMAIN",
        does:
          "makes the first keys of a domain, RSA and Ed25519, and prints their DNS records, ready to paste. With --from they sign from that day on (UTC), else as soon as the mail server has read its control files again",
      },
      {
        name: "rotate",
        then: "DOMAIN",
        does:
          "makes the next ones, which take over in so many days: publish their records before. Keys that have not signed for two weeks are removed, and it says which records may go",
      },
      { name: "list", then: "[DOMAIN]", does: "every key, what it does, and its record" },
    ],
    options: [
      { name: "bits", value: "N", of: ["keygen", "rotate"], does: "of the RSA key; default 2048" },
      { name: "from", value: "YYYY-MM-DD", of: ["keygen"], does: "the first day (UTC)" },
      { name: "days", value: "N", of: ["rotate"], does: "until they take over; default 7" },
      homeOption,
      jsonOption,
    ],
    examples: [
      { line: "dqmail dkim keygen example.org" },
      { line: "dqmail dkim rotate example.org --days 3" },
      { line: "dqmail dkim list" },
    ],
    codes: [[0, "done"], [100, "wrong usage, or there are keys already or none"]],
    hasHome: true,
  },
  {
    name: "config",
    does: "control files: check, show, get, set",
    usage: [
      "check [--home DIR] [--json]",
      "show [FILE...] [--set] [--home DIR] [--json]",
      "get FILE [--default] [--secret] [--home DIR] [--json]",
      "set FILE VALUE... [--dry-run] [--reload] [--home DIR] [--json]",
      "set FILE --stdin | --default [--dry-run] [--reload] [--home DIR] [--json]",
    ],
    about: [
      'Every setting is a file below control/ in the home; "dqmail help FILE" says what one means. A file that is not there means its default. Passwords and secrets are shown as ***.',
    ],
    words: [
      {
        name: "check",
        does:
          "whether a start or a reload would take the control files: each one, and all together; names files that nobody reads",
      },
      { name: "show", then: "[FILE...]", does: "value, default and meaning; of all files, or of these" },
      { name: "get", then: "FILE", does: "the value alone: of a file that is not there, its default" },
      {
        name: "set",
        then: "FILE VALUE...",
        does:
          'writes one file, a line for each VALUE, after checking it; what was there before is FILE.old then. "dqmail reload" brings it into force, or --reload at once',
      },
    ],
    arguments: "controls",
    options: [
      { name: "set", of: ["show"], does: "only those that are there" },
      {
        name: "default",
        of: ["get", "set"],
        does: "get: the default; set: takes the file away, so that the default counts",
      },
      { name: "secret", of: ["get"], does: "prints passwords and secrets as they are" },
      { name: "stdin", of: ["set"], does: "the whole file comes from standard input" },
      { name: "dry-run", of: ["set"], does: "checks, and writes nothing" },
      { name: "reload", of: ["set"], does: "has a running system read it" },
      homeOption,
      jsonOption,
    ],
    examples: [
      { line: "dqmail config check" },
      { line: "dqmail config show --set" },
      { line: "dqmail config get databytes" },
      { line: "dqmail config set databytes 10485760 --reload" },
      { line: "dqmail config set locals example.org mail.example.org" },
      { line: "dqmail config set smtproutes --stdin < routes.txt" },
      { line: "dqmail config set databytes --default" },
    ],
    codes: [
      [0, "done; check: all is good"],
      [1, "check: something is malformed"],
      [100, "wrong usage, no home there, or a value that would not be taken: nothing was written"],
      [111, "a file cannot be read or written"],
    ],
    hasHome: true,
  },
];
