/** Overviews of who may do what: security, filters, TLS. Lists come from the manifests and the schema. @module */
import { manifests } from "../../../config/manifests.ts";
import { type ControlFile, schema } from "../../../config/schema.ts";
import { filterNames } from "../../../components/lib/filters/chain.ts";
import { lines, list, type Page, part, text } from "../page.ts";

/** What of these control files is the first sentence of their meaning. */
function meanings(files: readonly ControlFile[]): readonly (readonly [string, string])[] {
  return files.map((
    file,
  ) => [file, /^.*?[.:](?= |$)/s.exec(schema[file].doc)?.[0].replace(/:$/, ".") ?? schema[file].doc]);
}

export function securityTopic(): Page {
  return {
    name: "dqmail-security",
    section: 7,
    does: "what each process may touch, and why",
    parts: [
      ...part(
        "THE GRANT RULE",
        text(
          "Every component is a process of its own with a list of paths, addresses and programs that it may touch: deno refuses everything else. Who speaks with the network may write no file, run nothing, and read only its own control files. Who may write mail or run programs cannot reach the network. Only the supervisor decides what a process may do. A control file that would break the rule stops the start.",
        ),
        text(
          "Started by root, each component also runs as an account of its own (qmaild, qmailq, qmails and so on), and none that meets the network keeps uid 0.",
        ),
      ),
      ...part("PROCESSES", list(manifests.map(({ name, account, job }) => [name, `${job}; as ${account}`]))),
      ...part(
        "LOOKING",
        lines(
          "dqmail grants             what each process may touch here, and whether the rule holds",
          "dqmail status             who runs, as whom, with which rights",
          "dqmail explain ...        what a client would be answered, and by which rule",
        ),
      ),
      ...part(
        "WHO MAY SEND",
        text(
          "Nobody relays but clients of control/relayclients and who has logged in on a listener of submission. Passwords go over TLS alone. Guessing costs time, then a lock-out. Strangers' mail is accepted for control/rcpthosts only.",
        ),
      ),
      ...part("SECRETS", list(meanings(secretControls()))),
    ],
    seeAlso: ["tls", "filters", "supervisor", "policy", "relayclients", "smtpauth"],
  };
}

function secretControls(): ControlFile[] {
  return (Object.keys(schema) as ControlFile[]).filter((file) => "shown" in schema[file]);
}

export function filtersTopic(): Page {
  const jobs = manifests.filter(({ name }) => ([...filterNames, "hooks"] as readonly string[]).includes(name));
  return {
    name: "dqmail-filters",
    section: 7,
    does: "who looks at mail on its way into the queue",
    parts: [
      ...part(
        "DESCRIPTION",
        text(
          "control/filters names filters by the way mail comes in, a line for each: smtp, submission, submissions, lmtp, qmtp, qmqp, local, forward. Each filter is a process of its own that takes a message as qmail-queue does and hands it on to the one behind it. A message is its sender's until the last has answered: whatever dies on the way, the client hears 451.",
        ),
        text(
          "=pass or =451 behind a name says what happens while that one hangs or dies. An absolute path names a program of yours, a wrapper of qmail-queue.",
        ),
      ),
      ...part("FILTERS", list(jobs.map(({ name, job }) => [name, job]))),
      ...part(
        "EXAMPLES",
        lines(
          'dqmail config set filters "smtp: verify rspamd=pass" "submission: sign" "local: sign" --reload',
          "dqmail dkim keygen example.org",
          "dqmail config set rspamd 127.0.0.1:11333 --reload",
        ),
      ),
      ...part(
        "CONTROL FILES",
        list(
          meanings([
            "filters",
            "filterbytes",
            "dmarc",
            "dkim",
            "arcseal",
            "rspamd",
            "clamd",
            "milters",
            "customfilter",
          ]),
        ),
      ),
    ],
    seeAlso: ["verify", "sign", "rspamd", "clamd", "milter", "custom", "hooks"],
  };
}

export function tlsTopic(): Page {
  return {
    name: "dqmail-tls",
    section: 7,
    does: "certificates, and which TLS other servers must have",
    parts: [
      ...part(
        "AS A SERVER",
        text(
          "TLS is on offer where control/servercert.pem is: certificate, chain and key in one file, or the key in control/serverkey.pem. control/servercerts/NAME/ has the same for clients that ask for NAME. A new home has a certificate of its own making. qmail-smtpd's group has to be able to read the files (root:nofiles, 0640).",
        ),
        text('After a renewal "dqmail reload" brings the new one into force; connections stay.'),
      ),
      ...part(
        "AS A CLIENT",
        text(
          "Mail goes over TLS wherever it is offered. DANE (TLSA records of a signed zone) and MTA-STS (control/mtasts) of the recipient's domain make it mandatory and proved. control/tlsdestinations says otherwise for a domain. The log says of each delivery which TLS it had and who demanded it.",
        ),
        text(
          "DANE needs a validating resolver on this machine. A forwarder at a loopback address that does not validate passes on what others say: set control/trustad to 0 there.",
        ),
      ),
      ...part(
        "EXAMPLES",
        lines(
          'dqmail config set tlsdestinations "example.org:verify" "old.example:none" --reload',
          "dqmail config set tlsrpt 1 --reload",
          "dqmail doctor example.org",
        ),
      ),
      ...part(
        "CONTROL FILES",
        list(
          meanings(
            ["clientca.pem", "tlsdestinations", "tlsclientca", "mtasts", "trustad", "tlsrpt", "tlsserverciphers"]
              .filter((
                file,
              ): file is ControlFile => file in schema),
          ),
        ),
      ),
    ],
    seeAlso: ["tlsdestinations", "mtasts", "qmail-remote", "mta-sts", "tlsrpt"],
  };
}
