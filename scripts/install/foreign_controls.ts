/**
 * Control files that other qmails know and dqmail does not read: what does their work here, and which of them say the
 * same as one of ours.
 * @module
 */
import type { ControlFile } from "../../config/schema.ts";

/** How the text of another qmail's file is said in one of ours; undefined where it cannot be. */
interface Translation {
  readonly to: ControlFile;
  readonly text: (text: string) => string | undefined;
}

const asItIs = (text: string): string => text;

/** Files of another name, or in another form, by the name they have there. */
export const translations: ReadonlyMap<string, Translation> = new Map<string, Translation>([
  ["aliasempty", { to: "defaultdelivery", text: asItIs }],
  ["srs_domain", { to: "srsdomain", text: asItIs }],
  ["srs_secrets", { to: "srssecret", text: asItIs }],
  ["srs_maxage", { to: "srsage", text: asItIs }],
  ["srs_hashlength", { to: "srshashlength", text: asItIs }],
  // s/qmail's name of the same.
  ["mailhelo", { to: "helohost", text: asItIs }],
]);

/** Names, and patterns of names, with what takes their place. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/^(dh|rsa)[0-9]+\.pem$|^dh\.pem$/, "the TLS library chooses its own parameters"],
  [
    /^clientcrl\.pem$|^tlsclients$/,
    "whose certificates let a client in is said in clientca.pem and control/tlsclientca",
  ],
  [/^clientcert\.pem$|^domaincerts$/, "mail leaves without a client certificate"],
  [/^tlsclientciphers$|^tls(remote)?ciphers$/, "of ciphers only control/tlsserverciphers is read"],
  [/^tlshosts$|^notlshosts(_auto)?$/, "which TLS a server must have is said in control/tlsdestinations"],
  [
    /^validrcptto(\.cdb)?$|^recipients$|^goodmailaddr$/,
    "a server here knows who exists: unknown recipients are refused",
  ],
  [/^(badhelo|badmailfrom|badrcptto)norelay$/, "write its lines into the file without norelay, with + at their end"],
  [/^spf(rules|guess|exp|explain|localrules)$/, "SPF is judged by the filter verify (control/filters)"],
  [/^dkimdomains$|^domainkeys$|^dkimkeys$|^filterargs$/, "signing is the filter sign's: see control/dkim"],
  [/^srs/, "SRS is said in srsdomain, srssecret, srsage and srshashlength; separator and minimum are fixed"],
  [/^(suppls|concurrencysuppl)[0-9]*$/, "every destination has a window of its own: see control/shaping"],
  [/^qfilters$/, "filters are named in control/filters"],
  [/^taps$|^bigbrother$/, "copies of mail are for a filter: see control/filters"],
  [/^mailfromrules(\.cdb)?$/, "who may write as whom is said in control/senderlogins"],
  [/^bad(mime|loader)types(\.cdb)?$|^signatures$/, "contents are for a scanner: see rspamd, clamd and milters"],
  [/^ldap|^dirmaker$|^defaultquota/, "accounts in LDAP are not looked up"],
  [/^pbs/, "POP before SMTP: clients log in instead (submission)"],
  [/^(default|quota)(quota|warning)/, "there are no quotas"],
  [/^(locals|rcpthosts)\.cdb$/, "the plain file is read; lines are looked up in memory"],
  [/^(defaultdomain|plusdomain|idhost)\.cdb$/, "the plain file is read"],
  [/^smtpgreetdelay$/, "see control/greetdelay"],
  [/^Makefile$|~$|\.(bak|old|orig|rpmsave|dpkg-old|lock)$|^\./, "not a control file"],
];

/** Files in control/ that are read, though they are no row of the schema. */
const companions = ["servercert.pem", "serverkey.pem", "servercerts", "clientca.pem", "morercpthosts", "admintoken"];

export function isCompanion(file: string): boolean {
  return companions.includes(file);
}

/** Why `file` has no effect; undefined where nobody here knows what it is. */
export function reasonWithoutEffect(file: string): string | undefined {
  return reasons.find(([pattern]) => pattern.test(file))?.[1];
}
