import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ipFromOctets } from "../../../config/ip/address.ts";
import { formatIp } from "../../../config/ip/format_ip.ts";
import { parseIp } from "../../../config/ip/parse_ip.ts";
import { parseTcpSmtp, parseTcpSmtpCdb, tcpRulesOf } from "../../../components/lib/tcprules/control_files.ts";
import { parseRules } from "../../../components/lib/tcprules/parse_rules.ts";
import { lookupKeys, type Peer, TcpRules } from "../../../components/lib/tcprules/tcp_rules.ts";

function rulesOf(text: string): TcpRules {
  const rules = parseRules(text);
  assert(rules.ok, rules.ok ? "" : rules.error);
  return new TcpRules(rules.value);
}

describe("lookupKeys()", () => {
  const table: readonly { readonly peer: Peer; readonly want: readonly string[] }[] = [
    { peer: { ip: "1.2.3.4" }, want: ["1.2.3.4", "1.2.3.", "1.2.", "1.", ""] },
    {
      peer: { ip: "1.2.3.4", host: "A.B.Example", info: "joe" },
      want: [
        ...["joe@1.2.3.4", "joe@=a.b.example", "1.2.3.4", "=a.b.example", "1.2.3.", "1.2.", "1."],
        ...["=.b.example", "=.example", "=", ""],
      ],
    },
    { peer: { ip: "1.2.3.4", host: "localhost" }, want: ["1.2.3.4", "=localhost", "1.2.3.", "1.2.", "1.", "=", ""] },
    { peer: { ip: "::ffff:1.2.3.4" }, want: ["1.2.3.4", "1.2.3.", "1.2.", "1.", ""] },
    { peer: { ip: "2001:DB8:0::1" }, want: ["2001:db8::1", "2001:db8::/64", "2001:db8::/32", ""] },
    { peer: { ip: "unknown" }, want: ["unknown", ""] },
  ];
  for (const { peer, want } of table) {
    it(`goes from the closest to the widest for ${JSON.stringify(peer)}`, () =>
      assertEquals([...lookupKeys(peer, [64, 32])], [...want]));
  }
});

/** The rules of ucspi-tcp's own description of the order, each with its own name for a value. */
const inOrder = [
  "joe@127.0.0.1",
  "joe@=a.b.example",
  "127.0.0.1",
  "=a.b.example",
  "127.0.0.",
  "127.0.",
  "127.",
  "=.b.example",
  "=.example",
  "=",
  "",
];

describe("TcpRules", () => {
  it("takes the closest of the rules there are, whatever their order in the file", () => {
    for (let from = 0; from < inOrder.length; from++) {
      const rest = inOrder.slice(from);
      for (const some of [rest, rest.toReversed()]) {
        const rules = rulesOf(some.map((address) => `${address}:allow,R="${address}"\n`).join(""));
        const found = rules.find({ ip: "127.0.0.1", host: "A.b.example", info: "joe" });
        assertEquals(found?.rule.variables[0]?.[1], rest[0]);
      }
    }
  });

  const typical = `# mine
127.:allow,RELAYCLIENT=""
10.0.0.7:deny
10.0.0.0/8:allow,RELAYCLIENT="@gateway",DATABYTES="0"
=.spam.example:deny
joe@192.0.2.1:deny
2001:db8::/32:allow,RELAYCLIENT=""
2001:db8:bad::/48:deny
192.0.2.:allow,A="1",A="2"
`;
  const table: readonly { readonly ip: string; readonly host?: string; readonly want: string }[] = [
    { ip: "127.0.0.1", want: "RELAYCLIENT=" },
    { ip: "::ffff:127.0.0.1", want: "RELAYCLIENT=" },
    { ip: "10.0.0.7", want: "deny" },
    { ip: "10.200.0.7", want: "RELAYCLIENT=@gateway DATABYTES=0" },
    { ip: "198.51.100.1", want: "" },
    { ip: "198.51.100.1", host: "a.SPAM.example", want: "deny" },
    { ip: "198.51.100.1", host: "spam.example", want: "" },
    { ip: "10.200.0.7", host: "a.spam.example", want: "RELAYCLIENT=@gateway DATABYTES=0" },
    { ip: "192.0.2.1", want: "A=2" },
    { ip: "2001:db8:1::1", want: "RELAYCLIENT=" },
    { ip: "2001:db8:bad:1::1", want: "deny" },
    { ip: "2001:db9::1", want: "" },
    { ip: "unknown", want: "" },
  ];
  for (const { ip, host, want } of table) {
    it(`says ${JSON.stringify(want)} of ${ip} ${host ?? ""}`, () => {
      const admission = rulesOf(typical).environmentFor(ip, host);
      const said = admission.kind === "deny"
        ? "deny"
        : Array.from(admission.environment, ([name, value]) => `${name}=${value}`).join(" ");
      assertEquals(said, want);
    });
  }

  it("knows whether a name in the DNS could decide anything", () => {
    assertEquals([rulesOf(":deny").needsHost, rulesOf("=:deny").needsHost], [false, true]);
  });

  it("lists every value a variable may get", () => {
    const rules = rulesOf('1.2.3.4:allow,Q="a",Q="b"\n5.:deny,Q="c"\n1.2.3.4:allow,Q="d"\n:allow,R="e"');
    assertEquals([...rules.valuesOf("Q")], ["a", "b", "c"]);
  });

  it("decides by a network as arithmetic on addresses does", () => {
    const v4 = fc.tuple(...Array.from({ length: 4 }, () => fc.nat(255))).map((parts) => parts.join("."));
    const v6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((octets) =>
      formatIp(ipFromOctets([0x20, ...octets.subarray(1)])!)
    );
    for (const [address, most] of [[v4, 32], [v6, 128]] as const) {
      fc.assert(fc.property(address, fc.nat(most), fc.nat(most - 1), fc.boolean(), (base, bits, flipped, far) => {
        const octets = [...parseIp(base)!.octets];
        if (far) octets[flipped >> 3]! ^= 128 >> (flipped & 7);
        const ip = formatIp(ipFromOctets(octets)!);
        const inside = !far || flipped >= bits;
        return rulesOf(`${base}/${bits}:deny`).environmentFor(ip).kind === (inside ? "deny" : "allow");
      }));
    }
  });
});

describe("the control files", () => {
  it("have to give the server's own variables values it can use", () => {
    const good = ['QMAILQUEUE="bin/qmail-queue"', 'RCPTCHECK="/usr/local/bin/check"', 'DATABYTES="0"', 'QMAILQUEUE=""'];
    for (const text of good) assert(parseTcpSmtp(`:allow,${text}`).ok, text);
    const bad = ['QMAILQUEUE="/a b"', 'RCPTCHECK="../x"', 'DATABYTES="10MB"', 'QMAILQUEUE="/a=b"', 'RCPTCHECK="/a,b"'];
    for (const text of bad) assert(!parseTcpSmtp(`:allow,${text}`).ok, text);
    assert(!parseTcpSmtpCdb("no cdb file").ok);
  });

  it("are the text where it is there, else what was made of it", () => {
    const [text, cdb] = [rulesOf(":deny"), rulesOf(":allow")];
    assertEquals(tcpRulesOf({ "tcp.smtp": text, "tcp.smtp.cdb": cdb }), text);
    assertEquals(tcpRulesOf({ "tcp.smtp": "absent", "tcp.smtp.cdb": cdb }), cdb);
    assertEquals(tcpRulesOf({ "tcp.smtp": "absent", "tcp.smtp.cdb": "absent" }), undefined);
  });
});
