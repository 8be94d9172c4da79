/**
 * Where the files of files.ts lie. By themselves, for the grants: who only names them needs no TLS library.
 * @module
 */
import type { Home } from "../../../config/home.ts";

export const certificateFile = "servercert.pem";
export const keyFile = "serverkey.pem";
export const authoritiesFile = "clientca.pem";
/** The folder of certificates for further names. */
export const certificatesFolder = "servercerts";

/** What a server with TLS reads: each of them is looked for at every start and reload. */
export function tlsPaths(home: Home): string[] {
  return [certificateFile, keyFile, authoritiesFile, certificatesFolder].map((file) => home.control(file));
}
