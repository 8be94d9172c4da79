import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { MessageBody } from "../../components/lib/delivery/message_body.ts";
import { toOctets } from "../../components/lib/octets.ts";
import type { MessageOptions } from "../../components/lib/queue/message_options.ts";
import { defaultTlsWish, type TlsWish } from "../../components/lib/tls/client_policy.ts";
import type { RemoteRequest } from "../../components/lib/wire/delivery_protocol.ts";
import type { StsAnswer } from "../../components/lib/wire/sts_client.ts";
import { saysTlsOptional } from "../../components/qmail-remote/content.ts";
import { policyOf } from "../../components/qmail-remote/next_host.ts";

describe("saysTlsOptional()", () => {
  const rows = [
    { text: "TLS-Required: No\nSubject: s\n\nb\n", want: true },
    { text: "Subject: s\ntls-required:\t no \n\nb\n", want: true },
    { text: "Subject: s\n\nTLS-Required: No\n", want: false },
    { text: "Subject: s\n TLS-Required: No\n\n", want: false },
    { text: "X-TLS-Required: No\n\n", want: false },
    { text: "TLS-Required: Not at all\n\n", want: false },
    { text: "TLS-Required: No", want: true },
    { text: "\nTLS-Required: No\n", want: false },
    { text: "", want: false },
  ];
  for (const { text, want } of rows) {
    it(`${want ? "finds" : "does not find"} it in ${JSON.stringify(text)}`, () => {
      assertEquals(saysTlsOptional(toOctets(text)), want);
    });
  }
});

describe("a message with TLS-Required: No", () => {
  const host = {
    name: "mx.example.test",
    preference: 1,
    addresses: ["192.0.2.1"],
    authenticated: false,
    nameAuthenticated: false,
  };
  const elsewhere: StsAnswer = { kind: "policy", mode: "enforce", mx: ["other.example.test"], strings: [] };
  const here: StsAnswer = { kind: "policy", mode: "enforce", mx: ["mx.example.test"], strings: [] };

  async function policyWith(text: string, sts: StsAnswer, tls: TlsWish = defaultTlsWish, options?: MessageOptions) {
    const octets = toOctets(text);
    const request: RemoteRequest = {
      id: 1,
      sizeBytes: octets.length,
      sender: "",
      recipients: ["a@example.test"],
      domain: "example.test",
      relayHost: undefined,
      port: 25,
      helo: "h.example",
      connectTimeoutMs: 1,
      timeoutMs: 1,
      privateAddresses: false,
      protocol: "smtp",
      tls,
      mxps: false,
      ipv6: false,
      localAddresses: [],
      ...(options === undefined ? {} : { options }),
    };
    const body = new MessageBody(octets.length, octets, () => Promise.reject(new Error("nothing more")));
    const read = await policyOf(host, { request, body }, {
      resolve: () => Promise.resolve({ status: "nxdomain", authenticated: false, records: [] }),
      sts: { policy: () => Promise.resolve(sts) },
    });
    return read.ok ? `${read.value.tls} ${read.value.source}` : read.error.report.text;
  }

  const [wanted, plain] = ["TLS-Required: No\n\nb\n", "Subject: s\n\nb\n"];

  it("goes where a policy would not let others go, over TLS if that is offered", async () => {
    assertEquals(await policyWith(plain, here), "must sts");
    assertEquals(await policyWith(wanted, here), "may default");
    assertEquals(
      await policyWith(plain, elsewhere),
      "Sorry, mx.example.test is no mail exchanger that the MTA-STS policy of example.test lists. (#4.7.5)\n",
    );
    assertEquals(await policyWith(wanted, elsewhere), "may default");
  });

  it("is kept to what the operator demands all the same, and to what the envelope does", async () => {
    const encrypt: TlsWish = { ...defaultTlsWish, level: "encrypt", isDefault: false };
    assertEquals(await policyWith(wanted, here, encrypt), "must tlsdestinations");
    assertEquals(await policyWith(wanted, here, { ...encrypt, level: "verify" }), "must tlsdestinations");
    assertEquals(
      await policyWith(wanted, here, defaultTlsWish, { requireTls: true, recipients: new Map() }),
      "must sts",
    );
  });
});
