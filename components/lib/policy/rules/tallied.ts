/**
 * Rules that ask who keeps count: greylist, ratelimit.
 * @module
 */
import { lowerCaseAscii } from "../../address/parse_domain.ts";
import { addressOf } from "../ground.ts";
import { networkOf } from "../networks.ts";
import type { Count, CountAnswer, Oracles, Soon } from "../oracles.ts";
import type { RateLimit } from "../rate_limits_file.ts";
import { type ClientAsked, defer, type Finding, pass, type Rule, soon } from "../rule.ts";

/**
 * A stranger's first message from a sender to a recipient is told to come again (RFC 6647), as what has no queue will not.
 * Never for the postmaster or clients on an allow list; where nobody keeps count, mail passes.
 */
export const greylist: Rule = ({ controls, isAllowlisted }) => {
  const waitSeconds = controls.greylist;
  if (waitSeconds === 0) return "control/greylist is 0";
  const exempt = pass("not asked about this client, or not for the postmaster");
  const known = pass("it has waited, or nobody can tell");
  return {
    rcpt: ({ client, trusted, mail, recipient, postmaster }, oracles) => {
      if (trusted || postmaster) return exempt;
      return soon(isAllowlisted(client, oracles), (isAllowed): Soon<Finding> => {
        if (isAllowed) return exempt;
        const triplet = { ip: client.ip, sender: addressOf(mail.sender), recipient, waitSeconds };
        return soon(oracles.greylist(triplet), (answer): Finding => {
          if (answer.kind !== "wait") return known;
          return defer("greylist", `451 4.7.1 sorry, i don't know you yet, come again in ${answer.seconds} seconds`);
        });
      });
    },
  };
};

/**
 * How much is taken in what time. A stranger's sender is counted with the client's network, or anybody could use up
 * another's share; a login's and a relay client's is counted wherever it comes from.
 */
export const ratelimit: Rule = ({ controls, isAllowed }) => {
  const { ratelimits } = controls;
  if (ratelimits.length === 0) return "control/ratelimits is empty";
  const within = pass("within the limits");
  const limitsOf = (what: RateLimit["what"]) => ratelimits.filter((limit) => limit.what === what);
  const [connections, messages, recipients] = [limitsOf("connections"), limitsOf("messages"), limitsOf("recipients")];

  const keyOf = ({ who, what }: RateLimit, { client, trusted }: ClientAsked, sender: string): string | undefined => {
    switch (who) {
      case "client":
        return trusted || isAllowed(client.ip) ? undefined : `client ${what} ${networkOf(client.ip)}`;
      case "login":
        return client.login === undefined ? undefined : `login ${what} ${lowerCaseAscii(client.login)}`;
      case "sender":
        if (sender === "") return undefined;
        return `sender ${what} ${trusted ? "-" : networkOf(client.ip)} ${lowerCaseAscii(sender)}`;
    }
  };
  const countAll = (
    limits: readonly RateLimit[],
    asked: ClientAsked,
    sender: string,
    oracles: Oracles,
  ): Soon<Finding> => {
    // One after the other: what one limit refuses counts for no other that stands behind it.
    const next = (at: number): Soon<Finding> => {
      const limit = limits[at];
      if (limit === undefined) return within;
      const key = keyOf(limit, asked, sender);
      return key === undefined ? next(at + 1) : soon(count(key, limit, oracles), (finding) => finding ?? next(at + 1));
    };
    return next(0);
  };
  return {
    ...(connections.length === 0 ? {} : { connect: (asked, oracles) => countAll(connections, asked, "", oracles) }),
    ...(messages.length === 0 ? {} : { mail: (asked, oracles) => countAll(messages, asked, asked.sender, oracles) }),
    ...(recipients.length === 0 ? {} : {
      rcpt: (asked, oracles) => countAll(recipients, asked, addressOf(asked.mail.sender), oracles),
    }),
  };
};

/** Undefined while it is within. */
function count(key: string, { who, what, limit, perSeconds }: RateLimit, oracles: Oracles): Soon<Finding | undefined> {
  const asked: Count = { key, limit, perSeconds };
  return soon(oracles.count(asked), (answer: CountAnswer) => {
    if (answer.kind !== "over") return undefined;
    const text = `sorry, too many ${what} from you, come again in ${answer.retrySeconds} seconds`;
    if (what === "connections") return { ...defer(`ratelimit-${who}`, `421 4.7.0 ${text}`), drop: true };
    return defer(`ratelimit-${who}`, `451 4.7.1 ${text}`);
  });
}
