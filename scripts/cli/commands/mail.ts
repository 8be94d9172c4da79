/**
 * Commands about messages.
 * @module
 */
import { type Command, homeOption, jsonOption } from "../command.ts";

const selecting = ["show", "retry", "hold", "release", "expire", "delete"];

export const mail: readonly Command[] = [
  {
    name: "queue",
    does: "mail that waits: look at it, and decide",
    usage: ["COMMAND [ID... | DESTINATION... | --all | --to DOMAIN | --from SENDER] [--home DIR] [--json]"],
    about: [
      "Works on the queue of the dqmail in DIR (default var), as root or as the user who started it. list, stat, destinations, show and check look while everything runs; the others have qmail-send do something, and say for each message what was done, or why not. Messages are meant by their numbers (ID), or by --all, --to, --from.",
    ],
    words: [
      { name: "list", does: "every preprocessed message with its recipients, as qmail-qread shows them" },
      {
        name: "stat",
        does: "how many messages there are, and how many are not yet preprocessed (their first attempt runs, or waits)",
      },
      {
        name: "destinations",
        does:
          "remote destinations (sites, and domains of which no site is known) that have deliveries: how many run and wait, how many may run, at which rate, until when they are paused, what was said last",
      },
      {
        name: "show",
        then: "ID...",
        does: "all that is known of a message: where it stands, its recipients, its failures, its header",
      },
      { name: "check", does: "whether every file is where and what it should be; a line for each that is not" },
      { name: "retry", then: "ID...", does: "the next attempt is now" },
      {
        name: "hold",
        then: "ID...",
        does: "no further attempt until it is released, also after a restart",
      },
      { name: "release", then: "ID...", does: "what is held is due now" },
      {
        name: "expire",
        then: "ID...",
        does: "the lifetime is over: one last attempt now, and who is not delivered to then fails and is bounced",
      },
      { name: "delete", then: "ID...", does: "gone, without a bounce; deliveries that run end first" },
      {
        name: "pause",
        then: "DESTINATION...",
        does:
          "no remote delivery to a site or domain, as destinations names them, begins until it is resumed, also after a restart; its mail waits",
      },
      { name: "resume", then: "DESTINATION...", does: "goes on with a paused destination" },
      {
        name: "drain",
        does:
          "empties the journal into qmail's own layout, for qmail's programs or a copy of the queue; on a running system no new mail goes into it until \"drain --undo\" or the next start of qmail-send",
      },
    ],
    options: [
      { name: "all", of: selecting, does: "all messages" },
      { name: "to", value: "DOMAIN", of: selecting, does: "those with recipients left in that domain" },
      {
        name: "from",
        value: "SENDER",
        of: selecting,
        does: "those of that envelope sender ('' for bounces); with --to: those that are both",
      },
      {
        name: "repair",
        of: ["check"],
        does: "on a stopped system: puts right what can be, and moves into queue-aside what it cannot explain",
      },
      { name: "undo", of: ["drain"], does: "lets new mail into the journal again" },
      homeOption,
      jsonOption,
    ],
    examples: [
      { line: "dqmail queue list" },
      { line: "dqmail queue stat --json" },
      { line: "dqmail queue destinations" },
      { line: "dqmail queue show 1835" },
      { line: "dqmail queue hold 1835 1840" },
      { line: "dqmail queue retry --to example.org" },
      { line: "dqmail queue delete --from spammer@example.net" },
      { line: "dqmail queue pause example.org" },
      { line: "dqmail queue check --home /var/lib/dqmail/home" },
      { line: "dqmail queue drain" },
    ],
    codes: [
      [0, "done"],
      [1, "some of it was not done, or check found something"],
      [100, "wrong usage"],
      [111, "qmail-send does not run, or the queue cannot be read: try again later"],
    ],
    hasHome: true,
  },
  {
    name: "send",
    does: "one message over SMTP, with the dialogue shown",
    usage: ["RECIPIENT... [--from ADDRESS] [--subject S] [--text T] [--server HOST:PORT] [--home DIR] [--json]"],
    about: [
      "Sends a message through the dqmail in DIR (default var), or through --server, and shows what was said. Without --text the text is read from standard input.",
    ],
    options: [
      { name: "from", value: "ADDRESS", does: "the envelope sender; default you@localhost" },
      { name: "subject", value: "S", does: 'default "A message"' },
      { name: "text", value: "T", does: "the text" },
      { name: "server", value: "HOST:PORT", does: "another server than the one of the home" },
      { ...homeOption, does: "the home whose server it is; default var" },
      { name: "json", does: "prints the dialogue and its outcome as JSON" },
    ],
    examples: [
      { line: 'dqmail send demo@localhost --text "Hello"' },
      { line: "dqmail send amy@example.org --from demo@localhost --subject Lunch < letter.txt" },
    ],
    codes: [[0, "accepted for every recipient"], [1, "refused for one or more"], [
      100,
      "wrong usage, or no server there",
    ]],
    hasHome: true,
  },
  {
    name: "trace",
    does: "what became of a message, or of an address's mail, and why",
    usage: ["ID|ADDRESS [--home DIR] [--json] [--life K] [--follow]"],
    about: [
      "Puts together what the log says: who brought the message in and by which rule it was let in, each delivery with the other server's reply and its TLS, the next attempt's time, bounces, and the end. An address shows the newest messages that it was sender or recipient of. Where nothing runs the files in log/ are read.",
    ],
    options: [
      homeOption,
      {
        name: "life",
        value: "K",
        does: "numbers are used again: 1 (default) is the last message of that number, 2 the one before",
      },
      { name: "follow", does: "goes on with what is logged from now on, until Ctrl-C" },
      jsonOption,
    ],
    examples: [{ line: "dqmail trace 1835" }, { line: "dqmail trace amy@example.org --json" }],
    codes: [[0, "found"], [1, "the log has nothing about it"], [100, "wrong usage"], [111, "the log cannot be read"]],
    hasHome: true,
  },
];
