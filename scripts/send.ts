/**
 * `deno task send RECIPIENT... [--from ADDRESS] [--subject S] [--text T] [--server HOST:PORT] [--home DIR]`: sends one
 * message over SMTP and shows the dialogue: for a first try, and for finding out what a server says.
 * @module
 */
import net from "node:net";
import { homeAt } from "../config/home.ts";
import { parseEndpoint } from "../config/values.ts";
import { parseSupervisorStatus } from "../components/lib/wire/status_protocol.ts";
import { askStatus } from "./ask.ts";
import { failUsage, readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { fail } from "./fail.ts";

const command = commandOf("send");

async function ownServer(dir: string): Promise<string> {
  const status = await askStatus(homeAt(dir), "supervisor-status", parseSupervisorStatus).catch(() => undefined);
  const port = status?.components.find((component) => component.name === "qmail-smtpd")?.ports["smtp"];
  if (port === undefined) {
    fail(`no dqmail runs in ${homeAt(dir).dir}; name one with --home, or another server with --server`);
  }
  return `127.0.0.1:${port}`;
}

/** Hears each line of the dialogue, with "C: " or "S: " in front. */
type Hear = (line: string) => void;

/** One reply: all its lines. Answers the last. */
async function readReply(lines: AsyncIterator<string>, hear: Hear): Promise<string> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done === true) fail("the server closed the connection");
    hear(`S: ${value}`);
    if (value[3] !== "-") return value;
  }
}

async function* linesOf(socket: net.Socket): AsyncGenerator<string, void, undefined> {
  let held = "";
  for await (const chunk of socket) {
    held += chunk.toString("latin1");
    for (let end = held.indexOf("\n"); end >= 0; end = held.indexOf("\n")) {
      yield held.slice(0, end).replace(/\r$/, "");
      held = held.slice(end + 1);
    }
  }
}

function messageText(from: string, recipients: readonly string[], subject: string, text: string): string {
  const header = [
    `From: <${from}>`,
    `To: ${recipients.map((recipient) => `<${recipient}>`).join(", ")}`,
    `Subject: ${subject}`,
    `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${crypto.randomUUID()}@${from.slice(from.lastIndexOf("@") + 1)}>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
  ];
  const body = text.replace(/\r?\n/g, "\r\n").replace(/\r\n$/, "").replace(/^\./gm, "..");
  return `${header.join("\r\n")}\r\n\r\n${body}\r\n.\r\n`;
}

/** What this task does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(command, argv);
  if (args === undefined) return;
  if (args._.length === 0) failUsage(command, "say to whom");
  const dialogue: string[] = [];
  const hear: Hear = (line) => args["json"] === true ? void dialogue.push(line) : console.log(line);
  const [recipients, from] = [args._, String(args["from"] ?? "you@localhost")];
  if ([from, ...recipients].some((address) => /[\r\n<>]/.test(address))) {
    fail("an address may hold no line end, < or >");
  }
  const text = args["text"] === undefined ? await new Response(Deno.stdin.readable).text() : String(args["text"]);
  const subject = String(args["subject"] ?? "A message").replace(/[\r\n]+/g, " ");
  const endpoint = parseEndpoint(String(args["server"] ?? await ownServer(String(args["home"] ?? "var"))), 25);
  if (endpoint === undefined) fail("--server needs HOST:PORT");

  const socket = net.connect(endpoint.port, endpoint.host);
  socket.on("error", (error) => fail(`cannot talk to ${endpoint.host} port ${endpoint.port}: ${error.message}`));
  const lines = linesOf(socket);
  const say = async (line: string, shown = line): Promise<string> => {
    hear(`C: ${shown}`);
    socket.write(line);
    return await readReply(lines, hear);
  };
  await readReply(lines, hear);
  await say("EHLO localhost\r\n", "EHLO localhost");
  await say(`MAIL FROM:<${from}>\r\n`, `MAIL FROM:<${from}>`);
  const accepted: string[] = [];
  for (const recipient of recipients) {
    if ((await say(`RCPT TO:<${recipient}>\r\n`, `RCPT TO:<${recipient}>`)).startsWith("250")) accepted.push(recipient);
  }
  const sent = accepted.length > 0 && (await say("DATA\r\n", "DATA")).startsWith("354") &&
    (await say(messageText(from, recipients, subject, text), "(the message)")).startsWith("250");
  await say("QUIT\r\n", "QUIT");
  if (args["json"] === true) console.log(JSON.stringify({ sent, accepted, dialogue }, undefined, 2));
  Deno.exit(sent && accepted.length === recipients.length ? 0 : 1);
}

if (import.meta.main) await main(Deno.args);
