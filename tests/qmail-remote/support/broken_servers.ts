/**
 * Servers that misbehave in ways of their own, as data; scripts as in broken_steps.ts.
 * @module
 */
import { type BrokenServer, brokenSteps } from "./broken_steps.ts";
import { mayTls, mustTls } from "./conversation.ts";

const ip = "127.0.0.1";
const two = ["a@r.example", "b@r.example"];
const three = [...two, "c@r.example"];
const login = { user: "me", password: "secret" };

const offer = ["> 220 x", "< EHLO", "> 250-x", "> 250 STARTTLS", "< STARTTLS"];
const delivered = [`K${ip} accepted message.`] as const;
const slipped = [`ZConnected to ${ip} but something was slipped in before TLS. (#4.7.0)`] as const;
const failed = [`ZConnected to ${ip} but TLS failed: `, "(#4.7.5)"] as const;
const died = [`ZConnected to ${ip} but connection died. (#4.4.2)`] as const;
const malformed = [`ZConnected to ${ip} but its reply was malformed. (#4.5.0)`] as const;
const refusedTls = [`ZConnected to ${ip} but TLS was refused.\nRemote host said: `] as const;
const handshakeFailure = "\x15\x03\x01\x00\x02\x02\x28";

/** What servers do about TLS, with the report where it is demanded and where it is not: then the mail goes without. */
const aboutTls: readonly (readonly [
  name: string,
  script: readonly string[],
  must: readonly [string, string?],
  may: readonly [string, string?],
  isSlow?: boolean,
])[] = [
  [
    "slips a reply in behind its consent to TLS",
    [...offer, ">> 220 go\r\n250 believe me\r\n", "silence"],
    slipped,
    slipped,
  ],
  ["slips half a reply in behind its consent to TLS", [...offer, ">> 220 go\r\n25", "silence"], slipped, slipped],
  ["slips nonsense in behind its consent to TLS", [...offer, ">> 220 go\r\n\x16\x03\r\n", "silence"], slipped, slipped],
  ["speaks SSH after its consent to TLS", [...offer, "> 220 go", "<raw", "> SSH-2.0-x", "silence"], failed, delivered],
  ["sends a TLS alert", [...offer, "> 220 go", "<raw", `>> ${handshakeFailure}`, "silence"], failed, delivered],
  ["says NULs for TLS", [...offer, "> 220 go", "<raw", `>> ${"\0".repeat(1000)}`, "silence"], failed, delivered],
  ["closes after its consent to TLS", [...offer, "> 220 go"], failed, delivered],
  ["closes in the handshake", [...offer, "> 220 go", "<raw"], failed, delivered],
  ["says nothing in the handshake", [...offer, "> 220 go", "silence"], failed, delivered, true],
  ["answers STARTTLS with nonsense", [...offer, "> hello"], malformed, delivered],
  ["answers STARTTLS by closing", [...offer], died, delivered],
  ["answers STARTTLS with silence", [...offer, "silence"], died, delivered, true],
  ["answers STARTTLS with 421", [...offer, "> 421 no"], refusedTls, refusedTls],
  ["goes away after the handshake", [...offer, "> 220 go", "tls", "< EHLO"], died, delivered],
  ["says nonsense after the handshake", [...offer, "> 220 go", "tls", "< EHLO", "> hm"], malformed, delivered],
  ["offers no TLS", ["> 220 x", "< EHLO", "> 250 x", "<any"], [
    `ZConnected to ${ip} but it offers no TLS, which is required. (#4.7.10)`,
  ], died],
  ["does not know EHLO", ["> 220 x", "< EHLO", "> 502 what", "< HELO", "> 250 x", "<any"], [
    `ZConnected to ${ip} but it offers no TLS, which is required. (#4.7.10)`,
  ], died],
  ["greets again within TLS", [...offer, "> 220 go", "tls", "> 220 x", "< EHLO", "> 250 x"], [
    `ZConnected to ${ip} but my name was rejected.\nRemote host said: 220 x`,
  ], [`ZConnected to ${ip} but my name was rejected.\nRemote host said: 220 x`]],
];

const taking = ["< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 354 go", "<.", "> 250 taken"];

const refusingTls: readonly BrokenServer[] = ["454 later", "502 what", "250 sure", "354 go"].flatMap((reply) => [
  { name: `answers STARTTLS with ${reply}`, script: [...offer, `> ${reply}`], want: [refusedTls], policy: mustTls },
  {
    name: `answers STARTTLS, which is not demanded, with ${reply}`,
    script: [...offer, `> ${reply}`, ...taking],
    want: [delivered],
    policy: mayTls,
  },
]);

const auth = (words: string) => ["> 220 x", "< EHLO", "> 250-x", `> 250 AUTH ${words}`, "< AUTH"];
const loginRefused = [`ZConnected to ${ip} but login was refused.\nRemote host said: `] as const;
const badChallenge = [`ZConnected to ${ip} but its challenge was malformed. (#4.5.0)`] as const;
const unproved = [`ZConnected to ${ip} but it could not prove that it knows the password. (#4.7.0)`] as const;
const serverFirst = (text: string) => `> 334 ${btoa(text)}`;

const aboutLogin: readonly BrokenServer[] = [
  { name: "refuses the password", script: [...auth("PLAIN"), "> 535 5.7.8 no"], want: [loginRefused], code: 535 },
  { name: "refuses it for now", script: [...auth("PLAIN"), "> 454 4.7.0 later"], want: [loginRefused] },
  { name: "says 250 to a login", script: [...auth("PLAIN"), "> 250 ok"], want: [loginRefused] },
  { name: "says 421 to a login", script: [...auth("LOGIN"), "> 421 bye"], want: [loginRefused], code: 421 },
  { name: "closes at a login", script: auth("PLAIN"), want: [died] },
  { name: "never answers a login", script: [...auth("PLAIN"), "silence"], want: [died], isSlow: true },
  { name: "asks on and on after PLAIN", script: [...auth("PLAIN"), "> 334 ", "<any", "> 334 "], want: [badChallenge] },
  {
    name: "asks on and on after LOGIN",
    script: [...auth("LOGIN"), "> 334 VXNlcm5hbWU6", "<any", "> 334 UGFzc3dvcmQ6", "<any", "> 334 VXNlcm5hbWU6"],
    want: [badChallenge],
  },
  { name: "asks in no base64", script: [...auth("LOGIN"), "> 334 Username:"], want: [badChallenge] },
  {
    name: "offers no login",
    script: ["> 220 x", "< EHLO", "> 250 x"],
    want: [[
      `ZConnected to ${ip} but it offers no login. (#4.7.0)`,
    ]],
  },
  {
    name: "offers mechanisms that nobody knows",
    script: auth("GSSAPI X-WHAT").slice(0, 4),
    want: [[
      `ZConnected to ${ip} but it offers no mechanism that keeps the password secret. (#4.7.11)`,
    ]],
  },
  {
    name: "answers SCRAM with another nonce",
    script: [...auth("SCRAM-SHA-256"), serverFirst("r=other,s=c2FsdA==,i=4096")],
    want: [badChallenge],
  },
  { name: "answers SCRAM with nothing", script: [...auth("SCRAM-SHA-256"), "> 334 "], want: [badChallenge] },
  { name: "believes SCRAM at once", script: [...auth("SCRAM-SHA-256 PLAIN"), "> 235 fine"], want: [unproved] },
].map((row) => ({ ...row, login } as BrokenServer));

const pipelined = ["> 220 x", "< EHLO", "> 250-x", "> 250 PIPELINING", "< MAIL", "< RCPT", "< RCPT", "< DATA"];
const binary = ["> 220 x", "< EHLO", "> 250-x", "> 250-BINARYMIME", "> 250 CHUNKING", "< MAIL", "> 250 ok", "< RCPT"];
const sending = `${ip} failed while I was sending the message.\nRemote host said: `;
const doubtful = [`ZConnected to ${ip} but connection died. Possible duplicate! (#4.4.2)`] as const;
const isBinary = { binary: true, content: "a\0b\n" } as const;
const isLmtp = { protocol: "lmtp", recipients: two } as const;
const lmtp = ["> 220 x", "< LHLO", "> 250-x", "> 250 PIPELINING", ...pipelined.slice(4)];

const aboutMail: readonly BrokenServer[] = [
  {
    name: "grants DATA though it took no recipient",
    script: [...pipelined, "> 250 ok", "> 550 no", "> 550 no", "> 354 go", "<."],
    recipients: two,
    want: [[`D${ip} does not like recipient.`, "Giving up"], [`D${ip} does not like recipient.`, "Giving up"]],
  },
  {
    name: "says everything before it is asked",
    script: ["> 220 x", "> 250 x", "> 250 ok", "> 250 ok", "> 354 go", "> 250 taken", "<any"],
    want: [[`Z${sending}250 taken`]],
  },
  {
    name: "takes the message before it has it",
    script: [...pipelined, ">> 250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n", "<any"],
    recipients: two,
    want: [[`Z${sending}250 taken`], [`Z${sending}250 taken`]],
  },
  {
    name: "refuses the message before it has it",
    script: [...pipelined, ">> 250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n552 too much\r\n", "<any"],
    recipients: two,
    want: [[`D${sending}552 too much`], [`D${sending}552 too much`]],
  },
  {
    name: "says 250 to DATA",
    script: [...pipelined, "> 250 ok", "> 250 ok", "> 250 ok", "> 250 ok", "<any"],
    recipients: two,
    want: [[`Z${ip} failed on DATA command.`], [`Z${ip} failed on DATA command.`]],
    code: 250,
  },
  {
    name: "takes a recipient after it deferred another",
    script: [...pipelined, "> 250 ok", "> 450 busy", "> 250 ok", "> 354 go", "<.", "> 250 taken"],
    recipients: two,
    want: [[`Z${ip} does not like recipient.\nRemote host said: 450 busy`], delivered],
    code: 250,
  },
  {
    name: "has enough of recipients",
    script: [...pipelined, "> 250 ok", "> 250 ok", "> 452 4.5.3 too many", "> 354 go", "<.", "> 250 taken"],
    recipients: two,
    want: [delivered, [`Z${ip} does not like recipient.\nRemote host said: 452 4.5.3 too many`]],
  },
  {
    name: "refuses MAIL and grants all that follows",
    script: [...pipelined, "> 550 no", "> 250 ok", "> 250 ok", "> 354 go", "<end"],
    recipients: two,
    want: [
      [`DConnected to ${ip} but sender was rejected.\nRemote host said: 550 no`],
      [`DConnected to ${ip} but sender was rejected.\nRemote host said: 550 no`],
    ],
    code: 550,
  },
  {
    name: "answers fewer commands than it was given",
    script: [...pipelined, "> 250 ok", "> 250 ok", "silence"],
    recipients: two,
    want: [died, died],
    isSlow: true,
  },
  {
    name: "offers nonsense",
    script: [
      "> 220 x",
      "< EHLO",
      `> 250-\0\xff ${"x".repeat(4000)}`,
      "> 250-SIZE 99999999999999999999",
      "> 250-LIMITS RCPTMAX=0 MAILMAX=-1 RCPTDOMAINMAX=x =",
      "> 250-AUTH",
      "> 250-__proto__ 1",
      "> 250 ",
      ...taking,
    ],
    want: [delivered],
  },
  {
    name: "takes one recipient at a time",
    script: [
      ...["> 220 x", "< EHLO", "> 250-x", "> 250 LIMITS RCPTMAX=1", ...taking],
      ...["< RSET", "> 250 ok", ...taking, "< RSET", "> 250 ok", ...taking],
    ],
    recipients: three,
    want: [delivered, delivered, delivered],
  },
  {
    name: "takes one recipient at a time, and two messages on a connection",
    script: [
      ...["> 220 x", "< EHLO", "> 250-x", "> 250 LIMITS RCPTMAX=1 MAILMAX=2", ...taking],
      ...["< RSET", "> 250 ok", ...taking, "<any"],
    ],
    recipients: three,
    want: [delivered, delivered, [`Z${ip} takes no more messages on this connection. (#4.5.3)`]],
  },
  {
    name: "says 421 to the second of two transactions",
    script: [
      ...["> 220 x", "< EHLO", "> 250-x", "> 250 LIMITS RCPTMAX=1", ...taking],
      ...["< RSET", "> 250 ok", "< MAIL", "> 421 enough"],
    ],
    recipients: two,
    want: [delivered, [`ZConnected to ${ip} but sender was rejected.\nRemote host said: 421 enough`]],
    code: 421,
  },
  {
    name: "says 554 to the second of two transactions",
    script: [
      ...["> 220 x", "< EHLO", "> 250-x", "> 250 LIMITS RCPTMAX=1", ...taking],
      ...["< RSET", "> 250 ok", "< MAIL", "> 554 no"],
    ],
    recipients: two,
    want: [delivered, [`DConnected to ${ip} but sender was rejected.\nRemote host said: 554 no`]],
  },
  {
    name: "is gone before the second of two transactions",
    script: ["> 220 x", "< EHLO", "> 250-x", "> 250 LIMITS RCPTMAX=1", ...taking],
    recipients: two,
    want: [delivered, died],
  },
  {
    name: "offers BINARYMIME without CHUNKING",
    script: ["> 220 x", "< EHLO", "> 250-x", "> 250 BINARYMIME", "<any"],
    want: [[`DMessage is binary, and ${ip} only takes text. (#5.6.3)`]],
    ...isBinary,
  },
  {
    name: "does not answer the last chunk",
    script: [...binary, "> 250 ok", "<#", "silence"],
    want: [doubtful],
    isSlow: true,
    ...isBinary,
  },
  { name: "closes at the last chunk", script: [...binary, "> 250 ok", "<#"], want: [doubtful], ...isBinary },
  {
    name: "refuses the last chunk",
    script: [...binary, "> 250 ok", "<#", "> 554 no"],
    want: [[`D${ip} failed after I sent the message.\nRemote host said: 554 no`]],
    ...isBinary,
  },
  {
    name: "takes a chunk before it has it",
    script: [...binary, ">> 250 ok\r\n250 taken\r\n", "<any"],
    want: [[`Z${sending}250 taken`]],
    ...isBinary,
  },
  {
    name: "takes no recipient for a binary message",
    script: [...binary, "> 550 no", "< QUIT"],
    want: [[`D${ip} does not like recipient.`, "Giving up"]],
    ...isBinary,
  },
  {
    name: "answers LMTP's content for one of two recipients",
    script: [...lmtp, "> 250 ok", "> 250 ok", "> 250 ok", "> 354 go", "<.", "> 250 a has it"],
    want: [delivered, doubtful],
    ...isLmtp,
  },
  {
    name: "says 421 to the second of LMTP's recipients",
    script: [...lmtp, "> 250 ok", "> 250 ok", "> 250 ok", "> 354 go", "<.", "> 552 full", "> 421 bye"],
    want: [
      [`D${ip} failed after I sent the message.\nRemote host said: 552 full\n`],
      [`Z${ip} failed after I sent the message.\nRemote host said: 421 bye\n`],
    ],
    ...isLmtp,
  },
  {
    name: "answers LMTP's content more often than it should",
    script: [...lmtp, "> 250 ok", "> 250 ok", "> 250 ok", "> 354 go", "<.", "> 250 a", "> 452 b", "> 250 c"],
    want: [delivered, [`Z${ip} failed after I sent the message.\nRemote host said: 452 b`]],
    ...isLmtp,
  },
  {
    name: "does not know LHLO",
    script: ["> 220 x", "< LHLO", "> 500 what", "< QUIT"],
    want: [
      [`ZConnected to ${ip} but my name was rejected.\nRemote host said: 500 what`],
      [`ZConnected to ${ip} but my name was rejected.\nRemote host said: 500 what`],
    ],
    ...isLmtp,
  },
];

export const brokenServers: readonly BrokenServer[] = [
  ...brokenSteps(),
  ...aboutTls.flatMap(([name, script, must, may, isSlow = false]) => [
    { name, script, want: [must], policy: mustTls, isSlow },
    { name: `${name}, which is not demanded`, script, want: [may], policy: mayTls, isSlow },
  ]),
  ...refusingTls,
  ...aboutLogin,
  ...aboutMail,
];
