/**
 * How the programs of bin/ are called, and what they end with: what their manual pages say beside what is known of their
 * rights.
 * @module
 */

/** Beside a program's name, job and rights. */
export interface ToolUsage {
  /** What comes behind the name, a line for each form. */
  readonly usage: readonly string[];
  readonly about?: string;
  /** Absent: 0 done, 100 it will never work, 111 try again later. */
  readonly codes?: string;
}

const dotQmail =
  "For a line of a .qmail file that begins with |: it is told of the message by the environment that qmail-local sets, and gets the message on standard input.";
const plainCodes = "0 done, 111 trouble";

export const toolUsages: ReadonlyMap<string, ToolUsage> = new Map<string, ToolUsage>([
  ["qmail-queue", {
    usage: ["<MESSAGE 1<ENVELOPE"],
    about:
      "Reads a message on descriptor 0 and its envelope on descriptor 1: F, the sender and NUL; T, a recipient and NUL, once or more; NUL.",
    codes:
      "0 the message is on stable storage; 11 an address is too long; 31 the mail server refuses the message; 51 to 81 try again later: 52 it took too long, 53 and 63 the disk, 54 the input, 71 and 74 the daemon; 91 the envelope is malformed",
  }],
  ["qmail-qmqpc", {
    usage: ["<MESSAGE 1<ENVELOPE"],
    about: "In qmail-queue's place: the servers of control/qmqpservers are tried in their order.",
    codes:
      "qmail-queue's; 55 no server, 56 network trouble, 71 the server says try later, 72 connecting took too long, 73 refused, 74 lost",
  }],
  ["qmail-qread", { usage: [""], about: "For root, and the user that qmail-send runs as.", codes: plainCodes }],
  ["qmail-qstat", { usage: [""], about: "For root, and members of the queue's group.", codes: plainCodes }],
  ["qmail-tcpto", { usage: [""], codes: plainCodes }],
  ["qmail-tcpok", {
    usage: [""],
    about: "The next delivery tries them again. For root, and members of the queue's group; says nothing.",
    codes: plainCodes,
  }],
  ["forward", { usage: ["address ..."], about: dotQmail }],
  ["condredirect", {
    usage: ["newaddress program [ arg ... ]"],
    about: `${dotQmail} The program says yes by ending with 0.`,
    codes: "99 redirected, 0 not, 100 refused or called wrongly, 111 try again later",
  }],
  ["qreceipt", { usage: ["deliveryaddress"], about: dotQmail }],
  ["qmail-inject", {
    usage: ["[ -nNaAhH ] [ -f sender ] [ recip ... ]"],
    about:
      "Reads a message on standard input, whose header may be incomplete. -a: recipients are the arguments, -h: those of the header, -H: both, -A (default): the arguments, if there are any, else the header's. -n prints the message instead of queueing it. QMAILUSER, QMAILHOST, QMAILNAME, QMAILINJECT and others in the environment say who it is from.",
  }],
  ["sendmail", {
    usage: ["[ -t ] [ -f sender ] [ -F name ] [ -oi ] [ recip ... ]", "-bs", "-bp", "-bt", "-bv recip ..."],
    about:
      "What other programs run as /usr/sbin/sendmail. Options that say how sendmail should go about it are taken and mean nothing.",
    codes: "0 done, 100 it will never work, 111 try again later; of -bs 0 after QUIT, 1 for any other end",
  }],
  ["mailsubj", { usage: ["subject recipient ..."], about: "The message's text is standard input." }],
  ["bouncesaying", {
    usage: ["error [ program [ arg ... ] ]"],
    about: dotQmail,
    codes: "100 bounce, 0 no bounce, 111 try again later",
  }],
  ["except", {
    usage: ["program [ arg ... ]"],
    about:
      `Ends with 0 where the program ends with something else, so that "except bouncesaying ..." bounces what the other would not.`,
    codes: "100 where the program's is 0, 111 where it is that or the program crashed, else 0",
  }],
  ["preline", {
    usage: ["[ -frdFRD ] cmd [ arg ... ]"],
    about: `${dotQmail} -f, -r and -d leave out the "From " line, Return-Path and Delivered-To.`,
    codes: "the program's; 100 called wrongly, 111 the program crashed",
  }],
  ["predate", { usage: ["program [ arg ... ]"], codes: "the program's; 100 called wrongly, 111 the program crashed" }],
  ["dot-forward", {
    usage: ["[ -nN ] file ..."],
    about: `${dotQmail} The first of the files that is there and not empty counts. -n only says what it would do.`,
    codes: "99 it took the mail over, 0 there is no such file or it names the user himself, 100, 111",
  }],
  ["fastforward", {
    usage: ["[ -nNpPdD ] data.cdb"],
    about:
      `${dotQmail} -p: other lines of the .qmail file follow where the table has nothing. -d uses $DEFAULT@$HOST instead of $RECIPIENT. -n only says what it would do.`,
    codes: "0 forwarded, with -p 99; not in the table: 100, with -p 0; 111 try again later",
  }],
  ["setforward", {
    usage: ["data.cdb data.tmp"],
    about: 'Standard input has the instructions: "target: address, ...;".',
  }],
  ["newaliases", { usage: [""], codes: "0 done, 111 nothing has changed" }],
  ["printforward", { usage: ["< data.cdb"], codes: plainCodes }],
  ["qbiff", { usage: [""], about: dotQmail, codes: "0" }],
  ["tcp-env", {
    usage: ["[ -rR ] [ -ttimeout ] program [ arg ... ]"],
    about: "For inetd and its like: the connection is descriptor 0. -r, -R and -t are taken and mean nothing.",
    codes: "the program's; 100 called wrongly, 111 trouble",
  }],
  ["tcprules", {
    usage: ["rules.cdb rules.tmp"],
    about: 'Standard input has the rules: address:allow or address:deny, then ,NAME="value".',
    codes: "0 done, 100 called wrongly or a line that is no rule, 111 trouble; then nothing has changed",
  }],
  ["tcprulescheck", {
    usage: ["rules.cdb [ ip [ host [ info ] ] ]"],
    about: "What is not on the command line is TCPREMOTEIP, TCPREMOTEHOST and TCPREMOTEINFO.",
  }],
  ["maildirmake", { usage: ["name"] }],
  ["maildir2mbox", {
    usage: [""],
    about: "MAILDIR and MAIL in the environment name the Maildir and the mbox file.",
    codes: plainCodes,
  }],
  ["maildirwatch", { usage: [""], about: "MAILDIR in the environment names the Maildir.", codes: plainCodes }],
  ["qmail-showctl", {
    usage: [""],
    about: 'As "dqmail config show", in the form of qmail\'s program.',
    codes: plainCodes,
  }],
  ["splogger", { usage: ["[ tag [ facility ] ]"], codes: plainCodes }],
  ["qmail-newu", {
    usage: [""],
    about: "At once, and for deliveries from now on.",
    codes: "0 done, 111 trouble: the old users/cdb is still in force",
  }],
  ["qmail-pw2u", {
    usage: ["[ -/ohHuUC ] [ -c char ]"],
    about: "Reads passwd(5) on standard input, and users/include, exclude, mailnames, subusers and append.",
  }],
  ["qmail-getpw", {
    usage: ["local"],
    about: "Prints user, uid, gid, home, dash and extension, each with NUL behind it.",
    codes:
      "0 done, 100 called wrongly, 111 surprise, 115 a home cannot be looked at, 116 no account alias, 118 no /etc/passwd",
  }],
  ["qmail-newmrh", { usage: [""], codes: "0 done, 111 trouble: the old file is still in force" }],
  ["datemail", { usage: ["[ sendmail's words ]"], codes: "sendmail's" }],
  ["mailq", { usage: [""], codes: "sendmail's" }],
  ["elq", { usage: ["[ elm's words ]"], codes: "elm's" }],
  ["pinq", { usage: ["[ pine's words ]"], codes: "pine's" }],
  ["qail", { usage: ["[ Mail's words ]"], codes: "Mail's" }],
]);
