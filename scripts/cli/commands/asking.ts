/**
 * Commands that find something out.
 * @module
 */
import { entrances } from "../../../components/lib/policy/decision.ts";
import { type Command, homeOption, jsonOption } from "../command.ts";

export const asking: readonly Command[] = [
  {
    name: "explain",
    mostWords: 0,
    does: "what the server would answer a client, and by which rule",
    usage: [
      "--from ADDRESS --to ADDRESS --ip ADDRESS [--helo NAME] [--entrance WAY] [--login NAME] [--home DIR] [--json]",
    ],
    about: [
      'Says what the dqmail in DIR (default var) would answer to that client\'s MAIL and RCPT, and by which rule of control/policy. Reads the control files, and asks qmail-getpw and the resolver where they run. Nothing is sent, counted or kept. --from "" is the null sender.',
    ],
    options: [
      { name: "from", value: "ADDRESS", does: "the envelope sender" },
      { name: "to", value: "ADDRESS", does: "the recipient" },
      { name: "ip", value: "ADDRESS", does: "the client's address" },
      { name: "helo", value: "NAME", does: "what it says in EHLO; default client.example" },
      { name: "entrance", value: "WAY", takes: entrances, does: "the listener it comes to; default smtp" },
      { name: "login", value: "NAME", does: "it has logged in so" },
      homeOption,
      jsonOption,
    ],
    examples: [
      { line: "dqmail explain --from amy@example.org --to demo@localhost --ip 192.0.2.1" },
      {
        line:
          "dqmail explain --from demo@localhost --to amy@example.org --ip 192.0.2.1 --entrance submission --login demo@localhost",
      },
    ],
    codes: [[0, "accepted"], [1, "refused"], [100, "wrong usage"], [
      111,
      "it cannot be said: somebody could not be asked",
    ]],
    hasHome: true,
  },
  {
    name: "doctor",
    mostWords: 1,
    does: "what the DNS says about a domain, and what is missing there",
    usage: ["DOMAIN [--home DIR] [--ip ADDRESS[,ADDRESS]] [--no-fetch] [--json]"],
    about: [
      "Asks the DNS what is published about DOMAIN (MX and their addresses, SPF, DKIM, DMARC, MTA-STS, TLS-RPT, TLSA) and about the addresses that mail leaves from (PTR), and holds it against the control files, keys and certificate of the dqmail in DIR (default var). Missing records are printed as lines for a zone file.",
    ],
    options: [
      {
        name: "ip",
        value: "ADDRESS",
        does:
          "mail leaves from it; default: those of control/domainips and outgoingip, else the public ones of this machine, else what the DNS has for control/me",
      },
      { name: "no-fetch", does: "does not fetch the MTA-STS policy (over https)" },
      homeOption,
      jsonOption,
    ],
    examples: [{ line: "dqmail doctor example.org" }, {
      line: "dqmail doctor example.org --ip 203.0.113.5 --no-fetch",
    }],
    codes: [[0, "all is good"], [1, "there is something to do"], [100, "wrong usage"], [
      111,
      "nothing to do that is known, but not all could be asked",
    ]],
    hasHome: true,
  },
  {
    name: "bench",
    does: "measure: messages a second, processor time, latencies",
    usage: ["accept|local|relay|bulk|rows|compare|idle|start|growth|backlog|fairness [OPTION...]"],
    about: [
      '"dqmail bench --help" lists the options. A private dqmail is started in a temporary folder, or --against names a server that runs.',
    ],
    options: [jsonOption],
    words: [
      { name: "accept", does: "until the last 250" },
      { name: "local", does: "until the last message is in its Maildir" },
      { name: "relay", does: "until the sink has got every message" },
      { name: "bulk", does: "one message with many recipients" },
      { name: "rows", does: "everything that the table of goals has" },
      { name: "compare", does: "the same beside Postfix, OpenSMTPD and Exim, with the ratios" },
      { name: "idle", does: "memory at rest and with many connections" },
      { name: "start", does: "until the first 220" },
      { name: "growth", does: "what a message costs while something grows" },
      { name: "backlog", does: "a queue in which many messages wait" },
      { name: "fairness", does: "how long a fresh message takes while others are many, slow or stuck" },
    ],
    examples: [{ line: "dqmail bench accept" }, { line: "dqmail bench relay --json > relay.json" }],
    codes: [[0, "measured"], [1, "a run was not complete"], [2, "wrong usage"], [111, "it could not measure"], [
      130,
      "interrupted",
    ]],
    hasHome: false,
  },
  {
    name: "help",
    does: "manual pages: commands, components, control files, programs, topics",
    usage: ["[TOPIC...] [--man] [--list] [--json]"],
    about: [
      "Prints the manual page of each TOPIC: a command, a component, a control file, a program of bin/, or one of queue, log, security, filters, tls, from-qmail, from-postfix, upgrading, exit-codes. Where a name means several things all pages are printed; command/NAME, component/NAME, control/NAME, bin/NAME and topic/NAME mean one. Without a topic it lists the commands.",
    ],
    arguments: "topics",
    options: [
      { name: "man", does: "prints the page as roff, for man(1)" },
      { name: "list", does: "lists every topic" },
      jsonOption,
    ],
    examples: [
      { line: "dqmail help from-postfix" },
      { line: "dqmail help databytes" },
      { line: "dqmail help --man qmail-send | man -l -" },
    ],
    codes: [[0, "printed"], [100, "there is no such topic"]],
    hasHome: false,
    noTask: true,
  },
  {
    name: "completion",
    does: "completion for bash, zsh or fish",
    usage: ["bash|zsh|fish"],
    about: ["Prints a script that has the shell complete commands, options, control files and topics."],
    words: [
      { name: "bash", does: "for bash" },
      { name: "zsh", does: "for zsh" },
      { name: "fish", does: "for fish" },
    ],
    options: [],
    examples: [
      { line: 'eval "$(dqmail completion bash)"', does: "in ~/.bashrc" },
      { line: "dqmail completion zsh > ~/.zfunc/_dqmail", does: "in a folder of zsh's fpath" },
      { line: "dqmail completion fish > ~/.config/fish/completions/dqmail.fish" },
    ],
    codes: [[0, "printed"], [100, "wrong usage"]],
    hasHome: false,
    noTask: true,
  },
  {
    name: "version",
    mostWords: 0,
    does: "the version of dqmail, and of what it runs on",
    usage: ["[--json]"],
    about: ["Prints the version of dqmail, of deno and of V8."],
    options: [jsonOption],
    examples: [{ line: "dqmail version --json" }],
    codes: [[0, "printed"], [100, "wrong usage"]],
    hasHome: false,
    noTask: true,
  },
];
