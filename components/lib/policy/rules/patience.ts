/**
 * Rules on how long a server bears with a client: greetdelay, tarpit, brtlimit, maxrcpt.
 * @module
 */
import { defer, numberFor, pass, refuse, type Rule } from "../rule.ts";

const noStranger = pass("the client is no stranger");
const hurried = pass("no time for delays: there are more connections than usual");

/** How long a greeting is held back at the most: RFC 5321 §4.5.3.2.1 has clients wait 300 s for one. */
const longestGreetSeconds = 240;

/** Holds the greeting back, and lets go of clients that do not wait for it. SMTPD_GREETDELAY goes over the control file. */
export const greetdelay: Rule = ({ controls, isAllowed }) => {
  const none = pass("no delay");
  const allowed = pass("the client is in control/allowclients");
  return {
    connect: ({ client, trusted }) => {
      const seconds = Math.min(numberFor(client, "SMTPD_GREETDELAY", controls.greetdelay), longestGreetSeconds);
      if (seconds === 0) return none;
      if (trusted) return noStranger;
      // A connection that waits takes a slot from others.
      if (client.stress) return hurried;
      if (isAllowed(client.ip)) return allowed;
      const early = { reply: "554 5.5.0 sorry, you spoke before your turn", reason: "early-talker" };
      return { ...pass(`the greeting waits for ${seconds} s`), adds: { delayMs: seconds * 1000, early } };
    },
  };
};

/** s/qmail: with this delay a recipient is refused instead. */
const refusingDelay = 999;
const longestTarpitSeconds = 240;

/** Answers to a client's recipients beyond a number come slowly. TARPITCOUNT and TARPITDELAY go over the control files. */
export const tarpit: Rule = ({ controls }) => {
  const within = pass("not yet so many recipients");
  return {
    rcpt: ({ client, trusted, mail }) => {
      const count = numberFor(client, "TARPITCOUNT", controls.tarpitcount);
      if (count === 0 || mail.accepted + mail.refused < count) return within;
      if (trusted) return noStranger;
      const seconds = numberFor(client, "TARPITDELAY", controls.tarpitdelay);
      if (seconds === refusingDelay) return defer("tarpit", "452 4.5.3 sorry, too many recipients");
      if (client.stress) return hurried;
      const delayMs = Math.min(seconds, longestTarpitSeconds) * 1000;
      return { ...pass(`the reply waits for ${delayMs / 1000} s`), adds: { delayMs } };
    },
  };
};

/** Hangs up on who has tried too many recipients that were refused. BRTLIMIT goes over the control file. */
export const brtlimit: Rule = ({ controls }) => {
  const within = pass("not so many bad recipients");
  const over = { ...refuse("brtlimit", "421 4.7.0 sorry, too many bad recipients"), drop: true };
  return {
    rcpt: ({ client, mail }) => {
      const limit = numberFor(client, "BRTLIMIT", controls.brtlimit);
      return limit === 0 || mail.refused < limit ? within : over;
    },
  };
};

/** Recipients of one message. MAXRECIPIENTS goes over the control file, DISABLE_MAXRCPT switches it off. */
export const maxrcpt: Rule = ({ controls }) => {
  const within = pass("not so many recipients");
  // No error of the client's: it sends what was taken, and the others after it (RFC 5321 §4.5.3.1.10).
  const over = defer("maxrcpt", "452 4.5.3 sorry, too many recipients");
  return {
    rcpt: ({ client, mail }) => {
      const limit = client.environment.has("DISABLE_MAXRCPT")
        ? 0
        : numberFor(client, "MAXRECIPIENTS", controls.maxrcpt);
      return limit === 0 || mail.accepted < limit ? within : over;
    },
  };
};
