/**
 * What `deno task bench --help` says.
 * @module
 */

/** Usage, options, examples and exit codes. */
export const help = `Usage: deno task bench SCENARIO [OPTION...]

Scenarios, each from the first connect
  accept   until the last 250; the server keeps the mail in its queue
  local    until the last message is in its Maildir
  relay    until the sink has got every message
  bulk     one message with many recipients, until the sink has got every recipient
and, with options of their own,
  rows     everything that the table of goals has: loads, memory, start
  compare  the same beside Postfix, OpenSMTPD and Exim, which it starts; the ratios, and whether goals are met
  idle     memory at rest and with many connections that say nothing
  start    from the start's command until the first 220
  growth   what a message costs while queue, recipients, size, mailboxes or connections grow
  backlog  a queue in which many messages wait: start, scan, memory, mail meanwhile
  disk     what the disk and the runtime allow without any mail server, to hold the figures against
  fairness how long a fresh message takes while others are many, slow or stuck

Without --against a private dqmail is started in a temporary folder.

  --against HOST:PORT   load a server that runs already; 127.0.0.0/8 only
  --pid N               that server's root process, for processor time and memory
  --maildir PATTERN     its Maildirs (local); %d is the user's number
  --sink PORT           where it relays to (relay, bulk); the sink listens on 127.0.0.1:PORT
  --dir DIR             where to make the private server's home (/tmp); with --against: where its queue is, so that
                        what that file system's device flushes can be counted
  --sign                the private server signs each message, by RSA 2048 and Ed25519 (accept)
  --verify              it verifies each, which has a DKIM signature, as a stranger's (accept)
  --sessions N          connections at a time (20; bulk 1)
  --messages N          messages a run (2000; bulk 1)
  --size BYTES          of a message, header included (10240)
  --reuse               keep connections instead of one for each message
  --no-pipelining       wait for every reply even where PIPELINING is offered
  --recipients N        recipients of each message (1; bulk 10000)
  --recipient PATTERN   %n running number, %u user, %h domain number
  --users N             %u counts to N-1 (100)
  --domains N           %h counts to N-1 (1)
  --mailboxes           the recipients are mailboxes, not the sink's (bulk)
  --delay-ms N          the sink waits so long before it takes a message (0)
  --warmup N            messages sent beforehand, not measured (200; bulk 1)
  --runs N              repetitions (3)
  --limit SECONDS       longest time of one run (60)
  --settle SECONDS      longest wait for a quiet machine before a run (8)
  --syncs               one more run under strace, which counts fsync and its like; needs --pid with --against
  --json                one JSON object instead of the table
  --html FILE           a page as well: the figures, and plots of throughput and latency over time

rows, compare, idle, start
  --rows NAMES          which, with commas between them (all): accept-1k, accept, accept-kept, accept-100k, accept-1m,
                        accept-one, local, local-100, relay, relay-kept, bulk, bulk-domains, bulk-slow, bulk-local,
                        bulk-local-100, idle, start
  --peers NAMES         postfix, opensmtpd, exim (compare: all, others: none); needs root
  --programs DIR        where packages are unpacked that cannot be installed beside each other (/opt/dqmail-peers)
  --runs N              of each measurement, all servers in turn (3)
  --messages N          instead of what each load has; --recipients N the same for bulk, --warmup N
  --connections NUMBERS how many say nothing, with commas between them (500,5000); the peers get no more than 500
  --no-syncs            no run under strace
  --against HOST:PORT   instead of a private dqmail; --pid, --recipient, --maildir, --sink as above: rows for which
                        something is missing are left out
  --dir DIR, --limit SECONDS (120), --settle SECONDS, --json, --html FILE

growth
  --only NAMES          queue, recipients, size, mailboxes, connections, with commas between them (all)
  --full                the largest steps as well: 100,000 and a million messages that wait
  --most N              no step above N
  --runs N              of each step (1)
  --dir DIR, --limit SECONDS (120), --settle SECONDS, --json, --html FILE

backlog
  --messages N          that wait for their next attempt (20000); three files each
  --dir DIR             where to make the home (/tmp); it is removed afterwards
  --keep-home DIR       make the home there, an empty folder, and keep it
  --home DIR            use one that --keep-home made
  --load N              messages of one round of load (500); --sessions, --size as above
  --rounds N            rounds after the scan (3)
  --limit SECONDS       longest wait for a 220, for the scan, for an orderly end (600)
  --json

disk
  --files N             files and records of 10 KiB (4000), a tenth as many of 1 MiB; --mailboxes N (10000)
  --writers N           at a time (20)
  --runs N (3), --dir DIR, --settle SECONDS, --json

fairness
  --seconds N           how long fresh mail is sent in each situation (20)
  --every-ms N          one fresh message each (100), local and remote in turn
  --recipients N        of the large messages (100000)
  --domains N           in which the remote ones are (1000)
  --delay-ms N          the sink waits so long before it takes a message (50)
  --waiting N           messages for a host that does not answer (2000)
  --limit SECONDS       longest wait for what was sent (120)
  --dir DIR, --settle SECONDS, --json

Examples
  deno task bench accept
  deno task bench accept --sign
  deno task bench local --sessions 1 --messages 500
  deno task bench bulk --recipients 10000 --domains 1000
  deno task bench relay --json > relay.json
  deno task bench local --against 127.0.0.1:2525 --recipient 'mu%u@local.example' --maildir '/home/mu%d/Maildir'
  deno task bench relay --against 127.0.0.1:2525 --sink 2600 --pid 4711
  deno task bench backlog --messages 1000000 --keep-home /srv/million
  deno task bench backlog --home /srv/million --json
  deno task bench fairness
  deno task bench disk --dir /srv
  deno task bench accept --dir /srv --syncs --html accept.html
  deno task bench rows --rows accept,local-100,idle
  deno task bench compare --dir /srv --peers postfix --html compare.html
  deno task bench growth --only size,connections --html growth.html

Exit codes: 0 measured, 1 a run was not complete, 2 wrong usage, 111 could not measure,
130 interrupted.
`;
