/**
 * What qmail-smtpd does for a client that has come in (lib/server/reception.ts): the values of its entrance, its handshake,
 * its connection, the reply where there is no room.
 * @module
 */
import { assertNever } from "../lib/result.ts";
import type { Entrance } from "../lib/policy/decision.ts";
import type { ClientSocket } from "../lib/server/client_socket.ts";
import type { Refusal } from "../lib/server/places.ts";
import type { Admission, Guest, House } from "../lib/server/reception.ts";
import type { Visitor, Visitors } from "../lib/server/visitors.ts";
import { farewells } from "../lib/smtp/server_session.ts";
import { Connection, type Secured, type Service, type Values } from "./connection.ts";
import type { Entrances } from "./entrances.ts";
import { refusals } from "./overload.ts";

export interface SmtpHouseOptions {
  readonly entrances: Entrances;
  readonly service: Omit<Service, "onClose">;
}

type SmtpAdmission = Admission<Entrance, Visitor>;

export class SmtpHouse implements House<Entrance, Visitor, Secured> {
  readonly #service: SmtpHouseOptions["service"];
  /** What connections are given from now on. */
  entrances: Entrances;

  constructor({ entrances, service }: SmtpHouseOptions) {
    this.entrances = entrances;
    this.#service = service;
  }

  get visitors(): Visitors {
    return this.entrances.visitors;
  }

  isTlsFirst(entrance: Entrance): boolean {
    return entrance === "submissions";
  }

  secure(socket: ClientSocket, admission: SmtpAdmission): Promise<Secured> {
    return this.#valuesFor(admission).startTls?.(socket) ?? Promise.reject(new Error("there is no certificate"));
  }

  welcome(
    socket: ClientSocket,
    admission: SmtpAdmission,
    secured: Secured | undefined,
    onClose: () => void,
  ): Guest {
    const { entrance, visitor: { environment }, stress, remoteAddress } = admission;
    return new Connection(socket, this.#valuesFor(admission), { ...this.#service, onClose }, {
      entrance,
      stress,
      ...(remoteAddress === undefined ? {} : { remoteAddress }),
      ...(environment.size === 0 ? {} : { environment }),
      ...(secured === undefined ? {} : { secured }),
    });
  }

  #valuesFor({ entrance, visitor, stranger }: SmtpAdmission): Values {
    return this.entrances.valuesFor(entrance, visitor, stranger);
  }

  farewell(refusal: Refusal): string {
    switch (refusal) {
      case "too-many-connections":
        return farewells.tooManyConnections;
      case "too-many-from-client":
        return refusals.tooManyFromClient;
      default:
        return assertNever(refusal);
    }
  }
}
