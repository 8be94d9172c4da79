/** Overviews for those who come from elsewhere, or from an earlier version. @module */
import { lines, list, type Page, part, text } from "../page.ts";

export const fromQmailTopic: Page = {
  name: "dqmail-from-qmail",
  section: 7,
  does: "taking over from qmail, netqmail or notqmail",
  parts: [
    ...part(
      "WHAT STAYS",
      text(
        'control/, users/, alias/, the .qmail files in people\'s homes, Maildirs and mbox files, the queue with what waits in it, the log lines, the programs of bin/ with their options and exit codes. What an original qmail wrote into the queue is delivered, and what is left after "dqmail queue drain" qmail could go on with.',
      ),
    ),
    ...part(
      "STEPS",
      lines(
        "dqmail install --prefix /var/qmail --dry-run   says what would change, file by file",
        "# stop qmail-send, qmail-smtpd, qmail-pop3d and all that runs qmail-queue",
        "dqmail install --prefix /var/qmail",
        "dqmail config check --home /var/qmail",
        'dqmail start --home /var/qmail                 or the units of "dqmail units"',
        "dqmail send you@your.domain --home /var/qmail --text Hello",
      ),
      text("And back:"),
      lines("dqmail stop --home /var/qmail", "dqmail install --prefix /var/qmail --rollback"),
    ),
    ...part(
      "WHAT IS ANOTHER",
      list([
        [
          "tcpserver, tcprules",
          "control/listeners says where to listen; rules are read from control/tcp.smtp or tcp.smtp.cdb",
        ],
        ["supervise, svscan", '"dqmail start", or systemd units'],
        ["multilog", "the component multilog keeps log/"],
        ["RELAYCLIENT", "control/relayclients, or the rules of tcp.smtp"],
        ["rcpthosts absent", "means that no stranger's mail is taken, not that all is"],
        [
          "accounts of the system",
          "get mail where control/systemusers is 1 (taking over sets it) and their homes lie in control/userhomes",
        ],
        ["checkpassword", 'control/checkpassword names it; users/passwd and "dqmail user" need none'],
        [
          "SMTP AUTH, TLS, SPF, DKIM patches",
          "built in: submission in control/listeners, control/servercert.pem, control/filters",
        ],
        [
          "qmail-scanner, simscan",
          "filters: rspamd, clamd, milter, or the wrapper itself by its path in control/filters",
        ],
      ]),
    ),
  ],
  seeAlso: ["install", "queue", "filters", "systemusers", "listeners", "upgrading"],
};

export const fromPostfixTopic: Page = {
  name: "dqmail-from-postfix",
  section: 7,
  does: "what stands where, for those who know Postfix",
  parts: [
    ...part(
      "SETTINGS",
      list([
        [
          "main.cf, postconf",
          'one file for each setting below control/; "dqmail config show --set", "dqmail config set FILE VALUE"',
        ],
        ["myhostname", "control/me"],
        ["mydestination", 'control/locals and control/rcpthosts; "dqmail user add" writes both'],
        ["virtual_mailbox_domains, _maps", 'users/passwd: "dqmail user add amy@example.org"'],
        [
          "virtual_alias_maps, aliases",
          ".qmail files: alias/.qmail-NAME has a line &address; bin/fastforward for tables, /etc/aliases by bin/newaliases",
        ],
        ["relay_domains", "control/rcpthosts, and a route in control/smtproutes"],
        ["mynetworks", "control/relayclients"],
        [
          "relayhost, transport_maps",
          'control/smtproutes: ":relay.example:587 user password", "example.org:relay.example"',
        ],
        ["sender_dependent_relayhost_maps", "control/authsenders"],
        ["smtp_tls_policy_maps", "control/tlsdestinations"],
        ["smtpd_tls_cert_file, _key_file", "control/servercert.pem, control/serverkey.pem"],
        ["smtpd_sasl_auth_enable", "a listener of submission or submissions; control/smtpauth"],
        ["message_size_limit", "control/databytes"],
        ["maximal_queue_lifetime", "control/queuelifetime (seconds)"],
        [
          "smtpd_recipient_restrictions",
          'control/policy and the files of its rules; "dqmail explain" shows how they answer',
        ],
        ["postgrey, policyd", "control/greylist, control/ratelimits"],
        ["smtpd_milters, content_filter", "control/filters with milter, rspamd, clamd or a program; control/milters"],
        ["mailbox_transport = lmtp:...", "control/defaultdelivery: lmtp:/path/of/socket"],
        [
          "default_process_limit, destination limits",
          "control/concurrencyremote, concurrencylocal, concurrencyincoming, shaping",
        ],
        ["bounce templates, delay_warning_time", "control/bounceformat, delaywarnseconds"],
      ]),
    ),
    ...part(
      "COMMANDS",
      list([
        ["postfix start, stop, reload, check", "dqmail start, stop, reload, config check"],
        ["postqueue -p, mailq", "dqmail queue list; bin/mailq"],
        ["postqueue -f", "dqmail queue retry --all"],
        ["postqueue -s SITE", "dqmail queue retry --to DOMAIN"],
        ["postsuper -d ID, -h ID, -H ID", "dqmail queue delete, hold, release ID"],
        ["postcat -q ID", "dqmail queue show ID"],
        ["qshape", "dqmail queue destinations"],
        ["grep in mail.log", "dqmail trace ID, dqmail trace ADDRESS"],
        ["sendmail", "bin/sendmail; link /usr/sbin/sendmail to it"],
      ]),
    ),
    ...part(
      "THE CHANGE",
      text(
        'Let Postfix finish its queue first ("postqueue -f", wait, "postqueue -p"): its queue files are of another kind. Then stop it, let dqmail listen at its ports (control/listeners), and link /usr/sbin/sendmail.',
      ),
      lines(
        "dqmail start --home /var/lib/dqmail --port-offset 1000      # beside Postfix, for a try",
        'dqmail config set listeners "smtp 0.0.0.0:25" "submission 0.0.0.0:587" "admin 127.0.0.1:8025" --home /var/lib/dqmail',
        "dqmail doctor example.org --home /var/lib/dqmail",
      ),
    ),
  ],
  seeAlso: ["config", "user", "listeners", "policy", "filters", "smtproutes"],
};

export const upgradingTopic: Page = {
  name: "dqmail-upgrading",
  section: 7,
  does: "new code, new settings, new certificates, and nothing lost",
  parts: [
    ...part(
      "SETTINGS AND CERTIFICATES",
      text(
        '"dqmail reload" has them read again. Components whose rights change with them are restarted, each after what it has under way; the others go on with their connections. A malformed file changes nothing: the message names it.',
      ),
      lines("dqmail config check && dqmail reload"),
    ),
    ...part(
      "NEW CODE",
      text(
        '"dqmail upgrade", said in the new checkout, replaces every process while mail goes on: a server\'s successor listens before the server stops, sessions end with 421 between two commands, and what does not come up is rolled back. Set net.ipv4.tcp_migrate_req=1 (Linux 5.14), so that a connection that comes in that very instant is handed to the successor; otherwise it is reset, and comes again. Only the small process "dqmail start" stays the old one.',
      ),
      lines("git pull && deno task upgrade --home /var/qmail"),
      text(
        "Or stop and start: a stop lets deliveries that run come to their end, closes connections at the next command with 421, and leaves in the queue what waits. Clients of that moment try again, as for any 421. What was answered 250 is on stable storage and is delivered after the start.",
      ),
      lines("dqmail version", "dqmail stop && dqmail start", "dqmail status && dqmail queue check"),
      text("The CHANGELOG says which version changes the queue or a control file, and what is to be done then."),
    ),
    ...part(
      "BACK",
      text(
        'An earlier version takes the queue as it is, unless the CHANGELOG says otherwise. For qmail itself: stop, "dqmail queue drain", start qmail.',
      ),
    ),
  ],
  seeAlso: ["reload", "stop", "start", "from-qmail", "queue"],
};
