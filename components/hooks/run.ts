/**
 * hooks' shell: programs, and who asks for them.
 * @module
 */
import { describeError, logEvent } from "../lib/log/log.ts";
import { environmentDefect } from "../lib/hooks/environment.ts";
import type { Hook } from "../lib/hooks/plugins_file.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import type { Environment } from "../lib/tcprules/tcp_rules.ts";
import { isProgramPath } from "../lib/tcprules/variables.ts";
import { type HooksRequest, parseHooksRequest, type RcptcheckReply } from "../lib/wire/hooks_protocol.ts";
import type { Pipe } from "../lib/wire/pipe.ts";
import { ProtocolError, serveUnix } from "../lib/wire/server.ts";
import type { PluginAnswer } from "../lib/policy/oracles.ts";
import { cannotRun, failureOf, runPlugins } from "./plugins.ts";
import { type Checked, Programs } from "./programs.ts";
import { QueueIntake } from "./queue_intake.ts";
import { scriptName } from "./script.ts";

export function run({ home }: Start, programs: Programs = new Programs(home)): Running {
  const controls = new ControlValues(home, "hooks");
  const intakes = new Map<Pipe, QueueIntake>();
  let queues = 0;

  const say = (hook: Hook, said: string) => {
    const lines = said.split("\n").filter((line) => line !== "").slice(0, 10);
    for (const text of lines) logEvent("said", { program: scriptName(hook, home), text });
  };

  const check = async (hook: Hook, environment: Environment): Promise<Checked> => {
    const checked = await programs.check(hook, environment);
    say(hook, checked.said);
    const { end } = checked;
    const reason = end.kind === "unstarted" ? end.reason : failureOf(end);
    if (reason !== undefined) logEvent("failed", { program: scriptName(hook, home), reason });
    return checked;
  };

  const rcptcheck = async (program: string, environment: Environment): Promise<RcptcheckReply> => {
    const { end } = await check({ program }, environment);
    if (end.kind === "exited") return { kind: "exited", code: end.code };
    if (end.kind === "unstarted") return { kind: "exited", code: cannotRun };
    return { kind: "failure", detail: failureOf(end) ?? end.kind };
  };

  const intakeFor = (program: string, environment: Environment): QueueIntake => {
    const hook = { program };
    return new QueueIntake({
      start: () => {
        const defect = isProgramPath(program) ? environmentDefect(environment) : "no path of a program";
        if (defect !== undefined) throw new Error(defect);
        return programs.startQueue(hook, environment);
      },
      queueMs: programs.limits.queueMs,
      pieceMs: programs.limits.pieceMs,
      take: () => {
        if (queues >= programs.limits.queues) return false;
        queues++;
        return true;
      },
      release: () => void queues--,
      onSaid: (text) => say(hook, text),
      onTrouble: (error) => logEvent("failed", { program: scriptName(hook, home), reason: describeError(error) }),
    });
  };

  const answer = async (
    request: Extract<HooksRequest, { op: "rcptcheck" | "spp" }>,
  ): Promise<RcptcheckReply | PluginAnswer> => {
    const { environment } = request;
    const defect = request.op === "rcptcheck" && !isProgramPath(request.program)
      ? "no path of a program"
      : environmentDefect(environment);
    if (defect !== undefined) {
      logEvent("refused", { reason: defect });
      return { kind: "failure", detail: defect };
    }
    if (request.op === "rcptcheck") return await rcptcheck(request.program, environment);
    const hooks = controls.current.smtpplugins.get(request.stage) ?? [];
    // A plug-in may have set what no program may get.
    const runPlugin = async (hook: Hook, variables: Environment): Promise<Checked> => {
      const wrong = environmentDefect(variables);
      return wrong === undefined
        ? await check(hook, variables)
        : { end: { kind: "unstarted", reason: wrong }, output: "", said: "" };
    };
    return await runPlugins(hooks, request.stage, environment, runPlugin);
  };

  const server = serveUnix(home.socket("hooks"), {
    onFrame: (frame, pipe) => {
      const request = parseHooksRequest(frame);
      switch (request.op) {
        case "program":
          intakes.get(pipe)?.end();
          intakes.set(pipe, intakeFor(request.program, request.environment));
          return;
        case "rcptcheck":
        case "spp":
          void answer(request).then((reply) => pipe.send({ ...reply, id: request.id }));
          return;
        default: {
          const intake = intakes.get(pipe);
          if (intake === undefined) throw new ProtocolError("a message before its program");
          return intake.take(request, (reply) => pipe.send({ ...reply, id: request.id }));
        }
      }
    },
    onClose: (pipe) => {
      intakes.get(pipe)?.end();
      intakes.delete(pipe);
    },
    onError: (error) => logEvent("garbage", { socket: "hooks", reason: describeError(error) }),
  });
  return {
    reload: () => controls.reload(),
    stop: () => {
      server.stop();
      programs.endAll();
      server.closeAll();
      return Promise.resolve();
    },
  };
}
