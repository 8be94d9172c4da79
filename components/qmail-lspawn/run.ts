/**
 * qmail-lspawn's shell: asks qmail-getpw, chooses the qmail-local process, feeds it messages.
 * @module
 */
import type { Home } from "../../config/home.ts";
import type { Controls } from "../../config/schema.ts";
import type { DeliveryLink } from "../lib/delivery/link.ts";
import type { MessageText } from "../lib/delivery/message_file.ts";
import { Recent } from "../lib/delivery/recent.ts";
import { deferral, reportAll, serveSpawner, type Spawn } from "../lib/delivery/spawner.ts";
import { socketsForWays } from "../lib/filters/chain.ts";
import type { ClientNote } from "../lib/filters/filter.ts";
import { routeOf } from "../lib/filters/controls.ts";
import { formatRouteText } from "../lib/filters/route.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { parseLmtpSocket } from "../lib/smtp/lmtp_socket.ts";
import { Client } from "../lib/wire/client.ts";
import type { DeliveryReport, SpawnRequest } from "../lib/wire/delivery_protocol.ts";
import { type Controlling, type GetpwReply, parseGetpwReply } from "../lib/wire/getpw_protocol.ts";
import { isUsableHome, type Kind, kindOf } from "../lib/workers/place.ts";
import { Workers } from "../lib/workers/workers.ts";
import { Lanes, stalledMs } from "./lanes.ts";
import { cutReport, mostOfOneAccount } from "./request.ts";
import { startLocal } from "./start_local.ts";

const notFound: DeliveryReport = { verdict: "D", text: "Sorry, no mailbox here by that name. (#5.1.1)\n" };
const withoutHost: DeliveryReport = { verdict: "D", text: "Sorry, address must include host name. (#5.1.3)\n" };
const unsure = deferral("Trouble finding the mailbox. (#4.3.0)\n");
const refusesRoot = deferral("Not allowed to perform deliveries as root.\n");
const otherUser = deferral("Unable to become the mailbox's owner: not started by root. (#4.3.0)\n");
const oddHome = deferral("Unable to use this home directory. (#4.3.0)\n");
const tooMany = deferral("Too many users' deliveries at once. (#4.3.0)\n");
const tooManyOfOne = deferral("Too many deliveries to this user at once. (#4.3.0)\n");

/** An account found a moment ago is the one for the next message, too. */
const foundMs = 1000;
/** At the end, so long for what is under way; who delivers still after that is told to stop. */
const finishMs = 300;

class Spawner {
  readonly #home: Home;
  /** Started by root, it becomes whom it delivers for; else it is this user, and delivers for no other account. */
  readonly #ownUid: () => number | "any";
  readonly #controls: () => Controls;
  readonly #getpw: Client;
  readonly #workers: Workers<DeliveryLink>;
  readonly #found = new Recent<Controlling>(foundMs);
  readonly #lanes = new Lanes();

  constructor(
    home: Home,
    ownUid: () => number | "any",
    controls: () => Controls,
    getpw: Client,
    workers: Workers<DeliveryLink>,
  ) {
    this.#home = home;
    this.#ownUid = ownUid;
    this.#controls = controls;
    this.#getpw = getpw;
    this.#workers = workers;
  }

  async spawn(request: SpawnRequest, file: MessageText): Promise<DeliveryReport> {
    const recipient = request.recipients[0] ?? "";
    if (!recipient.includes("@")) return withoutHost;
    const found = await this.#find(recipient);
    switch (found.kind) {
      case "none":
        return notFound;
      case "account":
        break;
      default:
        return unsure;
    }
    const ownUid = this.#ownUid();
    if (ownUid === "any" && found.uid === 0) return refusesRoot;
    if (!isUsableHome(found.home)) return oddHome;
    const kind = kindOf(found, this.#home.mail());
    // Virtual mailboxes all belong to whoever started the mail server.
    if (kind === "account" && ownUid !== "any" && found.uid !== ownUid) return otherUser;
    if (kind === "virtual") return await this.#deliver(kind, found, request, file);
    if (kind === "mailbox") return await this.#inLane(found, () => this.#deliver(kind, found, request, file));
    return await this.#inLane(found, () => this.#deliverToAccount(found, request, file));
  }

  async #find(address: string): Promise<GetpwReply> {
    const known = this.#found.get(address, Date.now());
    if (known !== undefined) return known;
    // A qmail-getpw that dies over the question makes this delivery lost, not deferred: it is repeated at once.
    const found = parseGetpwReply(await this.#getpw.request({ op: "find", address }));
    // Only an account: that there is none may be wrong a moment later, and a bounce would be for good.
    if (found.kind === "account") this.#found.set(address, found, Date.now());
    return found;
  }

  /** Carries out `deliver` when the account has room for another delivery. */
  async #inLane(account: Controlling, deliver: () => Promise<DeliveryReport>): Promise<DeliveryReport> {
    const lane = `${account.uid}:${account.home}`;
    const most = mostOfOneAccount(this.#controls().concurrencylocal);
    // When its turn began; undefined where it did not come in time.
    const turn = Promise.withResolvers<number | undefined>();
    const nowMs = Date.now();
    const entry = this.#lanes.enter(lane, most, nowMs, turn.resolve);
    if (entry === "busy") return tooManyOfOne;
    if (entry === "go") turn.resolve(nowMs);
    const giveUp = () => {
      if (this.#lanes.giveUp(lane, Date.now(), turn.resolve)) turn.resolve(undefined);
    };
    const timer = entry === "go" ? undefined : setInterval(giveUp, stalledMs / 4);
    const begunMs = await turn.promise;
    clearInterval(timer);
    if (begunMs === undefined) return tooManyOfOne;
    try {
      return await deliver();
    } finally {
      this.#lanes.leave(lane, begunMs, Date.now());
    }
  }

  /**
   * A process that may run programs is only for those whose .qmail has one: the other says so before it has done
   * anything. While there is one, it takes all of that account's mail.
   */
  async #deliverToAccount(account: Controlling, request: SpawnRequest, file: MessageText): Promise<DeliveryReport> {
    if (!this.#workers.has("programs", account)) {
      const report = await this.#deliver("account", account, request, file);
      if (report.needsPrograms !== true) return report;
    }
    return await this.#deliver("programs", account, request, file);
  }

  async #deliver(
    kind: Kind,
    account: Controlling,
    { sender, recipients }: SpawnRequest,
    file: MessageText,
  ): Promise<DeliveryReport> {
    const controls = this.#controls();
    const { me, defaultdelivery, programseconds, srsdomain } = controls;
    const route = routeOf(controls, "forward", forwarded);
    const { isVirtual, domain, user, uid, home, dash, extension } = account;
    const fields = {
      ...{ sender, recipients, isVirtual, domain, user, uid, home, dash, extension },
      hostName: me,
      defaultDelivery: defaultdelivery,
      programSeconds: programseconds,
      ...(srsdomain === "" ? {} : { srs: true as const }),
      ...(route === undefined ? {} : { filters: formatRouteText(route) }),
    };
    const reports = await this.#workers.with(kind, account, (worker) => worker.deliver(fields, file));
    return reports?.[0] ?? tooMany;
  }
}

/** Who brings mail that is forwarded. */
const forwarded: ClientNote = { entrance: "forward", ip: "unknown", helo: "", tls: false, relaying: true };

/** What else a qmail-local may connect to: part of its grant, which it has from its start. */
function callsOf({ defaultdelivery, filters, srsdomain }: Controls): string {
  const socket = parseLmtpSocket(defaultdelivery);
  return [srsdomain !== "", socket.ok ? socket.value : undefined, ...socketsForWays(filters, ["forward"])].join();
}

export function run({ home }: Start, changeUser: boolean): Running {
  const controls = new ControlValues(home, "qmail-lspawn");
  const getpw = new Client(home.socket("qmail-getpw"));
  const workers = new Workers((kind, account) => startLocal(home, changeUser, kind, account));
  // What it makes belongs to its user: so does the folder's socket, which is there before anybody can ask.
  const ownUid = changeUser ? () => "any" as const : () => Deno.statSync(home.socket("qmail-lspawn")).uid ?? 0;
  const spawner = new Spawner(home, ownUid, () => controls.current, getpw, workers);
  const spawn: Spawn = async (request, file) => {
    if (request.recipients.length !== 1) {
      return reportAll(request.recipients, deferral("One recipient at a time, please. (#4.3.0)\n"));
    }
    return [cutReport(await spawner.spawn(request, file))];
  };
  const server = serveSpawner(home, "qmail-lspawn", spawn);
  return {
    reload: () => {
      const before = callsOf(controls.current);
      const defects = controls.reload();
      if (callsOf(controls.current) !== before) workers.renew();
      return defects;
    },
    stop: async () => {
      // A program may run for minutes; its delivery is repeated after the next start.
      const limit = setTimeout(() => workers.stop(), finishMs);
      await server.stop();
      clearTimeout(limit);
      workers.stop();
      getpw.close();
    },
  };
}
