/**
 * chasquid's scripted sessions, with their texts reduced to the kind of reply (2yz, 4yz, …), since each server words its
 * own.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { existsSync } from "@std/fs";
import { join } from "@std/path";
import { describe, it } from "@std/testing/bdd";
import { utf8Octets } from "../../components/lib/octets.ts";
import { captureLog } from "../support/captured_log.ts";
import { allMechanisms } from "./fake_authenticator.ts";
import { fakeSecured, NearWorld } from "./near_world.ts";
import type { SmtpClient } from "./smtp_client.ts";
import { root, World } from "./world.ts";

const dir = join(root, "../shared/vectors/smtp-dialogs/test");

/** What is not this server's part, or its decision. */
const skipped = new Map([
  ["test_chasquid_util.cmy", "no SMTP dialogue"],
  ["empty_helo.cmy", "HELO needs no argument, as in qmail"],
]);

/** Sessions in which this server decides otherwise: the replies of theirs that differ, and ours. */
const otherwise = new Map([
  ["bad_data.cmy", new Map([["554 5.6.0 Error parsing message", "250"]])],
  // The third failure is said before the connection ends.
  ["auth_too_many_failures.cmy", new Map([["421 4.5.0 Too many errors, bye", "501"]])],
  ["wrong_proto.cmy", new Map([["502 5.7.0 You hear someone cursing shoplifters", "421"]])],
]);

/** `'text'`, numbers, `+`, `*` and parentheses: what the scripts' raw octets are written in. */
function evaluate(expression: string): string {
  const tokens = expression.match(/'[^']*'|[0-9]+|[()+*]/g) ?? [];
  const factor = (): string => {
    const token = tokens.shift()!;
    if (token !== "(") return token.startsWith("'") ? JSON.parse(`"${token.slice(1, -1)}"`) : token;
    const value = sum();
    tokens.shift();
    return value;
  };
  const product = (): string => {
    let value = factor();
    while (tokens[0] === "*") {
      tokens.shift();
      value = value.repeat(Number(factor()));
    }
    return value;
  };
  const sum = (): string => {
    let value = product();
    while (tokens[0] === "+") {
      tokens.shift();
      value += product();
    }
    return value;
  };
  return sum();
}

async function playScript(
  script: string,
  connect: (tls: boolean) => Promise<SmtpClient>,
  differing: ReadonlyMap<string, string>,
): Promise<void> {
  let client: SmtpClient | undefined;
  for (const line of script.split("\n")) {
    const [, action = "", text = ""] = /^c (\S+) ?(.*)$/.exec(line) ?? [];
    switch (action) {
      case "":
        break;
      case "close":
      case "tcp_connect":
      case "tls_connect":
        client?.close();
        if (action !== "close") client = await connect(action === "tls_connect");
        break;
      case "->":
        // Brackets around a path are a must here.
        await client!.send(`${utf8Octets(text.replace(/^RCPT TO: ([^<]+)$/, "RCPT TO:<$1>"))}\r\n`);
        break;
      case "~>":
        await client!.send(evaluate(text));
        break;
      case "<~":
      case "<-":
      case "<...": {
        const want = differing.get(text) ?? text.slice(0, 1);
        const got = await client!.reply();
        assert(got?.startsWith(want), `expected ${text}, got ${got}`);
        break;
      }
      default:
        throw new Error(`cannot play ${line}`);
    }
  }
  client?.close();
}

/** Logins, where TLS is a word: what is played is the dialogue. */
async function playLogins(path: string, differing: ReadonlyMap<string, string>): Promise<void> {
  using _log = captureLog();
  const values = { settings: { greeting: "testserver", databytes: 0, mechanisms: allMechanisms } };
  await using clear = NearWorld.start({ values: () => values });
  await using encrypted = NearWorld.start({ values: () => values, arrival: { secured: fakeSecured } });
  await playScript(await Deno.readTextFile(path), (tls) => (tls ? encrypted : clear).connect(), differing);
}

describe("qmail-smtpd in chasquid's sessions", () => {
  if (!existsSync(dir)) {
    it("answers as that does (skipped: ../shared/vectors is not there)", { ignore: true }, () => {});
    return;
  }
  for (const test of [...Deno.readDirSync(dir)].map(({ name }) => name).sort()) {
    const files = [...Deno.readDirSync(join(dir, test))].map(({ name }) => name).filter((name) =>
      name.endsWith(".cmy")
    );
    for (const file of files.sort()) {
      const reason = skipped.get(file);
      it(
        `${test}/${file}${reason === undefined ? "" : ` (skipped: ${reason})`}`,
        { ignore: reason !== undefined },
        async () => {
          if (file.startsWith("auth_")) {
            return await playLogins(join(dir, test, file), otherwise.get(file) ?? new Map());
          }
          await using world = await World.start({ controls: { databytes: "1048576\n" } });
          const path = join(dir, test, file);
          await playScript(await Deno.readTextFile(path), () => world.connect(), otherwise.get(file) ?? new Map());
          if (!existsSync(`${path}.verify`)) return;
          const [message] = world.queue.messages;
          assertEquals(
            message!.content.split("\n").slice(2).join("\n").trim(),
            (await Deno.readTextFile(`${path}.verify`)).trim(),
          );
        },
      );
    }
  }
});
