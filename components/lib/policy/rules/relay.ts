/**
 * Rules on where mail may go: relay (qmail's rcpthosts, morercpthosts.cdb and RELAYCLIENT; addresses that SRS made),
 * relaytest, mailbox.
 *
 * Unlike qmail: an absent rcpthosts admits nobody, not everybody; a recipient in a local or virtual domain must exist;
 * `user%host@local` is no way past rcpthosts.
 * @module
 */
import { parseEnvelopeAddress } from "../../address/parse_path.ts";
import type { MailboxAnswer, Soon } from "../oracles.ts";
import { defer, type Finding, pass, refuse, type Rule, soon } from "../rule.ts";

export const relay: Rule = ({ isOurs }) => {
  const mayRelay = pass("the client may relay");
  const toPostmaster = pass("everyone may write to the postmaster");
  const ours = pass("the domain is in rcpthosts");
  const here = pass("it is delivered here");
  const elsewhere = refuse("rcpthosts", "553 5.7.1 sorry, that domain isn't in my list of allowed rcpthosts");
  const unsure = defer("rcpthosts-damaged", "451 4.3.0 sorry, i can't look for that domain now");
  const wayBack = pass("SRS made it here, for mail that was sent on");
  const forged = refuse("srs", "550 5.1.1 sorry, nothing that i sent on has that sender, or it is too long ago");
  const nobodyKnows = defer("unsure", "451 4.3.0 sorry, i can't look at that address now");
  const appended = defer("relayclient", "451 4.3.0 sorry, i can't make an address of that now");
  return {
    rcpt: ({ client, recipient, bare, local, routed, returnPath }, oracles): Soon<Finding> => {
      // Its value was put behind the address.
      if (client.environment.size > 0 && client.environment.get("RELAYCLIENT")) {
        if (parseEnvelopeAddress(recipient) === undefined) return appended;
      }
      // Its mail is for whom it stands for, wherever that is. Not even those who may relay bring what would come back.
      if (returnPath) {
        return soon(oracles.mailbox(recipient), (answer) => {
          return answer === "none" ? forged : answer === "unsure" ? nobodyKnows : wayBack;
        });
      }
      // Whoever speaks LMTP hands over what is delivered here and is no sender of our own (RFC 2033 §1).
      if (client.entrance === "lmtp") return local ? here : elsewhere;
      if (client.relaying || client.login !== undefined) return mayRelay;
      if (bare) return toPostmaster;
      const welcome = isOurs(recipient);
      if (welcome !== true) return welcome === false ? elsewhere : unsure;
      if (local) return ours;
      const onward = isOurs(routed);
      return onward === true ? ours : onward === false ? elsewhere : unsure;
    },
  };
};

/** Refuses local parts with which others test for open relays; nothing of them would be relayed without this rule. */
export const relaytest: Rule = ({ controls }) => {
  if (!controls.rejectrelaytest) return "control/rejectrelaytest is off";
  const trusted = pass("the client is no stranger, or it looks like an address that SRS made");
  const clean = pass("no !, % or @ in the local part");
  const probe = refuse("relaytest", "553 5.7.1 we don't relay");
  return {
    rcpt: (asked) => {
      if (asked.trusted || asked.returnPath) return trusted;
      const at = asked.recipient.lastIndexOf("@");
      for (let index = 0; index < at; index++) if ("!%@".includes(asked.recipient[index]!)) return probe;
      return clean;
    },
  };
};

/** Whether there is such a mailbox. The postmaster's too: mail for one that is not there would only come back later. */
export const mailbox: Rule = () => {
  const remote = pass("it is not delivered here");
  const exists = pass("there is such a mailbox");
  const none = refuse("no-mailbox", "550 5.1.1 sorry, no mailbox here by that name");
  const unsure = defer("unsure", "451 4.3.0 sorry, i can't look for that mailbox now");
  const findingOf = (answer: MailboxAnswer): Finding =>
    answer === "none" ? none : answer === "unsure" ? unsure : exists;
  return {
    rcpt: ({ local, recipient, returnPath }, oracles) =>
      local && !returnPath ? soon(oracles.mailbox(recipient), findingOf) : remote,
  };
};
