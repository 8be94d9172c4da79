/**
 * The beginning of a session: greeting, EHLO (or LHLO), TLS by policy (RFC 3207, RFC 8314 §3.3), login (RFC 4954). When
 * it is over a mail transaction may begin. Nothing here is a message's fault, so nothing fails one for good, but for
 * REQUIRETLS (RFC 8689 §4.2.1).
 * @module
 */
import { assertNever } from "../lib/result.ts";
import { decodeBase64 } from "../lib/smtp/base64.ts";
import type { Reply } from "../lib/smtp/reply.ts";
import type { TlsFacts, TlsFlaw, TlsPolicy } from "../lib/tls/client_policy.ts";
import type { DeliveryReport } from "../lib/wire/delivery_protocol.ts";
import { type Login, type LoginStep, startLoginExchange } from "./login.ts";
import { parsePeer, type Peer, plainPeer } from "./peer.ts";
import { brokenReport, replyReport, report } from "./reports.ts";
import type { Breakage, DeriveStep, ReplyStep, SecureStep } from "./steps.ts";

export interface OpeningOptions {
  /** The server's address. */
  readonly ip: string;
  /** Our name. */
  readonly helo: string;
  readonly protocol: "smtp" | "lmtp";
  readonly policy: TlsPolicy;
  /** Whether the message may only go to a server that promises REQUIRETLS. */
  readonly requireTls: boolean;
  readonly login?: Login | undefined;
  /** For the login: printable ASCII without ",", never used before. */
  readonly nonce: string;
}

export type OpeningStep =
  | ReplyStep
  | SecureStep
  | DeriveStep
  | { readonly kind: "opened" }
  | { readonly kind: "failed"; readonly report: DeliveryReport; readonly farewell: string; readonly code: number }
  /** See {@link Outcome}. */
  | { readonly kind: "plain"; readonly report: DeliveryReport };

type Phase = "implicit" | "greeting" | "ehlo" | "helo" | "starttls" | "handshake" | "login" | "opened";

const quit = "QUIT\r\n";
const opened: OpeningStep = { kind: "opened" };

export class Opening {
  readonly #options: OpeningOptions;
  #phase: Phase;
  #peer: Peer = plainPeer;
  #tls: TlsFacts | undefined;
  #flaw: TlsFlaw | undefined;
  #exchange: Exclude<LoginStep, { readonly kind: "failed" }> | undefined;

  constructor(options: OpeningOptions) {
    this.#options = options;
    const { policy } = options;
    this.#phase = policy.implicit && policy.tls !== "none" ? "implicit" : "greeting";
  }

  /** What the server can do; within TLS, what it said there. */
  get peer(): Peer {
    return this.#peer;
  }

  get tls(): TlsFacts | undefined {
    return this.#tls;
  }

  /** What was wrong with TLS, whether it mattered or not. */
  get flaw(): TlsFlaw | undefined {
    return this.#flaw;
  }

  begin(): OpeningStep {
    return this.#phase === "implicit" ? { kind: "secure" } : this.#say("greeting", "");
  }

  onReply(reply: Reply): OpeningStep {
    switch (this.#phase) {
      case "greeting":
        return reply.code === 220 ? this.#hello() : this.#refused("greeting failed", reply);
      case "ehlo":
        // RFC 2033 §4.1: there is no LMTP without LHLO.
        if (reply.code >= 500 && this.#options.protocol === "smtp") {
          return this.#say("helo", `HELO ${this.#options.helo}\r\n`);
        }
        if (reply.code !== 250) return this.#refused("my name was rejected", reply);
        this.#peer = parsePeer(reply);
        return this.#secureOrGoOn();
      case "helo":
        if (reply.code !== 250) return this.#refused("my name was rejected", reply);
        this.#peer = plainPeer;
        return this.#secureOrGoOn();
      case "starttls":
        return this.#onStartTls(reply);
      case "login":
        return this.#onLoginReply(reply);
      case "implicit":
      case "handshake":
      case "opened":
        throw new Error(`no reply is awaited in the phase ${this.#phase}`);
      default:
        return assertNever(this.#phase);
    }
  }

  /** TLS protects the connection: whatever the server said before is forgotten (RFC 3207 §4.2). */
  onSecured(facts: TlsFacts): OpeningStep {
    this.#tls = facts;
    this.#flaw = facts.flaw;
    this.#peer = plainPeer;
    return this.#phase === "implicit" ? this.#say("greeting", "") : this.#hello();
  }

  /** The handshake failed, or what the certificate has to prove was not proved; the connection is gone. */
  onInsecure(flaw: TlsFlaw, text: string): OpeningStep {
    this.#flaw = flaw;
    const failed = report("Z", `Connected to ${this.#options.ip} but TLS failed: ${text}. (#4.7.5)`);
    return this.#mayGoPlain ? { kind: "plain", report: failed } : this.#fail(failed, "");
  }

  /** Somebody spoke between the server's consent to TLS and the handshake: to slip words in as if TLS protected them. */
  onSurplus(): OpeningStep {
    this.#flaw = "validation-failure";
    return this.#fail(this.#says("Z", "something was slipped in before TLS. (#4.7.0)"), "");
  }

  onDerived(salted: Uint8Array): OpeningStep {
    if (this.#exchange?.kind !== "derive") throw new Error("no key was asked for");
    return this.#onLoginStep(this.#exchange.resume(salted));
  }

  /** No reply will come any more. */
  onBroken(breakage: Breakage): OpeningStep {
    const broken = brokenReport(this.#options.ip, breakage);
    // Servers that cannot do TLS often go away only then; one that dislikes our part says so behind our handshake.
    const byTls = this.#phase === "starttls" ||
      this.#tls !== undefined && (this.#phase === "ehlo" || this.#phase === "helo");
    if (!byTls) return this.#fail(broken, "");
    this.#flaw ??= "validation-failure";
    return this.#mayGoPlain ? { kind: "plain", report: broken } : this.#fail(broken, "");
  }

  get #mayGoPlain(): boolean {
    const { policy, requireTls } = this.#options;
    return policy.tls === "may" && !policy.implicit && !requireTls;
  }

  #hello(): OpeningStep {
    const { protocol, helo } = this.#options;
    return this.#say("ehlo", `${protocol === "lmtp" ? "LHLO" : "EHLO"} ${helo}\r\n`);
  }

  #secureOrGoOn(): OpeningStep {
    const { policy, requireTls } = this.#options;
    if (this.#tls !== undefined) return this.#afterTls();
    if (policy.tls !== "none" && this.#peer.startTls) return this.#say("starttls", "STARTTLS\r\n");
    if (policy.tls !== "none") this.#flaw = "starttls-not-supported";
    if (requireTls) return this.#noRequireTls();
    if (policy.tls !== "must") return this.#afterTls();
    return this.#fail(this.#says("Z", "it offers no TLS, which is required. (#4.7.10)"), quit);
  }

  #onStartTls(reply: Reply): OpeningStep {
    if (reply.code === 220) {
      this.#phase = "handshake";
      return { kind: "secure" };
    }
    this.#flaw = "starttls-not-supported";
    if (!this.#mayGoPlain || reply.code === 421) return this.#refused("TLS was refused", reply);
    return this.#afterTls();
  }

  #afterTls(): OpeningStep {
    const { requireTls, login } = this.#options;
    if (requireTls && (this.#tls === undefined || !this.#peer.requireTls)) return this.#noRequireTls();
    return login === undefined ? this.#open() : this.#logIn(login);
  }

  #logIn(login: Login): OpeningStep {
    const { ip, nonce } = this.#options;
    const { auth } = this.#peer;
    if (auth.length === 0) return this.#fail(this.#says("Z", "it offers no login. (#4.7.0)"), quit);
    const step = startLoginExchange(auth, this.#tls !== undefined || isLoopback(ip), login, nonce);
    if (step !== undefined) return this.#onLoginStep(step);
    return this.#fail(this.#says("Z", "it offers no mechanism that keeps the password secret. (#4.7.11)"), quit);
  }

  #onLoginReply(reply: Reply): OpeningStep {
    const exchange = this.#exchange;
    if (exchange?.kind !== "say") throw new Error("nothing was said");
    if (reply.code === 334) {
      const challenge = decodeBase64((reply.lines[0] ?? "").trim());
      // "*" ends the exchange (RFC 4954 §4).
      if (challenge === undefined) return this.#badLogin("its challenge was malformed. (#4.5.0)", `*\r\n${quit}`);
      return this.#onLoginStep(exchange.resume(challenge));
    }
    // A password of ours that is wrong must not bounce anybody's mail.
    if (reply.code !== 235) return this.#refused("login was refused", reply);
    return exchange.isProved ? this.#open() : this.#badLogin(unproved, quit);
  }

  #onLoginStep(step: LoginStep): OpeningStep {
    switch (step.kind) {
      case "say":
        this.#exchange = step;
        return this.#say("login", `${step.line}\r\n`);
      case "derive":
        this.#exchange = step;
        return step.derive;
      case "failed":
        return this.#badLogin(
          step.why === "unproved" ? unproved : "its challenge was malformed. (#4.5.0)",
          `*\r\n${quit}`,
        );
      default:
        return assertNever(step);
    }
  }

  #badLogin(text: string, farewell: string): OpeningStep {
    return this.#fail(this.#says("Z", text), farewell);
  }

  #noRequireTls(): OpeningStep {
    const text = "it cannot keep the message within TLS, as its sender requires. (#5.7.30)";
    return this.#fail(this.#says("D", text), quit);
  }

  #says(verdict: "Z" | "D", text: string): DeliveryReport {
    return report(verdict, `Connected to ${this.#options.ip} but ${text}`);
  }

  #refused(what: string, reply: Reply): OpeningStep {
    return this.#fail(replyReport("Z", `Connected to ${this.#options.ip} but ${what}.`, reply), quit, reply.code);
  }

  #open(): OpeningStep {
    this.#phase = "opened";
    return opened;
  }

  /** `code`: of the reply that was the end of it, if one was. */
  #fail(why: DeliveryReport, farewell: string, code = 0): OpeningStep {
    return { kind: "failed", report: why, farewell, code };
  }

  #say(phase: Phase, send: string): OpeningStep {
    this.#phase = phase;
    return { kind: "reply", send };
  }
}

const unproved = "it could not prove that it knows the password. (#4.7.0)";

/** Whether what is said to `ip` stays on this machine. */
function isLoopback(ip: string): boolean {
  return ip.startsWith("127.") || ip === "::1";
}
