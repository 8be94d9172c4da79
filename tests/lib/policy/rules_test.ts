/**
 * The rules that go by lists and counts of the dialogue, each by a table of questions.
 */
import { env, mailTable, rcptTable } from "./tables.ts";

const noRelay = "rcpthosts: 553 5.7.1 sorry, that domain isn't in my list of allowed rcpthosts";
const noMailbox = "no-mailbox: 550 5.1.1 sorry, no mailbox here by that name";

rcptTable("relay", [
  { name: "takes what rcpthosts has", to: "joe@example.com", want: "accept" },
  { name: "refuses another domain", to: "joe@example.org", want: noRelay },
  { name: "takes it from who may relay", to: "joe@example.org", client: { relaying: true }, want: "accept" },
  {
    name: "takes it from who has logged in",
    to: "joe@example.org",
    client: { login: "amy@example.com" },
    want: "accept",
  },
  { name: "takes the bare postmaster from everyone", to: "PostMaster", want: "accept" },
  {
    name: "takes from LMTP what is delivered here, in rcpthosts or not",
    to: "joe@mx.example.com",
    client: { entrance: "lmtp" },
    want: "accept",
  },
  {
    name: "relays for nobody over LMTP",
    to: "joe@example.org",
    client: { entrance: "lmtp", relaying: true, login: "amy@example.com" },
    want: noRelay,
  },
  {
    name: "puts RELAYCLIENT's value behind the address",
    to: "joe@example.org",
    client: { relaying: true, ...env({ RELAYCLIENT: "@backup.example" }) },
    want: "accept",
  },
  {
    name: "does not take what is no address with RELAYCLIENT's value",
    to: "joe@example.org",
    client: { relaying: true, ...env({ RELAYCLIENT: " x" }) },
    want: "relayclient: 451 4.3.0 sorry, i can't make an address of that now",
  },
]);

rcptTable("mailbox", [
  { name: "refuses an unknown mailbox for good", answers: { mailbox: () => "none" }, want: noMailbox },
  {
    name: "defers while nobody can tell",
    answers: { mailbox: () => "unsure" },
    want: "unsure: 451 4.3.0 sorry, i can't look for that mailbox now",
  },
  { name: "takes what may exist", answers: { mailbox: () => "possible" }, want: "accept" },
  {
    name: "does not ask about mail for others",
    to: "joe@example.org",
    client: { relaying: true },
    answers: { mailbox: () => "none" },
    want: "accept",
  },
  {
    name: "waits for an answer that takes time",
    answers: { mailbox: () => Promise.resolve("none" as const) },
    want: noMailbox,
  },
  {
    name: "asks on LMTP too",
    client: { entrance: "lmtp" },
    answers: { mailbox: () => "none" },
    want: noMailbox,
  },
]);

const badSender = "badmailfrom: 553 5.7.1 sorry, your envelope sender is in my badmailfrom list";
rcptTable("badmailfrom", [
  { name: "refuses an address", from: "Bad@Spam.example", want: badSender },
  { name: "refuses a domain", from: "any@evil.example", want: badSender },
  { name: "knows exceptions", from: "good@evil.example", want: "accept" },
  { name: "takes others", from: "bad@spam.example.org", want: "accept" },
  { name: "takes the null sender", from: "", want: "accept" },
  { name: "refuses who may relay, too", from: "bad@spam.example", client: { relaying: true }, want: badSender },
  { name: "refuses with + only strangers", from: "me@example.com", want: badSender },
  { name: "and nobody else with +", from: "me@example.com", client: { relaying: true }, want: "accept" },
  { name: "refuses mail for the postmaster, too", from: "bad@spam.example", to: "postmaster", want: badSender },
], { badmailfrom: "bad@spam.example\n@evil.example\n!good@evil.example\n@example.com+\n" });

const badName = "badhelo: 553 5.7.1 sorry, your HELO/EHLO greeting is in my badhelo list";
rcptTable("badhelo", [
  { name: "refuses a name", client: { helo: "LOCALHOST" }, want: badName },
  { name: "refuses a pattern", client: { helo: "a.dyn.example" }, want: badName },
  { name: "takes other names", client: { helo: "mx.example" }, want: "accept" },
  { name: "takes __proto__ for a name like others", client: { helo: "__proto__" }, want: "accept" },
], { badhelo: "localhost\n*.dyn.example\n" });

rcptTable("badrcptto", [
  {
    name: "refuses a recipient",
    to: "old@example.com",
    want: "badrcptto: 553 5.7.1 sorry, this recipient is in my badrcptto list",
  },
  { name: "takes others", to: "new@example.com", want: "accept" },
], { badrcptto: "old@example.com\n" });

const probe = "relaytest: 553 5.7.1 we don't relay";
rcptTable("relaytest", [
  { name: "refuses user%host", to: "a%evil.example@example.com", want: probe },
  { name: "refuses host!user", to: "evil.example!a@example.com", want: probe },
  { name: "refuses a quoted @", to: '"a@evil.example"@example.com', want: probe },
  { name: "takes a plain address", to: "a@example.com", want: "accept" },
  { name: "asks nothing of who may relay", to: "a%b@example.com", client: { relaying: true }, want: "accept" },
  { name: "is off by default", to: "a%b@example.com", controls: { rejectrelaytest: "0" }, want: "accept" },
], { rejectrelaytest: "1\n" });

const noBounces = "nullsender: 451 4.7.1 sorry, i take no mail from <> at the moment";
rcptTable("nullsender", [
  { name: "takes the null sender by default", from: "", controls: { rejectnullsenders: "0" }, want: "accept" },
  {
    name: "takes it for a second recipient too",
    from: "",
    controls: { rejectnullsenders: "0" },
    mail: { accepted: 1 },
    want: "accept",
  },
  { name: "refuses it where it was told to", from: "", want: noBounces },
  { name: "takes it for the postmaster", from: "", to: "Postmaster@Example.com", want: "accept" },
  { name: "takes it from who may relay", from: "", client: { relaying: true }, want: "accept" },
  { name: "takes other senders", want: "accept" },
  {
    name: "listens to REJECTNULLSENDERS",
    from: "",
    controls: { rejectnullsenders: "0" },
    client: env({ REJECTNULLSENDERS: "" }),
    want: noBounces,
  },
], { rejectnullsenders: "1\n" });

const tooMany = "maxrcpt: 452 4.5.3 sorry, too many recipients";
rcptTable("maxrcpt", [
  { name: "takes the last one", mail: { accepted: 2 }, want: "accept" },
  { name: "refuses one more", mail: { accepted: 3 }, want: tooMany },
  { name: "listens to MAXRECIPIENTS", mail: { accepted: 3 }, client: env({ MAXRECIPIENTS: "4" }), want: "accept" },
  { name: "does not listen to nonsense", mail: { accepted: 3 }, client: env({ MAXRECIPIENTS: "4x" }), want: tooMany },
  { name: "listens to DISABLE_MAXRCPT", mail: { accepted: 3 }, client: env({ DISABLE_MAXRCPT: "" }), want: "accept" },
], { maxrcpt: "3\n" });

rcptTable("brtlimit", [
  { name: "bears with some", mail: { refused: 1 }, want: "accept" },
  { name: "then ends it", mail: { refused: 2 }, want: "brtlimit: 421 4.7.0 sorry, too many bad recipients" },
], { brtlimit: "2\n" });

const noLogin = "login: 530 5.7.0 authorization required";
mailTable("login", [
  { name: "asks for none at port 25", want: "accept" },
  { name: "wants one for submission", client: { entrance: "submission" }, want: noLogin },
  { name: "wants one for submissions", client: { entrance: "submissions", tls: true }, want: noLogin },
  {
    name: "wants one of those who may relay elsewhere",
    client: { entrance: "submission", relaying: true },
    want: noLogin,
  },
  {
    name: "is content with one",
    client: { entrance: "submission", login: "amy@example.com" },
    from: "amy@example.com",
    want: "accept",
  },
  { name: "asks for none on LMTP", client: { entrance: "lmtp" }, want: "accept" },
]);

const notYours = "senderlogin: 553 5.7.1 sorry, your envelope sender is not one of your login's";
const amy = { login: "amy@example.com" };
const senderlogins =
  "amy@example.com:sales@example.com\namy@example.com:@lists.example\nroot:*\n__proto__:@evil.example\n";
mailTable("senderlogin", [
  { name: "takes the login's own address, in any case", client: amy, from: "Amy@Example.COM", want: "accept" },
  { name: "takes the null sender", client: amy, from: "", want: "accept" },
  { name: "refuses another's", client: amy, from: "joe@example.com", want: notYours },
  {
    name: "refuses it of who may relay besides",
    client: { ...amy, relaying: true },
    from: "joe@example.com",
    want: notYours,
  },
  {
    name: "takes a login without a domain for one of ours",
    client: { login: "amy" },
    from: "amy@example.com",
    want: "accept",
  },
  { name: "and for nobody else's", client: { login: "amy" }, from: "amy@example.org", want: notYours },
  {
    name: "does not take the whole name for a part",
    client: { login: "my@example.com" },
    from: "amy@example.com",
    want: notYours,
  },
  ...[
    { name: "takes a listed address", login: "AMY@example.com", from: "SALES@example.com", want: "accept" },
    { name: "takes a listed domain", login: "amy@example.com", from: "any@lists.example", want: "accept" },
    { name: "but nothing below it", login: "amy@example.com", from: "any@sub.lists.example", want: notYours },
    { name: "takes everything for *", login: "root", from: "x@evil.example", want: "accept" },
    { name: "knows a login called __proto__", login: "__proto__", from: "a@evil.example", want: "accept" },
    { name: "and none called constructor", login: "constructor", from: "a@evil.example", want: notYours },
  ].map(({ login, ...row }) => ({ ...row, client: { login }, controls: { senderlogins } })),
]);
