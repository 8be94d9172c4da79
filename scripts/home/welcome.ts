/**
 * What `deno task start` says once everything runs.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { caller } from "../cli/called.ts";
import { type Config, netAddress } from "../../components/lib/permissions/grant.ts";
import { lmtpSockets } from "../../components/qmail-smtpd/permissions.ts";
import { type Service, tcpListeners } from "../../config/values.ts";
import type { SupervisorStatus } from "../../components/lib/wire/status_protocol.ts";

/** How this very deno can be called again for another task. */
function denoTask(): string {
  if (caller() === "dqmail") return "dqmail";
  return Deno.execPath().includes("/_npx/") ? `npx -y deno@${Deno.version.deno} task` : "deno task";
}

/** Whether the other tasks find this home without being told (it may be a symlink's goal). */
function isDefaultHome(home: Home): boolean {
  try {
    return Deno.realPathSync("var") === home.dir;
  } catch {
    // There is no "var" here.
    return false;
  }
}

/** Listeners that are told of where they are configured, by their name in control/listeners. */
const places = [
  ["submission", "submission"],
  ["submissions", "submissions"],
  ["qmtp", "QMTP"],
  ["qmtps", "QMTPS"],
  ["qmqp", "QMQP"],
  ["pop3", "POP3"],
  ["pop3s", "POP3S"],
] as const;

/** The text, as lines for a terminal. `adminToken`: one that was made just now, and is told this once. */
export function welcome(
  home: Home,
  config: Config,
  { components }: SupervisorStatus,
  adminToken?: string,
): string {
  if (config.controls.mode === "mini") return welcomeMini(home, config);
  const listeners = components.flatMap((component) => Object.entries(component.ports));
  const port = (name: string) => listeners.find(([service]) => service === name)?.[1];
  /** Where a service listens, by its first line in control/listeners; the port is the one that it has. */
  const place = (service: Service): string => {
    const [listener] = tcpListeners(config.controls.listeners, service);
    return netAddress({ host: listener?.host ?? "127.0.0.1", port: port(service)! });
  };
  const sockets = lmtpSockets(config.controls.listeners, home);
  const lmtp = [...port("lmtp") === undefined ? [] : [`127.0.0.1:${port("lmtp")}`], ...sockets];
  const others = [
    ...places.flatMap(([service, word]) =>
      port(service) === undefined ? [] : [`  ${word.padEnd(10)} ${place(service)}`]
    ),
    ...lmtp.map((where) => `  LMTP       ${where}`),
  ];
  const { me } = config.controls;
  const homeFlag = isDefaultHome(home) ? "" : ` --home ${home.dir}`;
  return [
    "",
    `dqmail runs: ${processesOf(components)}, each with its own grant (${denoTask()} status${homeFlag})`,
    "",
    `  SMTP       127.0.0.1:${port("smtp") ?? "-"}`,
    ...others,
    ...(port("admin") === undefined ? [] : [`  admin      http://127.0.0.1:${port("admin")}/`]),
    ...(adminToken === undefined ? [] : [`             log in with ${adminToken}  (told only this once)`]),
    `  mailbox    demo@${me}  (and demo-anything@${me})`,
    `  Maildir    ${home.mail(me, "demo", "Maildir")}`,
    `  control    ${home.control("")}`,
    `  dqmail     ${home.bin("dqmail")}  (every command; "dqmail help" says which)`,
    "",
    "Send a first message from another terminal:",
    "",
    `  ${denoTask()} send demo@${me} --text "Hello"${homeFlag}`,
    `  cat ${home.mail(me, "demo", "Maildir", "new")}/*`,
    "",
    "Ctrl-C stops it in order.",
    "",
  ].join("\n");
}

/** Without a queue nothing runs but the supervisor. */
function welcomeMini(home: Home, { controls: { qmqpservers } }: Config): string {
  const servers = qmqpservers.map(netAddress).join(", ");
  return [
    "",
    "dqmail runs: no process, for control/mode is mini: this host has no queue",
    "",
    servers === ""
      ? `  nothing can be sent: ${home.control("qmqpservers")} names no server`
      : `  mail is handed over QMQP to ${servers}`,
    `  by ${home.bin("sendmail")}, ${home.bin("qmail-inject")} and the other programs there,`,
    "  which work whether this runs or not",
    "",
    "Ctrl-C stops it.",
    "",
  ].join("\n");
}

/** How many run, and how many more there are. */
function processesOf(components: SupervisorStatus["components"]): string {
  const asleep = components.filter(({ state }) => state === "asleep").length;
  const running = `${components.length - asleep} processes`;
  return asleep === 0 ? running : `${running}, and ${asleep} more when they are needed`;
}
