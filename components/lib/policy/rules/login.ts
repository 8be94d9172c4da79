/**
 * Rules on who has logged in: login, senderlogin.
 * @module
 */
import { lowerCaseAscii } from "../../address/parse_domain.ts";
import { pass, refuse, type Rule } from "../rule.ts";

/** At the entrances for submission nobody sends without a login (RFC 6409 §4.3), be he allowed to relay at another. */
export const login: Rule = () => {
  const elsewhere = pass("this entrance asks for no login");
  const known = pass("the client has logged in");
  const missing = refuse("login", "530 5.7.0 authorization required");
  return {
    mail: ({ client }) => {
      if (client.entrance !== "submission" && client.entrance !== "submissions") return elsewhere;
      return client.login === undefined ? missing : known;
    },
  };
};

/**
 * Who has logged in sends as himself, or as control/senderlogins lets him. A login without a domain is one in
 * control/locals. The null reverse-path is anybody's: notifications about mail that was read have it (RFC 8098 §2.1).
 */
export const senderlogin: Rule = ({ controls }) => {
  const none = pass("no login");
  const nobody = pass("the null sender");
  const own = pass("the sender is the login's own");
  const listed = pass("control/senderlogins has that sender for the login");
  const foreign = refuse("senderlogin", "553 5.7.1 sorry, your envelope sender is not one of your login's");
  const { locals, senderlogins } = controls;
  return {
    mail: ({ client, sender }) => {
      if (client.login === undefined) return none;
      if (sender === "") return nobody;
      const address = lowerCaseAscii(sender);
      const name = lowerCaseAscii(client.login);
      const at = address.lastIndexOf("@");
      if (name === address) return own;
      if (name === address.slice(0, at) && locals.includes(address.slice(at + 1))) return own;
      const senders = senderlogins.get(name);
      if (senders === undefined) return foreign;
      return senders.has("*") || senders.has(address) || senders.has(address.slice(at)) ? listed : foreign;
    },
  };
};
