/**
 * One exchange with a client: carries out the steps of its mechanism, asks whether what it says is right, and counts and
 * logs what came of it.
 * @module
 */
import { assertNever } from "../lib/result.ts";
import type { AuthClient, AuthExchange, AuthStep, Mechanism } from "../lib/sasl/authenticator.ts";
import { startMechanism, takesInitialResponse } from "../lib/sasl/mechanism.ts";
import { canonicalLogin } from "../lib/sasl/names.ts";
import { type Beginning, type Failed, malformed, type MechanismStep } from "../lib/sasl/step.ts";
import type { Checked, Claim, Credentials } from "./credentials.ts";
import { clientOf, type Failures, mostDelayMs } from "./failures.ts";
import type { Turns } from "./turns.ts";

/** What all exchanges share. */
export interface Service {
  readonly credentials: Credentials;
  readonly failures: Failures;
  readonly turns: Turns;
  /** This host's name. */
  readonly me: string;
  /** ms of a clock that only goes forward. */
  readonly nowMs: () => number;
  /** Settles when others have had their turn. */
  readonly breathe: () => Promise<void>;
  /** A ticket for who has logged in there, where that is of use. */
  readonly issueTicket?: (entrance: string, login: string) => string | undefined;
  readonly logEvent: (event: "login" | "login-failed", pairs: Readonly<Record<string, string>>) => void;
}

type End = Extract<MechanismStep, { kind: "success" | "failure" }>;

const locked: Checked = { verdict: "throttled", detail: "locked" };
const busy: Checked = { verdict: "throttled", detail: "busy" };
const cancelled: Checked = { verdict: "unavailable", detail: "cancelled" };

export class Exchange implements AuthExchange {
  readonly #service: Service;
  readonly #mechanism: Mechanism;
  readonly #facts: AuthClient;
  /** What failures are counted by. */
  readonly #client: string;
  readonly #first: Extract<MechanismStep, { kind: "challenge" }>;
  /** What goes on with the client's next response; undefined while something is being asked, and at the end. */
  #resume: ((response: Uint8Array) => MechanismStep) | undefined;
  #hasBegun = false;
  #isCancelled = false;
  /** In its canonical form, once something was asked about it. */
  #login: string | undefined;
  /** What the log says of a failure. */
  #detail: string | undefined;
  /** How long the answer to it is held back, once it was counted. */
  #delayMs: number | undefined;

  constructor(mechanism: Mechanism, facts: AuthClient, beginning: Beginning, service: Service) {
    this.#service = service;
    this.#mechanism = mechanism;
    this.#facts = facts;
    this.#client = clientOf(facts.ip);
    const first = startMechanism(mechanism, beginning);
    if (first.kind !== "challenge") throw new Error(`${mechanism} begins without a challenge`);
    this.#first = first;
  }

  /** Whether it goes on: neither over nor in the middle of a step. */
  get waitsForResponse(): boolean {
    return !this.#hasBegun || this.#resume !== undefined;
  }

  next(response: Uint8Array | undefined): Promise<AuthStep> {
    if (!this.#hasBegun) return this.#begin(response);
    const resume = this.#resume;
    this.#resume = undefined;
    if (resume === undefined || this.#isCancelled) return Promise.resolve({ kind: "failure", reason: "unavailable" });
    if (response === undefined) return Promise.resolve(this.#end(malformed));
    // Between SCRAM's steps others may have failed.
    if (this.#login !== undefined && this.#isLocked(this.#login)) return Promise.resolve(this.#end(failureOf(locked)));
    return this.#perform(resume(response));
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#resume = undefined;
  }

  #begin(response: Uint8Array | undefined): Promise<AuthStep> {
    this.#hasBegun = true;
    if (response === undefined) return this.#perform(this.#first);
    if (!takesInitialResponse(this.#mechanism)) return Promise.resolve(this.#end(malformed));
    return this.#perform(this.#first.resume(response));
  }

  async #perform(step: MechanismStep): Promise<AuthStep> {
    for (;;) {
      switch (step.kind) {
        case "challenge":
          if (!this.#isCancelled) this.#resume = step.resume;
          return { kind: "challenge", challenge: step.challenge };
        case "password": {
          const { password, login, resume } = step;
          step = resume(await this.#ask(login, (claim) => this.#service.credentials.password(claim, password)));
          break;
        }
        case "digest": {
          const { of, challenge, digest, login, resume } = step;
          const compare = (claim: Claim) => this.#service.credentials.digest(claim, challenge, digest, of);
          step = resume(await this.#ask(login, compare));
          break;
        }
        case "secret": {
          const claim = this.#claim(step.login);
          if (this.#isLocked(claim.canonical)) return this.#end(failureOf(locked));
          const found = this.#service.credentials.secret(claim);
          if (typeof found !== "string" && !found.isReal) this.#detail = "no-secret";
          step = step.resume(found);
          break;
        }
        case "success":
        case "failure":
          return this.#end(step);
        default:
          return assertNever(step);
      }
    }
  }

  #claim(login: string): Claim {
    const canonical = canonicalLogin(login, this.#service.me);
    this.#login = canonical;
    return { login, canonical, ip: this.#facts.ip };
  }

  #isLocked(canonical: string): boolean {
    const { failures, nowMs } = this.#service;
    return failures.isLocked(this.#client, canonical, nowMs());
  }

  /** Compares when it is this exchange's turn. Nobody who waited may do so who was locked out meanwhile. */
  async #ask(login: string, compare: (claim: Claim) => Promise<Checked>): Promise<Checked["verdict"]> {
    const claim = this.#claim(login);
    if (this.#isLocked(claim.canonical)) return this.#note(locked);
    const checked = await this.#service.turns.take(this.#client, async () => {
      if (this.#isCancelled) return cancelled;
      if (this.#isLocked(claim.canonical)) return locked;
      const found = await compare(claim);
      // Counted before the next one has its turn.
      if (found.verdict === "credentials") this.#count(claim.canonical);
      await this.#service.breathe();
      return found;
    });
    return this.#note(checked ?? busy);
  }

  #note({ verdict, detail }: Checked): Checked["verdict"] {
    this.#detail = detail;
    return verdict;
  }

  #count(canonical: string): void {
    const { failures, nowMs } = this.#service;
    this.#delayMs = failures.failed(this.#client, canonical, nowMs());
  }

  #end(step: End): AuthStep {
    this.#resume = undefined;
    const login = this.#login ?? (step.login === undefined ? undefined : canonicalLogin(step.login, this.#service.me));
    const { ip, entrance, tls } = this.#facts;
    const pairs = { ip, ...(login === undefined ? {} : { login }), mechanism: this.#mechanism, entrance };
    const facts = { ...pairs, tls: tls ? "yes" : "no" };
    if (step.kind === "success") {
      const name = login ?? step.login;
      this.#service.failures.succeeded(this.#client, name, this.#service.nowMs());
      this.#service.logEvent("login", facts);
      const ticket = this.#service.issueTicket?.(entrance, name);
      return {
        kind: "success",
        login: name,
        ...(step.final === undefined ? {} : { final: step.final }),
        ...(ticket === undefined ? {} : { ticket }),
      };
    }
    const reason = step.detail ?? this.#detail ?? step.reason;
    if (step.reason === "credentials" && login !== undefined && this.#delayMs === undefined) this.#count(login);
    this.#service.logEvent("login-failed", { ...facts, reason });
    return { kind: "failure", reason: step.reason, ...this.#holdBack(step) };
  }

  #holdBack({ reason, detail = this.#detail }: Failed): { readonly delayMs?: number } {
    if (reason === "credentials" && this.#delayMs !== undefined) return { delayMs: this.#delayMs };
    return reason === "throttled" && detail === "locked" ? { delayMs: mostDelayMs } : {};
  }
}

function failureOf({ verdict, detail }: Checked): Failed {
  if (verdict === "right") throw new Error("no failure");
  return { kind: "failure", reason: verdict, ...(detail === undefined ? {} : { detail }) };
}
