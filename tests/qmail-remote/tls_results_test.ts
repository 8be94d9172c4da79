import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { defaultTlsWish, type TlsPolicy } from "../../components/lib/tls/client_policy.ts";
import type { RemoteRequest } from "../../components/lib/wire/delivery_protocol.ts";
import type { StsAnswer } from "../../components/lib/wire/sts_client.ts";
import type { TlsrptNote } from "../../components/lib/wire/tlsrpt_protocol.ts";
import { siteOf } from "../../components/qmail-remote/site.ts";
import { noteTls, type TlsResult } from "../../components/qmail-remote/tls_results.ts";

const policy: TlsPolicy = {
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
const record = { usage: 3, selector: 1, matching: 1, data: "ab" };

async function notesOf(one: TlsResult, { isOn = true }: { isOn?: boolean } = {}): Promise<TlsrptNote[]> {
  const notes: TlsrptNote[] = [];
  const answer: StsAnswer = { kind: "policy", mode: "enforce", mx: [], strings: ["version: STSv1"] };
  const sts = { policy: () => Promise.resolve(answer) };
  noteTls(one, { sts, tlsrpt: { isOn, note: (note) => notes.push(note) } });
  await Promise.resolve();
  return notes;
}

describe("noteTls()", () => {
  const rows: readonly { readonly name: string; readonly one: TlsResult; readonly want: readonly object[] }[] = [
    { name: "no policy", one: result, want: [{ ...usual, policyType: "no-policy-found" }] },
    {
      name: "DANE, with its records and our address",
      one: {
        ...result,
        policy: { ...policy, source: "dane", proof: { kind: "dane", records: [record], names: [] } },
        localAddress: "192.0.2.1",
      },
      want: [{ ...usual, policyType: "tlsa", policyStrings: ["3 1 1 ab"], sendingIp: "192.0.2.1" }],
    },
    {
      name: "MTA-STS, with its lines, and what was wrong with it",
      one: { ...result, policy: { ...policy, source: "sts", flaw: "validation-failure" } },
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
      name: "a domain in A-labels",
      one: { ...result, request: { ...request, domain: "b\xc3\xbccher.example" } },
      want: [{ ...usual, domain: "xn--bcher-kva.example", policyType: "no-policy-found" }],
    },
    { name: "nothing of a relay", one: { ...result, request: { ...request, relayHost: "r.example" } }, want: [] },
    { name: "nothing of an address", one: { ...result, request: { ...request, domain: "[8.0.0.1]" } }, want: [] },
    { name: "nothing where TLS was not wanted", one: { ...result, policy: { ...policy, tls: "none" } }, want: [] },
  ];
  for (const { name, one, want } of rows) {
    it(`tells ${name}`, async () => assertEquals(await notesOf(one), want as TlsrptNote[]));
  }

  it("tells nobody where nobody counts", async () => assertEquals(await notesOf(result, { isOn: false }), []));
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
