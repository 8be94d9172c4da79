/**
 * Random settings of an SMTP server, and random lines and contents for one: mostly what a client may say, in an order that
 * it may not, with something odd here and there.
 * @module
 */
import { allExtensions, type Settings } from "../../components/lib/smtp/server_settings.ts";
import type { Random } from "./random.ts";
import { allMechanisms } from "../qmail-smtpd/fake_authenticator.ts";

export function randomSettings(random: Random): Settings {
  return {
    greeting: "mx.example.com",
    databytes: random.pick([0, 0, 20, 200]),
    dialect: random.pick(["smtp", "smtp", "submission", "lmtp"]),
    extensions: random.oneIn(4) ? new Set() : allExtensions,
    mostErrors: random.pick([1, 5, 20, 100, 100]),
    mostRecipients: random.pick([0, 0, 1, 3]),
    mostMails: random.pick([0, 0, 1, 3]),
    startTls: random.oneIn(2),
    mechanisms: random.oneIn(2) ? allMechanisms : [],
    authNeedsTls: random.oneIn(2),
    mailNeedsAuth: random.oneIn(8),
    mailNeedsTls: random.oneIn(8),
    xclient: random.oneIn(3),
  };
}

const oddWords = [
  ...["__proto__", "constructor", "<>", "=", "*", ".", "..", "\0", "\r", "\x1b[2J", "\xff\xdf", "a".repeat(600)],
  ...["${run{id}}", ";sh", "%0d%0a", "+0D+0A", "SUCCE\xdf", "\xc2\x85", "-1", "18446744073709551616"],
];
const domains = ["b.example", "[127.0.0.1]", "[IPv6:::1]", "x--y.example", "\xc3\xa9.example", "..", "a@b"];
const locals = ["a", '"a b"', '"\\""', "a+b", "\xc3\xb6", "postmaster", "a.b", ".a", ""];
const mailParameters = [
  ...["SIZE=10", "SIZE=999999", "SIZE=x", "BODY=7BIT", "BODY=8BITMIME", "BODY=BINARYMIME", "SMTPUTF8", "RET=HDRS"],
  ...["ENVID=a+20b", "ENVID=a+0Ab", "REQUIRETLS", "AUTH=<>", "AUTH=a+40b", "X=1"],
];
const rcptParameters = [
  "NOTIFY=NEVER",
  "NOTIFY=SUCCESS,DELAY",
  "ORCPT=rfc822;a+2Bb",
  "ORCPT=utf-8;\xc3\xb6",
  "X",
  "NOTIFY=",
];
const authWords = [
  "=",
  "*",
  "AGpvZQBzZWNyZXQ=",
  "AGpvZQB3cm9uZw==",
  "bj1qb2U=",
  "cD1zZWNyZXQ=",
  "am9l",
  "c2VjcmV0",
  "====",
  "A",
  "",
];
const xclientWords = [
  "ADDR=192.0.2.1",
  "NAME=c.example",
  "LOGIN=joe",
  "HELO=x",
  "PROTO=ESMTP",
  "ADDR=[UNAVAILABLE]",
  "X=1",
];

function path(random: Random): string {
  if (random.oneIn(8)) {
    return random.pick(["<>", "<postmaster>", "<", ">", "", `<${random.octets(10).replaceAll("\n", "")}>`]);
  }
  return `<${random.pick(locals)}@${random.pick(domains)}>`;
}

function parameters(random: Random, words: readonly string[]): string {
  let text = "";
  while (random.oneIn(3)) text += ` ${random.oneIn(10) ? random.pick(oddWords) : random.pick(words)}`;
  return text;
}

/** A command line without its end; holds no LF. */
export function randomLine(random: Random): string {
  if (random.oneIn(30)) return random.octets(40).replaceAll("\n", "");
  if (random.oneIn(300)) return `NOOP ${"x".repeat(random.pick([4080, 4090, 5000, 13000]))}`;
  const odd = random.oneIn(40) ? ` ${random.pick(oddWords)}` : "";
  switch (random.below(20)) {
    case 0:
      return `HELO c.example${odd}`;
    case 1:
    case 2:
      return `${random.pick(["EHLO", "EHLO", "LHLO"])} c.example${odd}`;
    case 3:
    case 4:
    case 5:
    case 6:
      return `MAIL FROM:${path(random)}${parameters(random, mailParameters)}${odd}`;
    case 7:
    case 8:
    case 9:
    case 10:
      return `RCPT TO:${path(random)}${parameters(random, rcptParameters)}${odd}`;
    case 11:
    case 12:
      return `DATA${odd}`;
    case 13:
    case 14:
      return `BDAT ${random.oneIn(30) ? random.pick(oddWords) : random.below(30)}${
        random.oneIn(2) ? " LAST" : ""
      }${odd}`;
    case 15:
      return `STARTTLS${odd}`;
    case 16:
    case 17:
      return `AUTH ${random.pick([...allMechanisms, "NTLM", ""])}${
        random.oneIn(2) ? ` ${random.pick(authWords)}` : ""
      }${odd}`;
    case 18:
      return `XCLIENT ${random.pick(xclientWords)} ${random.pick(xclientWords)}${odd}`;
    default:
      return random.pick(["RSET", "NOOP", "VRFY x", "HELP", "EXPN x", "", "GET / HTTP/1.1", "RSET", "NOOP", "QUIT"]) +
        odd;
  }
}

/** A line of an AUTH exchange. */
export function randomResponse(random: Random): string {
  if (random.oneIn(200)) return "QUJD".repeat(random.pick([3000, 3071, 3072, 4000]));
  return random.oneIn(10) ? random.pick(oddWords).replaceAll("\n", "") : random.pick(authWords);
}

/** What leads on to a message from where the dialogue stands. */
export function sensibleLine(random: Random, state: "nothing" | "mail" | "rcpt"): string {
  const size = `${random.below(30)}${random.oneIn(2) ? " LAST" : ""}`;
  switch (state) {
    case "nothing":
      return `MAIL FROM:<a@b.example>${parameters(random, mailParameters)}`;
    case "mail":
      return `RCPT TO:<a@b.example>${parameters(random, rcptParameters)}`;
    case "rcpt":
      return random.pick(["RCPT TO:<c@d.example>", "DATA", "DATA", `BDAT ${size}`, `BDAT ${size}`]);
  }
}

const contentWords = [
  "a",
  "\r\n",
  "\r\n",
  "\r\n",
  ".",
  ".",
  "..",
  "\n",
  "\r",
  "\0",
  "Received: x\r\n",
  "MAIL FROM:<>\r\n",
  "\xff",
];
const goodWords = contentWords.filter((word) => !["\n", "\r", "\0"].includes(word));

/** Some octets of content; only sometimes with what has no place in it. */
export function randomContent(random: Random): string {
  const words = random.oneIn(4) ? contentWords : goodWords;
  return Array.from({ length: random.below(12) }, () => random.pick(words)).join("");
}
