/**
 * auth's shell: exchanges on its socket, by the users as they stand.
 * @module
 */
import { randomBytes } from "node:crypto";
import type { Home } from "../../config/home.ts";
import { ChangingFile } from "../lib/disk/changing_file.ts";
import { describeError, log, logEvent } from "../lib/log/log.ts";
import { breathe } from "../lib/process/breathe.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { ok } from "../lib/result.ts";
import type { AuthStep, Mechanism } from "../lib/sasl/authenticator.ts";
import { offeredMechanisms } from "../lib/sasl/offered.ts";
import type { Beginning } from "../lib/sasl/step.ts";
import { parsePasswdFile } from "../lib/users/passwd_file.ts";
import { type AuthRequest, formatAuthStep, parseAuthRequest, parseRedeemRequest } from "../lib/wire/auth_protocol.ts";
import type { Pipe } from "../lib/wire/pipe.ts";
import { ProtocolError, serveUnix, type UnixServer } from "../lib/wire/server.ts";
import { checkpasswordCredentials } from "./checkpassword.ts";
import { checkpasswordPath } from "./checkpassword_script.ts";
import { type Credentials, passwdCredentials } from "./credentials.ts";
import { Exchange, type Service } from "./exchange.ts";
import { Exchanges } from "./exchanges.ts";
import { Failures } from "./failures.ts";
import { isForReading } from "./permissions.ts";
import { Tickets } from "./tickets.ts";
import { Turns, type TurnsOptions } from "./turns.ts";
import { type Users, usersOf } from "./users.ts";

/** A password is compared by this process, one at a time; a program takes its time elsewhere. */
const turnsOf: Readonly<Record<"passwd" | "program", TurnsOptions>> = {
  passwd: { atOnce: 1, mostWaiting: 32 },
  program: { atOnce: 8, mostWaiting: 32 },
};
/** 144 bits in 24 characters. */
const nonceBytes = 18;
const pepperBytes = 32;
/** 192 bits. */
const ticketBytes = 24;

const unavailable: AuthStep = { kind: "failure", reason: "unavailable" };

/** Says it once for each number: clients take the strongest mechanism on offer, and by that one these cannot log in. */
function warnerOfSecrets(offersScram: () => boolean): (users: Users) => void {
  let said = "";
  return ({ passwords, secrets }) => {
    const missing = passwords.length - secrets.length;
    const warning =
      `warning: ${missing} of ${passwords.length} logins have no secret for SCRAM, and clients that prefer it ` +
      "cannot log in as these: set their passwords anew, or leave scram-sha-256 out of control/smtpauth";
    if (missing === 0 || warning === said || !offersScram()) return;
    said = warning;
    log(warning);
  };
}

function usersFile(home: Home, look: (users: Users) => void): ChangingFile<Users> {
  return new ChangingFile<Users>({
    path: home.users("passwd"),
    name: "users/passwd",
    absent: usersOf(new Map()),
    read: (path) => {
      const entries = parsePasswdFile(Deno.readTextFileSync(path));
      if (!entries.ok) return entries;
      const users = usersOf(entries.value);
      look(users);
      return ok(users);
    },
  });
}

function serveTickets(home: Home, tickets: Tickets): UnixServer {
  return serveUnix(home.socket("auth-tickets"), {
    onFrame: (frame, pipe) => {
      const { op, id, ticket } = parseRedeemRequest(frame);
      const login = tickets[op](ticket, performance.now());
      pipe.send(login === undefined ? { id, kind: "none" } : { id, kind: "login", login });
    },
    onError: (error) => logEvent("garbage", { socket: "auth-tickets", reason: describeError(error) }),
  });
}

export function run({ home }: Start): Running {
  const controls = new ControlValues(home, "auth");
  const pepper = randomBytes(pepperBytes);
  const offersScram = () => controls.current.smtpauth.some((mechanism) => mechanism.startsWith("SCRAM-"));
  const users = usersFile(home, warnerOfSecrets(offersScram));
  const failures = new Failures();
  const exchanges = new Exchanges<Pipe>();
  const tickets = new Tickets();
  const kinds = {
    passwd: { credentials: passwdCredentials(() => users.current(), pepper), turns: new Turns(turnsOf.passwd) },
    program: {
      credentials: checkpasswordCredentials(checkpasswordPath(home)),
      turns: new Turns(turnsOf.program),
    },
  } satisfies Record<string, { readonly credentials: Credentials; readonly turns: Turns }>;
  const service = (): Service => ({
    ...(controls.current.checkpassword.length > 0 ? kinds.program : kinds.passwd),
    failures,
    me: controls.current.me,
    nowMs: () => performance.now(),
    breathe,
    issueTicket: (entrance, login) => {
      if (!isForReading(entrance)) return undefined;
      const ticket = randomBytes(ticketBytes).toString("base64url");
      tickets.issue(ticket, login, performance.now());
      return ticket;
    },
    logEvent,
  });

  const start = (request: Extract<AuthRequest, { op: "start" }>, pipe: Pipe): Promise<AuthStep> => {
    const { smtpauth, checkpassword, me, pop3apop } = controls.current;
    const { mechanism, client, exchange: number } = request;
    const offered: readonly Mechanism[] = [
      ...offeredMechanisms(smtpauth, checkpassword.length > 0),
      ...(pop3apop && isForReading(client.entrance) ? ["APOP" as const] : []),
    ];
    // The server has read its control files at another time.
    if (!offered.includes(mechanism)) return Promise.resolve(unavailable);
    const offersPlus = client.endPoint !== undefined && offered.includes("SCRAM-SHA-256-PLUS");
    const nonce = randomBytes(nonceBytes).toString("base64");
    const bound = client.endPoint === undefined ? {} : { endPoint: client.endPoint };
    const beginning: Beginning = { nonce, me, offersPlus, ...bound };
    const exchange = new Exchange(mechanism, client, beginning, service());
    exchanges.add(pipe, number, exchange);
    return exchange.next(request.response);
  };
  const goOn = (request: Extract<AuthRequest, { op: "next" }>, pipe: Pipe): Promise<AuthStep> => {
    const exchange = exchanges.get(pipe, request.exchange);
    // Given up for newer ones.
    if (exchange === undefined) return Promise.resolve(unavailable);
    if (!exchange.waitsForResponse) throw new ProtocolError("a response before the last one was answered");
    return exchange.next(request.response);
  };
  const answer = async (asked: Promise<AuthStep>, id: number, number: number, pipe: Pipe): Promise<void> => {
    const step = await asked.catch((error): AuthStep => {
      log(`alert: auth: ${describeError(error)}`);
      return unavailable;
    });
    if (step.kind !== "challenge") exchanges.end(pipe, number);
    const { head, body } = formatAuthStep(step);
    pipe.send({ ...head, id }, body);
  };

  const server = serveUnix(home.socket("auth"), {
    onFrame: (frame, pipe) => {
      const request = parseAuthRequest(frame);
      if (request.op === "cancel") return exchanges.end(pipe, request.exchange);
      const asked = request.op === "start" ? start(request, pipe) : goOn(request, pipe);
      // Not waited for: another exchange of the same connection goes on meanwhile.
      void answer(asked, request.id, request.exchange, pipe);
    },
    onClose: (pipe) => exchanges.endAll(pipe),
    onError: (error) => logEvent("garbage", { socket: "auth", reason: describeError(error) }),
  });
  const ticketServer = serveTickets(home, tickets);
  if (controls.current.checkpassword.length === 0) users.current();
  return {
    reload: () => controls.reload(),
    // Who guesses may not begin anew by waiting, and who is known may not be locked out.
    remembers: () => failures.size > 0 || tickets.size > 0,
    stop: () => {
      for (const each of [server, ticketServer]) {
        each.stop();
        each.closeAll();
      }
      return Promise.resolve();
    },
  };
}
