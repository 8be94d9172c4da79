/**
 * A real qmail-local with its grant, over its standard streams, and `deliver` as qmail-lspawn does it; ends with its
 * scope.
 * @module
 */
import { dirname, fromFileUrl } from "@std/path";
import { manifest } from "../../components/qmail-local/permissions.ts";
import { formatProgramScript } from "../../components/qmail-local/program_script.ts";
import { DeliveryLink } from "../../components/lib/delivery/link.ts";
import { MessageFile } from "../../components/lib/delivery/message_file.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { flagsOf } from "../../components/lib/permissions/grant.ts";
import { queueFile, queueFolder } from "../../components/lib/queue/layout.ts";
import type { DeliveryReport, LocalRequest } from "../../components/lib/wire/delivery_protocol.ts";
import { parseGetpwRequest } from "../../components/lib/wire/getpw_protocol.ts";
import { Pipe } from "../../components/lib/wire/pipe.ts";
import { type EnvelopeFields, parseQueueRequest } from "../../components/lib/wire/queue_protocol.ts";
import { serveUnix } from "../../components/lib/wire/server.ts";
import { homeAt } from "../../config/home.ts";
import { defaultConfig } from "../../scripts/home/default_config.ts";
import { tempDir } from "../support/temp_dir.ts";

const root = (path: string) => fromFileUrl(new URL(`../../${path}`, import.meta.url));

/** "virtual": below mail/; "mailbox": a virtual one elsewhere; the others for the account whose home it is. */
export type Kind = "virtual" | "mailbox" | "account" | "programs";

export interface Queued {
  readonly envelope: EnvelopeFields;
  /** An octet string. */
  readonly content: string;
}

export interface WorldOptions {
  readonly kind?: Kind;
  /** What the queue answers; 0. */
  readonly queueCode?: number;
  /** control/defaultdelivery: what the grant is computed from, and each request has. */
  readonly defaultDelivery?: (dir: string) => string;
  /** What qmail-getpw says from whom a message is sent on; absent: there is no qmail-getpw. */
  readonly forwardSender?: (sender: string, recipients: readonly string[]) => string;
}

export type Fields = Partial<Omit<LocalRequest, "id" | "sizeBytes" | "recipients">> & { readonly recipient?: string };

/** Takes what is forwarded. */
function serveQueue(path: string, code: number) {
  const queued: Queued[] = [];
  const contents = new Map<number, string>();
  const server = serveUnix(path, {
    onFrame: (frame, pipe) => {
      const request = parseQueueRequest(frame);
      const before = contents.get(request.id) ?? "";
      if (request.op === "data") contents.set(request.id, before + fromOctets(request.content));
      if (request.op !== "message" && request.op !== "close") return;
      const content = request.op === "message" ? fromOctets(request.content) : before;
      queued.push({ envelope: request.envelope, content });
      pipe.send({ id: request.id, code, qp: 4711 });
    },
    onError: () => {},
  });
  const stop = () => {
    server.stop();
    server.closeAll();
  };
  return { queued, stop };
}

/** Says from whom messages are sent on. */
function serveGetpw(path: string, forwardSender: NonNullable<WorldOptions["forwardSender"]>) {
  Deno.mkdirSync(dirname(path), { recursive: true });
  const server = serveUnix(path, {
    onFrame: (frame, pipe) => {
      const request = parseGetpwRequest(frame);
      if (request.op !== "forward") return;
      pipe.send({ id: request.id, sender: forwardSender(request.sender, request.recipients) });
    },
    onError: () => {},
  });
  return () => {
    server.stop();
    server.closeAll();
  };
}

/** The mailbox is joe's, with a Maildir in it. */
export function world({ kind = "virtual", queueCode = 0, defaultDelivery, forwardSender }: WorldOptions = {}) {
  const dir = tempDir();
  const defaultdelivery = defaultDelivery?.(dir.path) ?? "./Maildir/\n";
  const home = homeAt(dir.path);
  const userHome = kind === "virtual" ? home.mail("localhost", "joe") : `${dir.path}/joe`;
  const maildir = `${userHome}/Maildir`;
  for (const folder of ["tmp", "new", "cur"]) Deno.mkdirSync(`${maildir}/${folder}`, { recursive: true });
  Deno.mkdirSync(queueFolder(home, "mess", 23), { recursive: true });
  Deno.mkdirSync(dirname(home.socket("qmail-queue")), { recursive: true });
  Deno.mkdirSync(home.libexec("launch"), { recursive: true });
  Deno.writeTextFileSync(home.libexec("launch", "program"), formatProgramScript(home));
  Deno.chmodSync(home.libexec("launch", "program"), 0o755);
  const queue = serveQueue(home.socket("qmail-queue"), queueCode);
  const stopGetpw = forwardSender === undefined ? undefined : serveGetpw(home.socket("qmail-getpw"), forwardSender);
  const config = defaultConfig(home, 0, {
    defaultdelivery,
    srsdomain: forwardSender === undefined ? "" : "srs.example",
  });
  const grant = kind === "virtual" ? manifest.permissions(config) : manifest.forHome![kind]!(config, userHome);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--config", root("deno.json"), ...flagsOf(grant, home)],
      ...[root("components/qmail-local/main.ts"), "--home", home.dir, ...kind === "programs" ? ["--programs"] : []],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: Deno.env.get("SHOW_LOG") === undefined ? "null" : "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const writer = child.stdin.getWriter();
  let held = new Uint8Array();
  const link = new DeliveryLink(
    new Pipe({
      read: async (buffer) => {
        if (held.length === 0) held = (await reader.read()).value ?? held;
        const piece = held.subarray(0, buffer.length);
        held = held.subarray(piece.length);
        buffer.set(piece);
        return piece.length === 0 ? null : piece.length;
      },
      write: async (octets) => {
        await writer.write(octets);
        return octets.length;
      },
      close: () => void writer.close().catch(() => {}),
    }),
    () => {},
  );
  return {
    child,
    link,
    home,
    userHome,
    maildir,
    queued: queue.queued,
    files: (below = "Maildir/new") =>
      [...Deno.readDirSync(`${userHome}/${below}`)].map(({ name }) =>
        fromOctets(Deno.readFileSync(`${userHome}/${below}/${name}`))
      ),
    read: (below: string) => fromOctets(Deno.readFileSync(`${userHome}/${below}`)),
    /** A file in the home, an octet string. */
    write: (below: string, text: string, mode = 0o600) => {
      Deno.writeFileSync(`${userHome}/${below}`, toOctets(text));
      Deno.chmodSync(`${userHome}/${below}`, mode);
    },
    deliver: async (text: string, { recipient = "joe@localhost", ...fields }: Fields = {}): Promise<DeliveryReport> => {
      Deno.writeFileSync(queueFile(home, "mess", 23), toOctets(text));
      const file = MessageFile.open(home, 23);
      const request = {
        sender: "",
        recipients: [recipient],
        isVirtual: kind === "virtual" || kind === "mailbox",
        domain: kind === "virtual" || kind === "mailbox" ? "localhost" : "",
        user: "joe",
        uid: 1000,
        home: userHome,
        dash: "",
        extension: "",
        hostName: "h",
        defaultDelivery: defaultdelivery,
        programSeconds: 60,
        ...fields,
      };
      try {
        return (await link.deliver(request, file))[0]!;
      } finally {
        file.close();
      }
    },
    async [Symbol.asyncDispose]() {
      link.close();
      await child.status;
      queue.stop();
      stopGetpw?.();
      dir[Symbol.dispose]();
    },
  };
}
