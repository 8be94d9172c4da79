/**
 * Rules of an operator's lists: badmailfrom, badhelo, badrcptto. As in qmail they speak when a recipient is given, so that
 * the log has the whole envelope of what was refused.
 * @module
 */
import { addressOf } from "../ground.ts";
import type { PatternList } from "../pattern_list.ts";
import { pass, type RcptAsked, refuse, type Rule } from "../rule.ts";

function listRule(
  name: string,
  list: PatternList,
  textOf: (asked: RcptAsked) => string,
  reply: string,
): ReturnType<Rule> {
  if (list.isEmpty) return `control/${name} is empty`;
  const unlisted = pass(`control/${name} does not have it`);
  const listed = refuse(name, reply);
  return { rcpt: (asked) => list.refuses(textOf(asked), asked.trusted) ? listed : unlisted };
}

export const badmailfrom: Rule = ({ controls }) =>
  listRule(
    "badmailfrom",
    controls.badmailfrom,
    ({ mail }) => addressOf(mail.sender),
    "553 5.7.1 sorry, your envelope sender is in my badmailfrom list",
  );

export const badhelo: Rule = ({ controls }) =>
  listRule(
    "badhelo",
    controls.badhelo,
    ({ client }) => client.helo,
    "553 5.7.1 sorry, your HELO/EHLO greeting is in my badhelo list",
  );

export const badrcptto: Rule = ({ controls }) =>
  listRule(
    "badrcptto",
    controls.badrcptto,
    ({ recipient }) => recipient,
    "553 5.7.1 sorry, this recipient is in my badrcptto list",
  );
