/**
 * What a connection is given: the values of its listener as they were when it came, and how the client came. A connection
 * uses other parts only through what stands here.
 * @module
 */
import type { AuthorizationSettings } from "../lib/pop3/authorization.ts";
import type { Authenticator } from "../lib/sasl/authenticator.ts";
import type { ClientSocket } from "../lib/server/client_socket.ts";
import type { Secured } from "../lib/tls/server_stream.ts";
import type { OpenMailbox } from "./mailbox_link.ts";
import type { Connection } from "./connection.ts";
import type { Pop3Entrance } from "./permissions.ts";

export interface Values {
  readonly settings: AuthorizationSettings;
  /** For each wait for the client. */
  readonly timeoutSeconds: number;
  /** Carries out the mechanisms of `settings.mechanisms`; undefined: nobody can log in. */
  readonly authenticator: Authenticator | undefined;
  /** The handshake, server side, on a socket whose +OK has been written; rejects when it fails, or takes too long. */
  readonly startTls?: (socket: ClientSocket) => Promise<Secured>;
}

/** What the connections of one process share. */
export interface Service {
  /** Opens the mailbox of a ticket. */
  readonly open: OpenMailbox;
  /** The client has logged in and its mailbox is open. */
  readonly onOpened: (connection: Connection) => void;
  readonly onClose: (connection: Connection) => void;
}

/** How a client came. */
export interface Arrival {
  readonly entrance: Pop3Entrance;
  /** One spelling of the client's address, or "unknown". */
  readonly ip: string;
  /** The channel was encrypted from the start. */
  readonly secured?: Secured;
}
