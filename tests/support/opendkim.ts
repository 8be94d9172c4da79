/**
 * A real OpenDKIM, run as a milter in a temporary folder: it signs for x.example, and says of mail of others what it finds.
 * @module
 */
import { assert } from "@std/assert";
import type { ClientNote } from "../../components/lib/filters/filter.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { milterJudge } from "../../components/milter/judge.ts";
import { filterMessage } from "./filter_message.ts";
import { findProgram } from "./program.ts";
import { tempDir } from "./temp_dir.ts";
import { waitFor } from "./wait.ts";

/** OpenDKIM verifies what he brings. */
export const stranger: ClientNote = {
  entrance: "smtp",
  ip: "192.0.2.7",
  helo: "c.example",
  tls: false,
  relaying: false,
};
/** OpenDKIM signs for those who have logged in. */
export const joe: ClientNote = { ...stranger, entrance: "submission", login: "joe", relaying: true };

export interface OpenDkimOptions {
  /** Signs with it as s.x.example, in this canonicalization; without it OpenDKIM only verifies. */
  readonly signing?: { readonly pem: string; readonly algorithm: string; readonly canonicalization: string };
  /** The keys of those who sign: values by their names, or the port of a name server on 127.0.0.1. */
  readonly keys: Readonly<Record<string, string>> | { readonly dnsPort: number };
}

export interface OpenDkim extends AsyncDisposable {
  /** What comes of a message, an octet string with LF lines. */
  judge(text: string, client: ClientNote): Promise<string>;
}

export async function startOpenDkim({ signing, keys }: OpenDkimOptions): Promise<OpenDkim> {
  const dir = tempDir();
  const socket = `${dir.path}/s`;
  const write = (name: string, lines: readonly string[]): string => {
    Deno.writeTextFileSync(`${dir.path}/${name}`, lines.map((line) => `${line}\n`).join(""), { mode: 0o600 });
    return `${dir.path}/${name}`;
  };
  const conf: Record<string, string> = {
    Socket: `local:${socket}`,
    Mode: signing === undefined ? "v" : "sv",
    Syslog: "no",
    RequireSafeKeys: "no",
    AuthservID: "mx.example",
    AlwaysAddARHeader: "yes",
  };
  if (signing !== undefined) {
    conf["Domain"] = "x.example";
    conf["Selector"] = "s";
    conf["KeyFile"] = write("key", [signing.pem]);
    conf["SignatureAlgorithm"] = signing.algorithm;
    conf["Canonicalization"] = signing.canonicalization;
  }
  if ("dnsPort" in keys) {
    conf["ResolverConfiguration"] = write("resolver", [
      "server:",
      "  do-not-query-localhost: no",
      "  use-syslog: no",
      '  module-config: "iterator"',
      "forward-zone:",
      '  name: "."',
      `  forward-addr: 127.0.0.1@${keys.dnsPort}`,
    ]);
  } else {
    conf["TestPublicKeys"] = write("public", Object.entries(keys).map((record) => record.join(" ")));
  }
  const child = new Deno.Command(findProgram("opendkim")!, {
    args: ["-f", "-x", write("conf", Object.entries(conf).map((line) => line.join(" ")))],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const stop = async () => {
    child.kill("SIGKILL");
    await child.status;
    dir[Symbol.dispose]();
  };
  try {
    await waitFor(() => isListening(socket), "OpenDKIM's socket");
  } catch (error) {
    await stop();
    throw error;
  }
  const judge = milterJudge({
    milters: () => [{ address: { kind: "unix", path: socket }, onTrouble: "fail" }],
    me: () => "mx.example",
    newId: () => "id-1",
    limitMs: 20_000,
  });
  return {
    judge: async (text, client) => {
      const verdict = await judge(
        filterMessage(text, { client, sender: "joe@x.example" }),
        new AbortController().signal,
      );
      assert(verdict.kind === "pass", JSON.stringify(verdict));
      return fromOctets(verdict.content ?? toOctets(text));
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** The socket is there a moment before anybody listens. */
async function isListening(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch {
    return false;
  }
}
