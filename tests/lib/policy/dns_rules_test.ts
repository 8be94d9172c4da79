/**
 * The rules that ask the DNS, each by a table of questions.
 */
import { env, rcptTable } from "./tables.ts";

const listed = "dnsbl: 451 4.7.1 sorry, 192.0.2.7 is listed in bl.example";
const dnsblAnswers = { dns: { "7.2.0.192.bl.example A": ["127.0.0.2"] } };
rcptTable("dnsbl", [
  { name: "refuses who is listed", answers: dnsblAnswers, want: listed },
  { name: "takes who is not", answers: {}, want: "accept" },
  {
    name: "takes an answer outside of 127/8 for none",
    answers: { dns: { "7.2.0.192.bl.example A": ["192.0.2.9"] } },
    want: "accept",
  },
  {
    name: "takes the codes of a list that does not serve us for none",
    answers: { dns: { "7.2.0.192.bl.example A": ["127.255.255.254"] } },
    want: "accept",
  },
  {
    name: "lets pass while a list is silent",
    answers: { dns: { "7.2.0.192.bl.example A": undefined } },
    want: "accept",
  },
  {
    name: "or refuses for now, with dnsblfailclosed",
    controls: { dnsblfailclosed: "1" },
    answers: { dns: { "7.2.0.192.bl.example A": undefined } },
    want: "dnsbl-unsure: 451 4.7.1 sorry, i can't look for your address in the lists i use now",
  },
  {
    name: "says the text of a list that refuses for good",
    answers: { dns: { "7.2.0.192.hard.example A": ["127.0.0.4"] } },
    want: "dnsbl: 553 5.7.1 look at https://hard.example/192.0.2.7",
  },
  {
    name: "asks of an entrance only its lists",
    client: { entrance: "submission" },
    answers: dnsblAnswers,
    want: "accept",
  },
  { name: "takes mail for the postmaster", to: "postmaster@example.com", answers: dnsblAnswers, want: "accept" },
  { name: "asks nothing of who may relay", client: { relaying: true }, answers: dnsblAnswers, want: "accept" },
  { name: "asks nothing of who has logged in", client: { login: "a" }, answers: dnsblAnswers, want: "accept" },
  {
    name: "asks nothing of allowclients",
    controls: { allowclients: "192.0.2.0/24" },
    answers: dnsblAnswers,
    want: "accept",
  },
  {
    name: "asks nothing of who is on an allow list",
    controls: { dnsallowlist: "wl.example" },
    answers: { dns: { ...dnsblAnswers.dns, "7.2.0.192.wl.example A": ["127.0.0.1"] } },
    want: "accept",
  },
  {
    name: "goes on where the allow list is silent",
    controls: { dnsallowlist: "wl.example" },
    answers: dnsblAnswers,
    want: listed,
  },
  { name: "listens to RBLSMTPD that is empty", client: env({ RBLSMTPD: "" }), answers: dnsblAnswers, want: "accept" },
  { name: "listens to DNSBLSKIP", client: env({ DNSBLSKIP: "" }), answers: dnsblAnswers, want: "accept" },
  { name: "says RBLSMTPD's text", client: env({ RBLSMTPD: "go away" }), want: "rblsmtpd: 451 4.7.1 go away" },
  {
    name: "says it for good, and nothing that is no text",
    controls: { dnsbllist: "" },
    client: env({ RBLSMTPD: "-go\r\n250 ok" }),
    want: "rblsmtpd: 553 5.7.1 go??250 ok",
  },
  { name: "lets pass who has no address", client: { ip: "unknown" }, answers: dnsblAnswers, want: "accept" },
], { dnsbllist: "bl.example\n-hard.example|look at https://hard.example/%IP%\n" });

const unknownHelo = "helocheck: 550 5.7.1 sorry, your HELO/EHLO greeting is no name in the DNS";
const otherHelo = "helocheck: 550 5.7.1 sorry, your HELO/EHLO greeting is not your name in the DNS";
const noHelo = "helocheck: 550 5.7.1 sorry, i want a HELO/EHLO greeting with your name";
rcptTable("helocheck", [
  { name: "is off by default", client: { helo: "" }, want: "accept" },
  { name: "wants one, with !", controls: { helocheck: "!" }, client: { helo: "" }, want: noHelo },
  { name: "wants no certain one, with !", controls: { helocheck: "!" }, want: "accept" },
  { name: "wants an address, with A", controls: { helocheck: "A" }, want: unknownHelo },
  {
    name: "finds one of IPv6 too",
    controls: { helocheck: "A" },
    answers: { dns: { "client.example AAAA": ["2001:db8::1"] } },
    want: "accept",
  },
  {
    name: "takes trouble with DNS for no fault",
    controls: { helocheck: "A" },
    answers: { dns: { "client.example A": undefined } },
    want: "accept",
  },
  {
    name: "takes an MX, with M",
    controls: { helocheck: "M" },
    answers: { dns: { "client.example MX": ["mx"] } },
    want: "accept",
  },
  { name: "refuses what is no name", controls: { helocheck: "A" }, client: { helo: "a..b c" }, want: unknownHelo },
  { name: "takes an address literal", controls: { helocheck: "A" }, client: { helo: "[192.0.2.7]" }, want: "accept" },
  {
    name: "wants the client's own name, with =",
    controls: { helocheck: "=" },
    answers: { dns: { "7.2.0.192.in-addr.arpa PTR": ["other.example"] } },
    want: otherHelo,
  },
  {
    name: "knows it in any case",
    controls: { helocheck: "=" },
    client: { helo: "Client.Example." },
    answers: { dns: { "7.2.0.192.in-addr.arpa PTR": ["a.example", "client.example"] } },
    want: "accept",
  },
  { name: "listens to HELOCHECK", client: { helo: "", ...env({ HELOCHECK: "!" }) }, want: noHelo },
  {
    name: "takes mail for the postmaster",
    controls: { helocheck: "!" },
    client: { helo: "" },
    to: "postmaster",
    want: "accept",
  },
]);

const nullMx = "null-mx: 550 5.7.27 sorry, your envelope sender's domain takes no mail";
const noDomain = "mfdnscheck: 553 5.1.8 sorry, your envelope sender domain must exist";
const noDns = "mfdnscheck-unsure: 451 4.4.3 sorry, i can't look for your envelope sender's domain now";
rcptTable("mfdnscheck", [
  {
    name: "is off by default",
    controls: { mfdnscheck: "0" },
    answers: { dns: { "sender.example MX": [""] } },
    want: "accept",
  },
  { name: "refuses a null MX (RFC 7505)", answers: { dns: { "sender.example MX": [""] } }, want: nullMx },
  {
    name: "refuses it with nullmx too",
    controls: { mfdnscheck: "nullmx" },
    answers: { dns: { "sender.example MX": [""] } },
    want: nullMx,
  },
  { name: "and with nullmx nothing else", controls: { mfdnscheck: "nullmx" }, want: "accept" },
  {
    name: "takes a null MX beside others for none",
    answers: { dns: { "sender.example MX": ["", "mx.b"] } },
    want: "accept",
  },
  {
    name: "takes a domain with an MX, whatever it says",
    answers: { dns: { "sender.example MX": ["127.0.0.1"] } },
    want: "accept",
  },
  { name: "takes one with an address alone", answers: { dns: { "sender.example A": ["192.0.2.1"] } }, want: "accept" },
  { name: "refuses one with neither", want: noDomain },
  { name: "defers while nobody can tell", answers: { dns: { "sender.example MX": undefined } }, want: noDns },
  {
    name: "defers where only the address is in doubt",
    answers: { dns: { "sender.example A": undefined } },
    want: noDns,
  },
  { name: "takes the null sender", from: "", want: "accept" },
  { name: "takes an address literal", from: "a@[192.0.2.1]", want: "accept" },
  {
    name: "looks for a name in UTF-8 by its A-labels",
    from: "a@b\xc3\xbccher.example",
    answers: { dns: { "xn--bcher-kva.example MX": ["mx.b"] } },
    want: "accept",
  },
  { name: "takes mail for the postmaster", to: "postmaster", want: "accept" },
  { name: "asks nothing of who may relay", client: { relaying: true }, want: "accept" },
  { name: "listens to MFDNSCHECK", controls: { mfdnscheck: "0" }, client: env({ MFDNSCHECK: "" }), want: noDomain },
], { mfdnscheck: "1\n" });
