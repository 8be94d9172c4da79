/**
 * Every component's manifest: what the supervisor starts, and what the grants, the tests and the documentation are made
 * from.
 * @module
 */
import { manifest as admin } from "../components/admin/permissions.ts";
import { manifest as auth } from "../components/auth/permissions.ts";
import { manifest as custom } from "../components/custom/permissions.ts";
import { manifest as dial6 } from "../components/dial6/permissions.ts";
import { manifest as hooks } from "../components/hooks/permissions.ts";
import type { Manifest } from "../components/lib/permissions/grant.ts";
import { manifest as mtaSts } from "../components/mta-sts/permissions.ts";
import { manifest as multilog } from "../components/multilog/permissions.ts";
import { manifest as qmailClean } from "../components/qmail-clean/permissions.ts";
import { manifest as qmailGetpw } from "../components/qmail-getpw/permissions.ts";
import { manifest as qmailLocal } from "../components/qmail-local/permissions.ts";
import { manifest as qmailLspawn } from "../components/qmail-lspawn/permissions.ts";
import { manifest as qmailPop3d } from "../components/qmail-pop3d/permissions.ts";
import { manifest as qmailPop3spawn } from "../components/qmail-pop3spawn/permissions.ts";
import { manifest as qmailPopup } from "../components/qmail-popup/permissions.ts";
import { manifest as qmailQmqpd } from "../components/qmail-qmqpd/permissions.ts";
import { manifest as qmailQmtpd } from "../components/qmail-qmtpd/permissions.ts";
import { manifest as qmailQueue } from "../components/qmail-queue/permissions.ts";
import { manifest as qmailRemote } from "../components/qmail-remote/permissions.ts";
import { manifest as qmailRspawn } from "../components/qmail-rspawn/permissions.ts";
import { manifest as qmailSend } from "../components/qmail-send/permissions.ts";
import { manifest as qmailSmtpd } from "../components/qmail-smtpd/permissions.ts";
import { manifest as qread } from "../components/qread/permissions.ts";
import { manifest as resolver } from "../components/resolver/permissions.ts";
import { manifest as sign } from "../components/sign/permissions.ts";
import { manifest as supervisor } from "../components/supervisor/permissions.ts";
import { manifest as clamd } from "../components/clamd/permissions.ts";
import { manifest as milter } from "../components/milter/permissions.ts";
import { manifest as rspamd } from "../components/rspamd/permissions.ts";
import { manifest as tally } from "../components/tally/permissions.ts";
import { manifest as tlsrpt } from "../components/tlsrpt/permissions.ts";
import { manifest as dmarcrpt } from "../components/dmarcrpt/permissions.ts";
import { manifest as verify } from "../components/verify/permissions.ts";

/** The supervisor first, then in the order mail takes. */
export const manifests: readonly Manifest[] = [
  supervisor,
  multilog,
  qmailSmtpd,
  qmailQmtpd,
  qmailQmqpd,
  verify,
  sign,
  qmailQueue,
  qmailSend,
  qmailClean,
  qmailGetpw,
  auth,
  qmailLspawn,
  qmailLocal,
  qmailRspawn,
  qmailRemote,
  dial6,
  qmailPopup,
  qmailPop3d,
  qmailPop3spawn,
  resolver,
  mtaSts,
  tally,
  tlsrpt,
  dmarcrpt,
  rspamd,
  clamd,
  milter,
  hooks,
  custom,
  qread,
  admin,
];
