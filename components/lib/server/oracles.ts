/**
 * Whom the rules of a policy ask, by what the control files call for: the mailboxes (qmail-getpw, and what it said a moment
 * ago), the DNS (the resolver), tally, and hooks. None of them ever rejects.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import { reverseName } from "../../../config/ip/reverse_name.ts";
import { ResolverClient } from "../dns/resolver_client.ts";
import { describeError, log, logEvent } from "../log/log.ts";
import { DnsMemory } from "../policy/dns_memory.ts";
import type {
  Count,
  CountAnswer,
  DnsAnswer,
  GreylistAnswer,
  HookEnvironment,
  MailboxAnswer,
  Oracles,
  PluginAnswer,
  PluginStage,
  RcptcheckAnswer,
  Soon,
  Triplet,
} from "../policy/oracles.ts";
import { Client, ConnectionLost } from "../wire/client.ts";
import { parseGetpwReply } from "../wire/getpw_protocol.ts";
import { HooksClient } from "../wire/hooks_client.ts";
import type { RecordType } from "../wire/resolver_protocol.ts";
import { TallyClient } from "../wire/tally_client.ts";
import { MailboxCache } from "./mailbox_cache.ts";

/** All connections are made when first needed: one that nobody needs is not made, and need not be granted. */
export class Askable implements Oracles {
  readonly #getpw: Client;
  readonly #mailboxes = new MailboxCache();
  readonly #resolver: ResolverClient;
  readonly #memory = new DnsMemory((name, type) => this.#resolve(name, type), () => performance.now());
  readonly #tally: TallyClient;
  readonly hooks: HooksClient;

  constructor(home: Home) {
    this.#getpw = new Client(home.socket("qmail-getpw"));
    this.#resolver = new ResolverClient(home);
    this.#tally = new TallyClient(home, {
      onTrouble: (error) => logEvent("no-tally", { reason: describeError(error) }),
    });
    this.hooks = new HooksClient(home.socket("hooks"), { onTrouble: (reason) => logEvent("no-hook", { reason }) });
  }

  mailbox(address: string): Soon<MailboxAnswer> {
    return this.#mailboxes.has(address, Date.now()) ? "exists" : this.#askGetpw(address);
  }

  /** Whatever goes wrong, nobody is told that a mailbox does not exist. */
  async #askGetpw(address: string): Promise<MailboxAnswer> {
    try {
      const { kind } = parseGetpwReply(await this.#getpw.request({ op: "check", address }));
      if (kind === "exists") this.#mailboxes.add(address, Date.now());
      return kind;
    } catch (error) {
      if (!(error instanceof ConnectionLost)) log(`alert: cannot ask qmail-getpw: ${describeError(error)}`);
      return "unsure";
    }
  }

  dns(name: string, type: RecordType): Soon<DnsAnswer> {
    return this.#memory.lookUp(name, type);
  }

  async #resolve(name: string, type: RecordType): Promise<DnsAnswer> {
    try {
      const { status, records } = await this.#resolver.resolve(name, type);
      if (status === "ok") return { kind: "answers", records };
      return { kind: status === "temporary" ? "failure" : "none" };
    } catch (error) {
      log(`alert: cannot ask the resolver: ${describeError(error)}`);
      return { kind: "failure" };
    }
  }

  /**
   * The name of the client at `ip` in the DNS, if it leads back to that address: whoever has the address says what its PTR
   * is, and could name himself after anybody.
   */
  async hostOf(ip: string): Promise<string | undefined> {
    const reverse = reverseName(ip);
    const ptr = reverse === undefined ? undefined : await this.dns(reverse, "PTR");
    if (ptr?.kind !== "answers") return undefined;
    for (const { value } of ptr.records.slice(0, mostNames)) {
      const addresses = await this.dns(value, ip.includes(":") ? "AAAA" : "A");
      if (addresses.kind === "answers" && addresses.records.some((record) => record.value === ip)) return value;
    }
    return undefined;
  }

  greylist(triplet: Triplet): Soon<GreylistAnswer> {
    return this.#tally.greylist(triplet);
  }

  count(count: Count): Soon<CountAnswer> {
    return this.#tally.count(count);
  }

  rcptcheck(environment: HookEnvironment): Soon<RcptcheckAnswer> {
    return this.hooks.rcptcheck(environment);
  }

  spp(stage: PluginStage, environment: HookEnvironment): Soon<PluginAnswer> {
    return this.hooks.spp(stage, environment);
  }

  close(): void {
    this.#getpw.close();
    this.#resolver.close();
    this.#tally.close();
    this.hooks.close();
  }
}

/** An address with a thousand names is nobody's mail server. */
const mostNames = 3;
