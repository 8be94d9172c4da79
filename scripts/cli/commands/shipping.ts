/**
 * Commands that put it on a machine, or into files for one.
 * @module
 */
import { samples } from "../../install/samples.ts";
import { type Command, jsonOption, type Option } from "../command.ts";

const outOption: Option = { name: "out", value: "DIR", takes: "folder", does: "the folder that is written" };

export const shipping: readonly Command[] = [
  {
    name: "install",
    mostWords: 0,
    does: "into a place such as /var/qmail, also over a qmail that is there",
    usage: ["--prefix DIR [--dry-run] [--rollback] [--json] [OPTION...]"],
    about: [
      "Makes users and groups (by root), folders, control files, launchers and the programs of bin/ in DIR, an absolute path. A qmail, netqmail, notqmail or s/qmail that is there is taken over: control files, users, alias and the queue stay as they are, what its start scripts say goes into control files, and everything that is changed is kept in DIR/install. Nothing is changed while qmail runs. An install that was interrupted is completed by the same command, and a newer dqmail is put in place by it.",
    ],
    options: [
      { name: "prefix", value: "DIR", takes: "folder", does: "the place, such as /var/qmail" },
      { name: "dry-run", does: "says what is there and what would change, and changes nothing" },
      {
        name: "rollback",
        does: "empties the journal into qmail's queue and gives everything back as it was, octets, owners and modes",
      },
      { name: "sendmail", does: "/usr/sbin/sendmail leads to DIR/bin/sendmail (on Debian by a diversion)" },
      {
        name: "sample",
        value: "NAME",
        takes: samples,
        does: "control files to begin with where there are none; default single",
      },
      { name: "me", value: "NAME", does: "this host's full name, for a sample; default this machine's" },
      {
        name: "domain",
        value: "NAME",
        does: "the domain of a sample; default the host's name without its first label",
      },
      { name: "relay", value: "HOST", does: "for the sample relay: where all mail goes" },
      { name: "qmqp", value: "ADDRESS", does: "for the sample mini: the server that mail is handed to" },
      {
        name: "staged",
        value: "DIR",
        takes: "folder",
        does: "deno, packages and code lie there instead of in DIR/libexec (absolute path)",
      },
      {
        name: "root",
        value: "DIR",
        takes: "folder",
        does: "a folder that stands for /, to make an image of a machine, or to try it out",
      },
      { name: "json", does: "prints the report as JSON" },
    ],
    examples: [
      { line: "dqmail install --prefix /var/qmail --dry-run" },
      { line: "dqmail install --prefix /var/qmail --me mx.example.org --sendmail" },
      { line: "dqmail install --prefix /var/qmail --sample relay --relay smtp.example.net" },
      { line: "dqmail install --prefix /var/qmail --rollback" },
    ],
    codes: [
      [0, "done, or with --dry-run: nothing is in the way"],
      [1, "done, but it cannot be started yet"],
      [100, "wrong usage, or something has to be put right first"],
      [111, "something runs that has to stop first, or a step failed: run it again"],
    ],
    hasHome: false,
  },
  {
    name: "units",
    mostWords: 0,
    does: "systemd units, one for each component",
    usage: ["--out DIR [--prefix DIR]"],
    about: [
      "Writes one unit for each component and a target, each with its own user and paths from the same manifest as its grant.",
    ],
    options: [
      outOption,
      { name: "prefix", value: "DIR", takes: "folder", does: "the home that they are for; default /var/qmail" },
    ],
    examples: [{ line: "dqmail units --out /etc/systemd/system --prefix /var/qmail" }],
    codes: [[0, "written"], [100, "wrong usage"], [111, "a file cannot be written"]],
    hasHome: false,
  },
  {
    name: "bundle",
    mostWords: 0,
    does: "single files that need only deno",
    usage: ["--out DIR [--minify] [--source-maps] [--json]"],
    about: [
      "Writes one file for each component, program and command, with the packages it uses in it. DIR/dqmail start then starts the system with nothing but this deno: no packages, no network. DIR is new, or was made by this command before: it is replaced as a whole.",
    ],
    options: [
      outOption,
      { name: "minify", does: "smaller files; stack traces then name no lines" },
      { name: "source-maps", does: "files by which stack traces name the lines of the sources" },
      jsonOption,
    ],
    examples: [{ line: "dqmail bundle --out dist" }, { line: "dist/dqmail start --home /var/qmail" }],
    codes: [[0, "written"], [100, "wrong usage"], [111, "it could not be made"]],
    hasHome: false,
  },
  {
    name: "compile",
    mostWords: 0,
    does: "binaries, each with its grant in it",
    usage: ["--out DIR [--home DIR] [--port-offset N] [--only NAMES] [--dry-run] [--json]"],
    about: [
      "Makes one binary for each component and program, with its grant for that home baked in, and its home as its first arguments: a binary is for that home, as its control files are now. Works offline where DENORT_BIN names the base that they are made of. Each takes about as much room as deno itself.",
      "What is granted something by its caller, such as qmail-local the home of an account, has no binary: no grant is known before it is started.",
    ],
    options: [
      outOption,
      { name: "home", value: "DIR", takes: "folder", does: "the home that they are for; default /var/qmail" },
      { name: "port-offset", value: "N", does: "as for start; default 0" },
      { name: "only", value: "NAMES", does: "these alone, with commas between them" },
      { name: "dry-run", does: "prints the command lines, and makes nothing" },
      jsonOption,
    ],
    examples: [
      { line: "dqmail compile --out dist --home /var/qmail --only qmail-smtpd,qmail-remote" },
      { line: "DENORT_BIN=/opt/denort dqmail compile --out dist", does: "without a network" },
    ],
    codes: [[0, "made"], [100, "wrong usage"], [111, "it could not be made"]],
    hasHome: false,
  },
  {
    name: "release",
    mostWords: 0,
    does: "an archive of the bundles, with checksums",
    usage: ["--out DIR [--json]"],
    about: ['Writes an archive of what "dqmail bundle" makes, and SHA256SUMS; the same code makes the same octets.'],
    options: [outOption, jsonOption],
    examples: [{ line: "dqmail release --out dist" }],
    codes: [[0, "written"], [100, "wrong usage"], [111, "it could not be made"]],
    hasHome: false,
  },
];
