/**
 * What answers for the supervisor where systemd starts the components: it tells how they are, and decides for those
 * without flags. It starts and stops nothing.
 * @module
 */
import { accountIds } from "../../../config/accounts.ts";
import type { Home, SocketName } from "../../../config/home.ts";
import { manifests } from "../../../config/manifests.ts";
import { isAllowed } from "../../lib/permissions/decide.ts";
import { type Config, type Rights, rightsOf } from "../../lib/permissions/grant.ts";
import { describeError, log, logEvent } from "../../lib/log/log.ts";
import { CannotStart, type Running, type Start } from "../../lib/process/component.ts";
import * as field from "../../lib/wire/fields.ts";
import { serveUnix } from "../../lib/wire/server.ts";
import { serveStatus } from "../../lib/wire/status_server.ts";
import type { SupervisorStatus } from "../../lib/wire/status_protocol.ts";
import { serveBroker } from "../broker.ts";
import { readShownControls } from "../control_files.ts";
import { readText } from "../grants.ts";
import { brokerNames } from "../permissions.ts";
import { isConfig, readOwnConfig } from "../config.ts";
import { parseStates, statusFromUnits } from "./states.ts";

/** What systemd said is good for so long: asking takes a process. */
const freshMs = 2000;
const refusal = `systemd runs this: "systemctl reload dqmail-grants" reads the control files again`;

/** The states of the units as they were a moment ago. */
class UnitStates {
  readonly #program: string;
  #text = "";
  #askedMs = -Infinity;
  #asking: Promise<void> | undefined;

  constructor(program: string) {
    this.#program = program;
  }

  /** What is known now; what is asked for meanwhile is for the next who wants to know. */
  get text(): string {
    if (Date.now() - this.#askedMs >= freshMs) this.ask();
    return this.#text;
  }

  ask(): Promise<void> {
    return this.#asking ??= this.#ask().finally(() => this.#asking = undefined);
  }

  async #ask(): Promise<void> {
    this.#askedMs = Date.now();
    try {
      const { success, stdout } = await new Deno.Command(this.#program, {
        stdin: "null",
        stderr: "null",
        clearEnv: true,
      })
        .output();
      if (success) this.#text = new TextDecoder().decode(stdout);
      else logEvent("unasked", { reason: "systemctl failed" });
    } catch (error) {
      logEvent("unasked", { reason: describeError(error) });
    }
  }
}

function decided(home: Home, config: Config): ReadonlyMap<SocketName, Rights> {
  const grants = manifests.map((manifest) => manifest.permissions(config));
  return new Map(
    grants.flatMap((grant) => grant.broker === undefined ? [] : [[grant.broker, rightsOf(grant, home)] as const]),
  );
}

/** Starts answering. Throws CannotStart on a malformed control file. */
export async function answer({ home, portOffset }: Start): Promise<Running> {
  const first = readOwnConfig(home, portOffset);
  if (!isConfig(first)) throw new CannotStart(first.join("; "));
  let config: Config = first;
  let rights = decided(home, config);
  const startedMs = Date.now();
  const ids = accountIds(readText("/etc/passwd"));
  const states = new UnitStates(home.libexec("launch", "unit-states"));
  const status = (): SupervisorStatus =>
    statusFromUnits(parseStates(states.text), {
      manifests,
      uidOf: ({ account }) => ids[account].uid,
      config,
      pid: Deno.pid,
      startedMs,
      nowMs: Date.now(),
    });
  const control = serveUnix(home.socket("supervisor"), {
    onFrame: async (frame, pipe) => {
      const id = field.wholeNumber(frame.head, "id");
      switch (field.oneOf(frame.head, "op", ["reload", "status"])) {
        case "reload":
          pipe.send({ id, defects: [refusal] });
          break;
        case "status":
          // Whoever may ask here wants to know how it is now.
          await states.ask();
          pipe.send({ id, ...status() });
          break;
      }
    },
    onError: (error) => logEvent("garbage", { socket: "supervisor", reason: describeError(error) }),
  });
  const others = new Map([["controls", () => readShownControls(home, true)]]);
  const open = serveStatus(home, "supervisor-status", status, others);
  const brokers = brokerNames.map((name) =>
    serveBroker(home.socket(name), {
      decide: (check) => {
        const of = rights.get(name);
        return of !== undefined && isAllowed(of, check);
      },
      onGarbage: (reason) => logEvent("garbage", { socket: name, reason }),
    })
  );
  await states.ask();
  return {
    reload: () => {
      const again = readOwnConfig(home, portOffset);
      if (!isConfig(again)) return again;
      config = again;
      rights = decided(home, config);
      log("reloaded");
      return [];
    },
    stop: () => {
      control.stop();
      open.stop();
      for (const broker of brokers) broker.stop();
      return Promise.resolve();
    },
  };
}
