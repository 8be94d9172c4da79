import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { readLauncher } from "../../../scripts/install/launchers.ts";
import { shellCommands } from "../../../scripts/install/shell_words.ts";

describe("shellCommands()", () => {
  const rows = [
    { text: "a b\nc", want: [["a", "b"], ["c"]] },
    { text: 'a \'b c\' "d \\"e\\"" f\\ g', want: [["a", "b c", 'd "e"', "f g"]] },
    { text: "a \\\n b # not this\nc#d", want: [["a", "b"], ["c#d"]] },
    { text: "a; b && c | d", want: [["a"], ["b"], ["c"], ["d"]] },
    { text: 'a "`cat control/x`" `date`', want: [["a", "`cat control/x`", "`date`"]] },
    { text: "a '' \"\"", want: [["a", "", ""]] },
    { text: "a 'unfinished\nb", want: [["a", "unfinished\nb"]] },
    { text: "", want: [] },
  ];
  for (const { text, want } of rows) {
    it(`reads ${JSON.stringify(text)}`, () => assertEquals(shellCommands(text), want));
  }

  it("ends, whatever the text is", () => {
    const chars = fc.constantFrom("a", " ", "\n", "'", '"', "`", "\\", "#", ";", "|", "$");
    fc.assert(fc.property(fc.array(chars, { maxLength: 40 }), (parts) => {
      readLauncher(parts.join(""));
    }));
  });
});

describe("readLauncher()", () => {
  const servers = [
    {
      what: "tcpserver with its options apart and together",
      text: "exec tcpserver -vRHl0 -x /etc/tcp.smtp.cdb -c40 -u 7791 -g2107 0 smtp /var/qmail/bin/qmail-smtpd",
      want: { service: "smtp", host: "0.0.0.0", port: 25, connections: 40, rules: "/etc/tcp.smtp.cdb" },
    },
    {
      what: "variables, which nobody has set here",
      text: 'tcpserver -c "$MAX" -x "$RULES" 192.0.2.1 587 rblsmtpd -r zen.example qmail-smtpd',
      want: { service: "submission", host: "192.0.2.1", port: 587 },
    },
    {
      what: "sslserver on TLS's own port",
      text: "sslserver -e -vR -l mx.example -u 7791 :: smtps qmail-smtpd",
      want: { service: "submissions", host: "::", port: 465 },
    },
    {
      what: "sslserver that waits for STARTTLS",
      text: "sslserver -seV 0 25 qmail-smtpd",
      want: { service: "smtp", host: "0.0.0.0", port: 25 },
    },
    {
      what: "POP3",
      text: "tcpserver 127.0.0.1 pop3 /var/qmail/bin/qmail-popup mx.example /bin/checkpassword qmail-pop3d Maildir",
      want: { service: "pop3", host: "127.0.0.1", port: 110 },
    },
    { what: "QMTP", text: "tcpserver 0 209 qmail-qmtpd", want: { service: "qmtp", host: "0.0.0.0", port: 209 } },
    { what: "QMQP", text: "tcpserver 0 628 qmail-qmqpd", want: { service: "qmqp", host: "0.0.0.0", port: 628 } },
  ];
  for (const { what, text, want } of servers) {
    it(`finds a server: ${what}`, () => assertEquals<unknown>(readLauncher(text).servers, [want]));
  }

  it("passes over other servers, and says where a port is not to be had", () => {
    assertEquals(readLauncher("tcpserver 0 79 fingerd\n").servers, []);
    const { servers, notes } = readLauncher('tcpserver "$HOST" "$PORT" qmail-smtpd');
    assertEquals([servers.length, notes.length], [0, 1]);
  });

  const deliveries = [
    { text: "qmail-start ./Maildir/ splogger qmail &", want: "./Maildir/" },
    { text: "exec env - PATH=/x qmail-start '|preline procmail' multilog", want: "|preline procmail" },
    { text: "exec /var/qmail/bin/qmail-start", want: "./Mailbox" },
    { text: 'qmail-start "`cat /var/qmail/control/defaultdelivery`"', want: undefined },
    { text: "qmail-start '|dot-forward .forward\n./Mailbox' splogger qmail", want: "|dot-forward .forward\n./Mailbox" },
    { text: "tcpserver 0 25 qmail-smtpd", want: undefined },
  ];
  for (const { text, want } of deliveries) {
    it(`takes ${JSON.stringify(want)} as the delivery of ${JSON.stringify(text)}`, () => {
      assertEquals(readLauncher(text).defaultDelivery, want);
    });
  }

  it("says what a person has to carry over", () => {
    const { notes } = readLauncher("QMAILQUEUE=/usr/bin/simscan; export QMAILQUEUE\nexec tcpserver 0 25 qmail-smtpd\n");
    assertEquals(notes, [
      "QMAILQUEUE=/usr/bin/simscan is set there: name the program in control/filters, or in control/tcp.smtp",
    ]);
  });
});
