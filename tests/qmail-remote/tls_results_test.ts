import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { MessageBody } from "../../components/lib/delivery/message_body.ts";
import { toOctets } from "../../components/lib/octets.ts";
import { defaultTlsWish, type TlsFlaw, tlsFlaws } from "../../components/lib/tls/client_policy.ts";
import type { RemoteRequest } from "../../components/lib/wire/delivery_protocol.ts";
import type { ResolveReply } from "../../components/lib/wire/resolver_protocol.ts";
import type { TlsrptNote } from "../../components/lib/wire/tlsrpt_protocol.ts";
import { type AttemptSurroundings, type Mail, tryHost } from "../../components/qmail-remote/next_host.ts";
import { siteOf } from "../../components/qmail-remote/site.ts";
import type { HostPolicy } from "../../components/qmail-remote/tls_policy.ts";
import { noteRefusal, noteTls, type TlsResult } from "../../components/qmail-remote/tls_results.ts";
import { type Case, decide, stsStrings } from "./support/tls_policies.ts";

const policy: HostPolicy = {
  tls: "may",
  implicit: false,
  proof: undefined,
  enforced: true,
  source: "default",
  requireTls: false,
};
const request: RemoteRequest = {
  id: 1,
  sizeBytes: 1,
  sender: "",
  recipients: ["a@d.example"],
  domain: "d.example",
  relayHost: undefined,
  port: 25,
  helo: "me.example",
  connectTimeoutMs: 1,
  timeoutMs: 1,
  privateAddresses: false,
  protocol: "smtp",
  tls: defaultTlsWish,
  mxps: false,
  ipv6: false,
  localAddresses: [],
};
const result: TlsResult = {
  host: {
    name: "mx.d.example",
    preference: 1,
    addresses: ["8.0.0.1"],
    authenticated: false,
    nameAuthenticated: false,
  },
  ip: "8.0.0.1",
  policy,
  seen: { code: 250, tls: undefined, flaw: undefined },
  request,
  localAddress: undefined,
};
const usual = { domain: "d.example", policyStrings: [], mxHost: "mx.d.example", ip: "8.0.0.1" };
const sts = { type: "sts", strings: ["version: STSv1"] } as const;

function notesOf(one: TlsResult, { isOn = true }: { isOn?: boolean } = {}): TlsrptNote[] {
  const notes: TlsrptNote[] = [];
  noteTls(one, { isOn, note: (note) => notes.push(note) });
  return notes;
}

describe("noteTls()", () => {
  const rows: readonly { readonly name: string; readonly one: TlsResult; readonly want: readonly object[] }[] = [
    { name: "no policy", one: result, want: [{ ...usual, policyType: "no-policy-found" }] },
    {
      name: "DANE, with its records and our address",
      one: {
        ...result,
        policy: { ...policy, source: "dane", published: { type: "tlsa", strings: ["3 1 1 ab"] } },
        localAddress: "192.0.2.1",
      },
      want: [{ ...usual, policyType: "tlsa", policyStrings: ["3 1 1 ab"], sendingIp: "192.0.2.1" }],
    },
    {
      name: "MTA-STS, with its lines, and what was wrong with it",
      one: { ...result, policy: { ...policy, source: "sts", published: sts, flaw: "validation-failure" } },
      want: [{ ...usual, policyType: "sts", policyStrings: ["version: STSv1"], flaw: "validation-failure" }],
    },
    {
      name: "what was wrong with the handshake before what was wrong with the policy",
      one: {
        ...result,
        policy: { ...policy, flaw: "validation-failure" },
        seen: { ...result.seen, flaw: "certificate-expired" },
      },
      want: [{ ...usual, policyType: "no-policy-found", flaw: "certificate-expired" }],
    },
    {
      name: "no policy of the domain's where the operator has written down an authority",
      one: {
        ...result,
        policy: {
          ...policy,
          source: "tlsdestinations",
          proof: { kind: "dane", records: [{ usage: 2, selector: 0, matching: 1, data: "ab" }], names: [] },
        },
      },
      want: [{ ...usual, policyType: "no-policy-found" }],
    },
    {
      name: "a domain in A-labels",
      one: { ...result, request: { ...request, domain: "b\xc3\xbccher.example" } },
      want: [{ ...usual, domain: "xn--bcher-kva.example", policyType: "no-policy-found" }],
    },
    { name: "nothing of a relay", one: { ...result, request: { ...request, relayHost: "r.example" } }, want: [] },
    { name: "nothing of an address", one: { ...result, request: { ...request, domain: "[8.0.0.1]" } }, want: [] },
    { name: "nothing where TLS was not wanted", one: { ...result, policy: { ...policy, tls: "none" } }, want: [] },
  ];
  for (const { name, one, want } of rows) {
    it(`tells ${name}`, () => assertEquals(notesOf(one), want as TlsrptNote[]));
  }

  it("tells nobody where nobody counts", () => assertEquals(notesOf(result, { isOn: false }), []));
});

describe("what goes wrong before a handshake", () => {
  const signed = { authenticated: true };
  const data = "ab".repeat(32);
  const tlsa = (status: ResolveReply["status"], ...values: readonly string[]): ResolveReply => {
    return { status, authenticated: status !== "temporary", records: values.map((value) => ({ value })) };
  };
  const unusable = tlsa("ok", `1 0 1 ${data}`);
  const dane = { level: "dane" } as const;
  const other = ["other.test"];

  interface Row {
    readonly name: string;
    readonly given: Case;
    readonly refused: boolean;
    /** The word, the policy's type, its lines; undefined: nothing is told, or a success. */
    readonly want: readonly [TlsFlaw | undefined, TlsrptNote["policyType"], readonly string[]] | undefined;
  }
  const rows: readonly Row[] = [
    {
      name: "TLSA records that nobody can ask for, or that are forged",
      given: { exchanger: signed, tlsa: tlsa("temporary") },
      refused: true,
      want: ["dnssec-invalid", "tlsa", []],
    },
    {
      name: "the same where DANE is demanded",
      given: { exchanger: signed, wish: dane, tlsa: tlsa("temporary") },
      refused: true,
      want: ["dnssec-invalid", "tlsa", []],
    },
    {
      name: "TLSA records that mean nothing",
      given: { exchanger: signed, tlsa: unusable },
      refused: false,
      want: ["tlsa-invalid", "tlsa", []],
    },
    {
      name: "the same where DANE is demanded",
      given: { exchanger: signed, wish: dane, tlsa: unusable },
      refused: true,
      want: ["tlsa-invalid", "tlsa", []],
    },
    {
      name: "no TLSA records where DANE is demanded",
      given: { exchanger: signed, wish: dane },
      refused: true,
      want: ["dane-required", "no-policy-found", []],
    },
    {
      name: "an exchanger that is not signed where DANE is demanded",
      given: { wish: dane },
      refused: true,
      want: ["dane-required", "no-policy-found", []],
    },
    {
      name: "an exchanger that an enforced policy does not list",
      given: { sts: { kind: "policy", mode: "enforce", mx: other } },
      refused: true,
      want: ["validation-failure", "sts", stsStrings],
    },
    {
      name: "an exchanger that a policy in its testing mode does not list",
      given: { sts: { kind: "policy", mode: "testing", mx: other } },
      refused: false,
      want: ["validation-failure", "sts", stsStrings],
    },
    {
      name: "the same for a message that requires TLS",
      given: { requireTls: true, sts: { kind: "policy", mode: "testing", mx: other } },
      refused: true,
      want: ["validation-failure", "sts", stsStrings],
    },
    ...(["sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid"] as const).map((flaw): Row => ({
      name: `a policy that cannot be had: ${flaw}`,
      given: { sts: { kind: "none", flaw } },
      refused: false,
      want: [flaw, "sts", []],
    })),
    {
      name: "nothing, with TLSA records",
      given: { exchanger: signed, tlsa: tlsa("ok", `3 1 1 ${data}`) },
      refused: false,
      want: [undefined, "tlsa", [`3 1 1 ${data}`]],
    },
    {
      name: "nothing, with a policy",
      given: { sts: { kind: "policy", mode: "enforce", mx: ["mx.example.test"] } },
      refused: false,
      want: [undefined, "sts", stsStrings],
    },
    {
      name: "that a message requires more than anybody publishes",
      given: { requireTls: true },
      refused: true,
      want: undefined,
    },
    {
      name: "that TLS is switched off for a message that requires it",
      given: { requireTls: true, wish: { level: "none" } },
      refused: true,
      want: undefined,
    },
    {
      name: "that a relay has no TLSA records",
      given: { relayHost: "r.example", wish: dane },
      refused: true,
      want: undefined,
    },
  ];

  async function told(given: Case): Promise<{ readonly refused: boolean; readonly notes: readonly TlsrptNote[] }> {
    const notes: TlsrptNote[] = [];
    const counter = { isOn: true, note: (note: TlsrptNote) => void notes.push(note) };
    const { policed } = await decide(given);
    const asked: RemoteRequest = { ...request, domain: "example.test", relayHost: given.relayHost };
    if (policed.ok) noteTls({ ...result, request: asked, policy: policed.value }, counter);
    else noteRefusal(policed.error, { host: result.host, request: asked }, counter);
    return { refused: !policed.ok, notes };
  }

  for (const { name, given, refused, want } of rows) {
    it(`is told with the connection's fate: ${name}`, async () => {
      const [flaw, policyType, policyStrings] = want ?? [];
      const note = {
        domain: "example.test",
        policyType,
        policyStrings,
        mxHost: "mx.d.example",
        ip: refused ? "" : "8.0.0.1",
        ...(flaw === undefined ? {} : { flaw }),
      };
      assertEquals<object>(await told(given), { refused, notes: want === undefined ? [] : [note] });
    });
  }

  for (const [first, count] of [["Subject: s\n\nb\n", 1], ["TLS-Required: No\n\nb\n", 0]] as const) {
    it(`is told ${count} times by an attempt at a host, and nobody is connected to: ${first.split("\n")[0]}`, async () => {
      const notes: TlsrptNote[] = [];
      const mail: Pick<Mail, "request" | "body"> = {
        // What the operator demands stands whatever the message says.
        request: { ...request, tls: { ...defaultTlsWish, level: "dane", isDefault: false } },
        body: new MessageBody(first.length, toOctets(first), () => Promise.reject(new Error("nothing more"))),
      };
      const shared: Pick<AttemptSurroundings, "resolve" | "sts" | "tlsrpt"> = {
        resolve: () => Promise.reject(new Error("nobody should have asked")),
        sts: { policy: () => Promise.reject(new Error("nobody should have asked")) },
        tlsrpt: { isOn: true, note: (note) => notes.push(note) },
      };
      const attempt = await tryHost(result.host, mail as Mail, shared as AttemptSurroundings);
      assertEquals([attempt.kind, attempt.hop.ip], ["next", ""]);
      assertEquals(notes.map(({ flaw, ip }) => `${flaw} ${ip}`), count === 1 ? ["dane-required "] : []);
    });
  }

  it("has a row for every word that is not the handshake's", () => {
    const handshake = tlsFlaws.filter((flaw) => flaw.startsWith("certificate-") || flaw.startsWith("starttls-"));
    const here = new Set(rows.flatMap(({ want }) => want?.[0] ?? []));
    assertEquals([...here, ...handshake].toSorted(), [...tlsFlaws].toSorted());
  });
});

describe("siteOf()", () => {
  const rows = [
    ["alt1.aspmx.l.google.com", "google.com"],
    ["mx.mail.co.uk", "mail.co.uk"],
    ["host.example", "host.example"],
    ["localhost", "localhost"],
    ["co.uk", "co.uk"],
    ["192.0.2.1", "192.0.2.1"],
    ["2001:db8::1", "2001:db8::1"],
    ["a_b.example.org", "example.org"],
    ["", ""],
  ] as const;
  for (const [host, want] of rows) it(`is ${want} for ${host}`, () => assertEquals(siteOf(host), want));
});
