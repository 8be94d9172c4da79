/**
 * The servers of other makes that can be started, by name.
 * @module
 */
import type { Contender } from "../rows/contender.ts";
import type { StartedPeer } from "../rows/options.ts";
import { provideExim } from "./exim.ts";
import { provideOpenSmtpd } from "./opensmtpd.ts";
import { providePostfix } from "./postfix.ts";

/** Looks for a peer; `programs` is where packages are unpacked. Throws what an operator has to do where it is missing. */
export function providePeer(name: StartedPeer, programs: string): Contender {
  switch (name) {
    case "postfix":
      return providePostfix();
    case "opensmtpd":
      return provideOpenSmtpd(programs);
    case "exim":
      return provideExim(programs);
  }
}
