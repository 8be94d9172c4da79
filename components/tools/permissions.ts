/**
 * The programs below the home's `bin/` and what each may touch. They are nobody's children: whoever may run one does, as
 * himself.
 * @module
 */
import type { Home } from "../../config/home.ts";
import type { Grant } from "../lib/permissions/grant.ts";

export interface Tool {
  /** The program's name; its code is `components/tools/NAME.ts`. */
  readonly name: string;
  readonly job: string;
  readonly permissions: (home: Home) => Grant;
}

function queueFolders(home: Home, ...dirs: readonly string[]): Grant {
  return { read: dirs.map((dir) => home.queue(dir)) };
}

export const tools: readonly Tool[] = [
  {
    name: "qmail-queue",
    job: "hands one message to the daemon of that name",
    // The message and the envelope are open already: reading those takes no permission.
    permissions: () => ({ calls: ["qmail-queue"], sys: ["uid"] }),
  },
  {
    name: "qmail-qread",
    job: "lists the messages that are preprocessed",
    permissions: (home) => queueFolders(home, "info", "mess", "local", "remote", "bounce"),
  },
  {
    name: "qmail-qstat",
    job: "counts the messages in the queue",
    permissions: (home) => queueFolders(home, "mess", "todo", "journal"),
  },
  {
    name: "qmail-tcpto",
    job: "lists the addresses that timed out",
    permissions: () => ({ calls: ["remote-status"] }),
  },
  {
    name: "qmail-tcpok",
    job: "forgets which addresses timed out",
    // Who may is decided by the folder around that socket.
    permissions: () => ({ calls: ["qmail-remote"] }),
  },
];
