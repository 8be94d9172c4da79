import { controlFilesOf } from "../../config/schema.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";
import { checkpasswordPath, checkpasswordScript, formatCheckpasswordScript } from "./checkpassword_script.ts";

const name = "auth";

/** Services whose clients log in to read mail. */
const readingServices: readonly string[] = ["pop3", "pop3s"];
/** Services whose clients log in. */
const services: readonly string[] = ["submission", "submissions", ...readingServices];

/** Whether clients of an entrance log in to read mail, and get a ticket for it. */
export function isForReading(entrance: string): boolean {
  return readingServices.includes(entrance);
}

/** Nobody can log in where no mechanism is on offer, or nobody listens whose clients would. */
function neededWhen({ controls }: Config): boolean {
  return controls.smtpauth.length > 0 && controls.listeners.some(({ service }) => services.includes(service));
}

/** The script around that program. */
function programs({ controls: { checkpassword } }: Config): ReadonlyMap<string, string> {
  const scripts = checkpassword.length === 0
    ? []
    : [[checkpasswordScript, formatCheckpasswordScript(checkpassword)] as const];
  return new Map(scripts);
}

/** auth's grant: it reads who may log in, or runs the one program that knows it, and answers. */
function permissions({ home, controls }: Config): Grant {
  const hasProgram = controls.checkpassword.length > 0;
  return {
    read: [
      ...(hasProgram ? [] : [home.users("passwd")]),
      ...controlPaths(home, controlFilesOf(name)),
    ],
    serves: [name, "auth-tickets"],
    ...(hasProgram ? { run: [checkpasswordPath(home)] } : {}),
  };
}

export const manifest: Manifest = {
  name,
  job: "says whether a password is right",
  account: "qmailp",
  startedBy: "supervisor",
  onDemand: true,
  stopOrder: 5,
  permissions,
  programs,
  neededWhen,
  neededWords: "a listener of submission, submissions, pop3 or pop3s is there and control/smtpauth is not off",
};
