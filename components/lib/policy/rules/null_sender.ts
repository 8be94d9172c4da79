/**
 * The rule nullsender. Absent, bounces are taken like any mail (RFC 5321 §4.5.5), also for more than one recipient: a
 * notification that was asked for, or one of a list's software, may well have several.
 * @module
 */
import { defer, pass, type Rule } from "../rule.ts";

/** Whether a file or a variable in the client's environment says so. */
export const nullsender: Rule = ({ controls }) => {
  const ordinary = pass("the sender is not null, or taken all the same");
  // For now: whoever is flooded with others' bounces switches this on, and off again.
  const refused = defer("nullsender", "451 4.7.1 sorry, i take no mail from <> at the moment");
  return {
    rcpt: ({ client, trusted, mail, postmaster }) => {
      const isOn = controls.rejectnullsenders || client.environment.has("REJECTNULLSENDERS");
      return isOn && !trusted && !postmaster && mail.sender.kind === "null" ? refused : ordinary;
    },
  };
};
