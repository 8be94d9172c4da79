/**
 * How strangers are met while connections are scarce (lib/server/places.ts says when that is).
 * @module
 */

/** How a stranger is treated under stress, instead of control/timeoutsmtpd and the usual 20 errors. */
export const stressTimeoutSeconds = 10;
export const stressErrors = 1;

/** Replies to those that get no connection, beside the dialogue's own. */
export const refusals = {
  tooManyFromClient: "421 4.7.0 too many connections from you\r\n",
} as const;
