/**
 * qmail-pop3spawn's shell: redeems tickets, asks qmail-getpw, chooses the qmail-pop3d process, and stands between it and
 * the server's connection.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { parseRedeemReply } from "../lib/wire/auth_protocol.ts";
import { Client, ConnectionLost } from "../lib/wire/client.ts";
import { type Controlling, parseGetpwReply } from "../lib/wire/getpw_protocol.ts";
import { parsePop3Request, type Refusal } from "../lib/wire/pop3_protocol.ts";
import type { Pipe } from "../lib/wire/pipe.ts";
import { ProtocolError, serveUnix } from "../lib/wire/server.ts";
import { launch } from "../lib/workers/launch.ts";
import { Workers } from "../lib/workers/workers.ts";
import { type House, type OwnerKind, ownerKindOf } from "./owner.ts";
import { OwnersProcess, type Relay } from "./owners_process.ts";

/** So long others may be away, for they may just be restarted. */
const connectMs = 5000;
/** So long a login waits for a process when all are in use; clients give up at some point. */
const longestWaitMs = 20_000;
/** How long sessions that are at their QUIT may go on after a stop. */
const stopMs = 400;

/** Whom a connection has, from its first request on. */
interface Connection {
  process?: OwnersProcess;
  relay?: Relay;
}

type Owner =
  | { readonly kind: OwnerKind; readonly login: string; readonly account: Controlling }
  | { readonly kind: "refused"; readonly reason: Refusal };

/** `changeUser`: root started this, so that it can become the owner. */
function startProcess(
  home: Home,
  changeUser: boolean,
  { uid, gid, home: userHome }: Controlling,
): OwnersProcess {
  const ids = changeUser ? { ids: { uid, gid } } : {};
  return new OwnersProcess(
    launch(home, "qmail-pop3d", { args: ["--owner", userHome], ...ids }),
    (error) => logEvent("garbage", { from: "qmail-pop3d", reason: describeError(error) }),
  );
}

function refuse(reason: Refusal, detail: string): Owner {
  logEvent("refused", { reason, detail });
  return { kind: "refused", reason };
}

export function run({ home }: Start, changeUser: boolean): Running {
  const controls = new ControlValues(home, "qmail-pop3spawn");
  const tickets = new Client(home.socket("auth-tickets"), { connectMs });
  const getpw = new Client(home.socket("qmail-getpw"), { connectMs });
  const processes = new Set<OwnersProcess>();
  const workers = new Workers((_kind, account) => {
    const process = startProcess(home, changeUser, account);
    processes.add(process);
    void process.ended.then(() => processes.delete(process));
    return process;
  }, { longestWaitMs });
  const connections = new Map<Pipe, Connection>();

  const house = (): House => ({
    me: controls.current.me,
    mailRoot: home.mail(),
    // What it makes belongs to its user: so does its socket, which is there before anybody can ask.
    ownUid: changeUser ? "any" : Deno.statSync(home.socket("qmail-pop3spawn")).uid ?? 0,
  });

  const ownerOf = async (ticket: string): Promise<Owner> => {
    try {
      const redeemed = parseRedeemReply(await tickets.request({ op: "redeem", ticket }));
      if (redeemed.kind === "none") return refuse("ticket", "none");
      const { login } = redeemed;
      const found = parseGetpwReply(await getpw.request({ op: "find", address: login }));
      if (found.kind === "none") return refuse("absent", login);
      if (found.kind !== "account") return refuse("unavailable", login);
      const kind = ownerKindOf(login, found, house());
      return kind === undefined ? refuse("account", login) : { kind, login, account: found };
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      return refuse("unavailable", describeError(error));
    }
  };

  /** One session, from its ticket to its end. */
  const serve = async (ticket: string, id: number, pipe: Pipe, connection: Connection): Promise<void> => {
    const owner = await ownerOf(ticket);
    if (owner.kind === "refused") return pipe.send({ id, kind: "refused", reason: owner.reason });
    const { kind, login, account } = owner;
    const served = await workers.with(kind, account, async (process) => {
      // The client did not wait.
      if (pipe.closed) return true;
      const { relay, over } = process.begin(pipe, id, { login, home: account.home });
      Object.assign(connection, { process, relay });
      await over;
      return true;
    });
    if (served === undefined) pipe.send({ id, ...refuse("unavailable", `${login}: too many processes`) });
  };

  const server = serveUnix(home.socket("qmail-pop3spawn"), {
    keepsSessions: true,
    onFrame: async (frame, pipe) => {
      const request = parsePop3Request(frame);
      const connection = connections.get(pipe);
      if (request.op !== "open") {
        if (connection?.relay === undefined) throw new ProtocolError("a command without a mailbox");
        connection.relay.send(request);
        // Who asks on without reading what came is not read either.
        return await pipe.drained();
      }
      if (connection !== undefined) throw new ProtocolError("a second mailbox in one session");
      const begun: Connection = {};
      connections.set(pipe, begun);
      // Not waited for: it lasts as long as the session.
      void serve(request.ticket, request.id, pipe, begun).catch((error) => {
        logEvent("surprise", { reason: describeError(error) });
        pipe.close();
      });
    },
    onClose: (pipe) => {
      connections.get(pipe)?.process?.end(pipe);
      connections.delete(pipe);
    },
    onError: (error) => logEvent("garbage", { socket: "qmail-pop3spawn", reason: describeError(error) }),
  });
  return {
    reload: () => controls.reload(),
    stop: async () => {
      server.stop();
      // Their input ends: what they have begun they carry out.
      workers.stop();
      const limit = Promise.withResolvers<void>();
      const timer = setTimeout(limit.resolve, stopMs);
      await Promise.race([Promise.all(Array.from(processes, ({ ended }) => ended)), limit.promise]);
      clearTimeout(timer);
      server.closeAll();
      for (const client of [tickets, getpw]) client.close();
    },
  };
}
