/**
 * Commands that start it, stop it, and say how it is.
 * @module
 */
import { type Command, homeOption, jsonOption } from "../command.ts";

export const running: readonly Command[] = [
  {
    name: "start",
    mostWords: 0,
    does: "makes the home where it is missing, and starts everything",
    usage: ["[--home DIR] [--port-offset N] [--json] [--staged DIR] [--sources] [--binaries DIR] [--audit DIR]"],
    about: [
      'Makes the home where it is missing, starts the supervisor, which starts all the others, and says which ports they listen on. Ctrl-C stops it in order; "dqmail reload" makes it read its control files again.',
    ],
    options: [
      { ...homeOption, does: "where everything lies; default var" },
      {
        name: "port-offset",
        value: "N",
        does: "added to every port, so that several can run side by side; default 0",
      },
      { name: "json", does: "the log (standard error) is made of JSON objects, one a line" },
      {
        name: "staged",
        value: "DIR",
        takes: "folder",
        does:
          "deno, packages and code that the processes run from lie there, for several homes to share (absolute path); default libexec in the home",
      },
      {
        name: "sources",
        does:
          "the processes run from the sources, not from bundles made of them: for work on the code; they take 2 to 4 MiB more each",
      },
      {
        name: "binaries",
        value: "DIR",
        takes: "folder",
        does:
          'what "dqmail compile" made for this home: its programs run without deno, each until its grant is another one',
      },
      {
        name: "audit",
        value: "DIR",
        takes: "folder",
        does: "records every permission check of every component there (absolute path)",
      },
    ],
    examples: [
      { line: "dqmail start" },
      { line: "dqmail start --home /var/lib/dqmail/second --port-offset 100 --json 2>log" },
    ],
    codes: [[0, "stopped"], [100, "wrong usage, or a malformed control file"], [111, "it could not start"]],
    hasHome: true,
  },
  {
    name: "stop",
    mostWords: 0,
    does: "stops it in order, and waits for the end",
    usage: ["[--home DIR] [--wait SECONDS] [--json]"],
    about: [
      "Asks the supervisor of the dqmail in DIR to stop: first what lets mail in, last what the others need to finish. Mail that waits stays in the queue for the next start. For root, and for the user who started it.",
    ],
    options: [
      homeOption,
      { name: "wait", value: "SECONDS", does: "how long to wait for the end; default 30, 0: not at all" },
      jsonOption,
    ],
    examples: [{ line: "dqmail stop" }, { line: "dqmail stop --home /var/lib/dqmail/second --wait 60" }],
    codes: [[0, "stopped"], [1, "nothing runs there"], [100, "wrong usage"], [111, "it has not ended in that time"]],
    hasHome: true,
  },
  {
    name: "status",
    mostWords: 0,
    does: "every process with its state, restarts, uptime, memory, ports and grant",
    usage: ["[--home DIR] [--json]"],
    about: [
      "Shows every component of the dqmail in DIR (default var). Memory is the proportional share (PSS) where it can be read.",
    ],
    options: [homeOption, jsonOption],
    examples: [{ line: "dqmail status" }, { line: "dqmail status --json | jq '.components[] | [.name, .restarts]'" }],
    codes: [[0, "it runs"], [1, "nothing runs there"], [100, "wrong usage"]],
    hasHome: true,
  },
  {
    name: "reload",
    mostWords: 0,
    does: "has the control files and certificates read again",
    usage: ["[--home DIR] [--json]"],
    about: [
      "Has the dqmail in DIR read its control files and certificates again; connections stay. Components whose grant changes with them are restarted. Where a control file is malformed nothing changes, and the message names the file, the value and what was expected.",
    ],
    options: [homeOption, jsonOption],
    examples: [{ line: "dqmail reload" }, {
      line: "dqmail config check && dqmail reload",
      does: "what certbot's or lego's hook may run after a renewal",
    }],
    codes: [[0, "reloaded"], [1, "nothing of yours runs there"], [
      100,
      "not reloaded, for something is malformed; or wrong usage",
    ]],
    hasHome: true,
  },
  {
    name: "upgrade",
    mostWords: 0,
    does: "puts this version's code in the place of the one that runs, while mail goes on",
    usage: ["[--home DIR] [--sources] [--json]"],
    about: [
      "Has every process of the dqmail in DIR replaced by one of this version, the supervisor included. Servers are ready before their predecessors leave, so that no port is closed; a client in the middle of a message may finish it, the others are told to come again (421). Where one does not become ready everything goes back to the version that ran. Run it with the new checkout (or its bundles).",
    ],
    options: [homeOption, { name: "sources", does: "see start" }, jsonOption],
    examples: [{ line: "dqmail upgrade" }, {
      line: "git pull && deno task upgrade --home /var/lib/dqmail/second",
      does: "in the checkout",
    }],
    codes: [[0, "upgraded"], [1, "nothing runs there"], [
      100,
      "wrong usage, a malformed control file, or a version that cannot hand over",
    ], [111, "not upgraded: the version that ran goes on"]],
    hasHome: true,
  },
  {
    name: "grants",
    mostWords: 0,
    does: "what every process may touch",
    usage: ["[--home DIR] [--port-offset N] [--json]"],
    about: [
      "Prints every component's permissions, from the manifests and the control files in DIR, or those of a new home where there is none.",
    ],
    options: [
      homeOption,
      { name: "port-offset", value: "N", does: "as at the start; default 0" },
      jsonOption,
    ],
    examples: [{ line: "dqmail grants" }, { line: "dqmail grants --json | jq '.[] | [.name, .rights.net]'" }],
    codes: [[0, "they keep the grant rule"], [1, "they break it"], [100, "a malformed control file, or wrong usage"]],
    hasHome: true,
  },
  {
    name: "admin",
    does: "the token that the admin page asks for",
    usage: ["token [--new] [--home DIR] [--json]"],
    about: [
      "Tells whether the admin page of the dqmail in DIR (default var) has a token, what logs in to it and to its API. The token itself is known to nobody but who wrote it down: control/admintoken keeps only a hash of it, and the first start prints it once.",
    ],
    options: [
      {
        name: "new",
        of: ["token"],
        does:
          "makes another token and prints it; the old one is good for nothing any more, and who is logged in has to log in again",
      },
      homeOption,
      jsonOption,
    ],
    words: [{ name: "token", does: "whether there is a token; with --new, a new one" }],
    examples: [
      { line: "dqmail admin token --new" },
      {
        line: 'curl -H "Authorization: Bearer TOKEN" http://127.0.0.1:8025/api/v1/status',
        does: "with the token that was printed",
      },
    ],
    codes: [[0, "done"], [100, "wrong usage, or nothing to do it to"]],
    hasHome: true,
  },
];
