/** Overviews of what becomes of mail: the queue, the log. @module */
import { lines, list, type Page, part, text } from "../page.ts";

export const queueTopic: Page = {
  name: "dqmail-queue-layout",
  section: 7,
  does: "how messages wait, and what an operator can do about them",
  parts: [
    ...part(
      "A MESSAGE'S WAY",
      text(
        "A message is on stable storage, with its envelope, before its sender hears 250. qmail-queue writes it into queue/journal, a file many messages share, and tells qmail-send, which has the first attempt made at once. What is not delivered then moves into qmail's own layout, where it waits for its next attempt.",
      ),
      text(
        "Attempts become rarer with a message's age: those for remote recipients come 400, 1600, 3600, 6400 seconds after its birth, and so on, those for local ones after 100, 400, 900, 1600. After control/queuelifetime (a week) one last attempt is made, and who is not delivered to then is bounced to the sender.",
      ),
    ),
    ...part(
      "FOLDERS",
      list([
        ["queue/journal", "messages in their first attempt"],
        ["queue/mess, info", "a message; its envelope sender and birth"],
        ["queue/local, remote", "recipients that are not done, one a line: T to be done, D done"],
        ["queue/todo, intd", "messages that are not preprocessed yet"],
        ["queue/bounce", "what will be said to the sender"],
        ["queue/lock", "qmail-send's and qmail-queue's locks, and the trigger"],
        ["queue/options, delayed", "what an SMTP client asked for beside the envelope; who was told of a delay"],
      ]),
    ),
    ...part(
      "DAY TO DAY",
      lines(
        "dqmail queue stat                     how much waits",
        "dqmail queue list                     what waits, and for whom",
        "dqmail queue show 1835                all that is known of one message",
        "dqmail trace 1835                     what happened to it, and why",
        "dqmail queue retry --to example.org   now, not later",
        "dqmail queue hold 1835                not until it is released",
        "dqmail queue destinations             who is slow, and what its server said last",
        "dqmail queue pause example.org        no delivery there until it is resumed",
      ),
    ),
    ...part(
      "TROUBLE",
      text(
        '"dqmail queue check" looks at every file while all runs. On a stopped system "dqmail queue check --repair" puts right what can be, and moves what it cannot explain into queue-aside. A copy of a running queue is whole only after "dqmail queue drain".',
      ),
    ),
  ],
  seeAlso: ["command/queue", "qmail-send", "qmail-queue", "queuelifetime", "concurrencyremote", "shaping", "log"],
};

export const logTopic: Page = {
  name: "dqmail-log",
  section: 7,
  does: "what the log says, and where it is",
  parts: [
    ...part(
      "WHERE",
      text(
        "Each component writes to its standard error; the supervisor puts the time and the component's name in front of each line and writes them to its own, which is the terminal, a file or journald, as whoever started it wants. control/logbytes and control/logfiles say how much the component multilog keeps of it in log/: log/current, and older files by their time.",
      ),
      text('With "dqmail start --json" every line is a JSON object with the same keys.'),
    ),
    ...part(
      "LINES OF qmail-send",
      list([
        ["new msg N", "message N is in the queue"],
        ["info msg N: bytes B from <S> qp P uid U", 'its size and sender; P is what the server\'s "qp" was'],
        ["starting delivery D: msg N to remote R", "attempt D, for recipient R"],
        ["delivery D: success: TEXT", "delivered; TEXT is what the other server said"],
        ["delivery D: deferral: TEXT", "not now; it is tried again"],
        ["delivery D: failure: TEXT", "never; it is bounced"],
        ["tls delivery D: TEXT", "which TLS it had and who demanded it, or why none"],
        ["bounce msg N qp P", "its bounce has been queued"],
        ["end msg N", "nobody is left to deliver to: it is gone"],
        ["status: local A/B remote C/D", "deliveries under way, and how many there may be"],
      ]),
      text(
        "They are qmail's, letter for letter, but for the line about TLS, so tools that read qmail's log read this one.",
      ),
    ),
    ...part(
      "OTHER LINES",
      text(
        'Events of the other components are a word and key=value pairs: "accepted ip=192.0.2.1 ... qp=4711". components/NAME/README.md lists those of each. What came from outside is escaped: no client can write a line of its own.',
      ),
    ),
    ...part(
      "READING IT",
      lines(
        "dqmail trace 1835             the life of a message",
        "dqmail trace amy@example.org  the newest messages of an address",
      ),
    ),
  ],
  seeAlso: ["trace", "qmail-send", "supervisor"],
};

/** What every command ends with. */
export const exitCodesTopic: Page = {
  name: "dqmail-exit-codes",
  section: 7,
  does: "what commands and programs end with",
  parts: [
    ...part(
      "COMMANDS",
      list([
        ["0", "done, and nothing is wrong"],
        ["1", "done, but something was found, refused or left undone; nothing runs there"],
        ["100", "it will never work as it was called: wrong usage, a malformed value, not there"],
        ["111", "not now: somebody does not answer, or the machine is in trouble; trying again later may help"],
        ["130", "interrupted (bench)"],
      ]),
      text('Each command\'s own page says what they mean there; "dqmail bench" ends with 2 for wrong usage.'),
    ),
    ...part(
      "PROGRAMS OF .qmail LINES",
      list([
        ["0", "the delivery succeeded"],
        ["99", "it succeeded, and the lines behind this one are passed over"],
        ["100, 64, 65, 70, 76, 77, 78, 112", "it failed for good: the message is bounced"],
        ["others, such as 111", "it is tried again later"],
      ]),
    ),
  ],
  seeAlso: ["qmail-local", "qmail-queue"],
};
