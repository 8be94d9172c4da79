/**
 * A home with sockets for a chain: filters in this process, a fake qmail-queue behind them, and a sender in front.
 * @module
 */
import { type Home, homeAt, type SocketName, socketNames } from "../../../config/home.ts";
import { type FilterName, parseHop } from "../../../components/lib/filters/chain.ts";
import type { ClientNote, Judge } from "../../../components/lib/filters/filter.ts";
import { ChainSubmission, Hops, type Patience, usualPatience } from "../../../components/lib/filters/hand_on.ts";
import type { FilterLimits } from "../../../components/lib/filters/route.ts";
import { usualLimits } from "../../../components/lib/filters/route.ts";
import { type FilterOptions, type FilterRunning, serveFilter } from "../../../components/lib/filters/serve.ts";
import type { SubmittedEnvelope } from "../../../components/lib/queue/submission.ts";
import { toOctets } from "../../../components/lib/octets.ts";
import type { QueueReply } from "../../../components/lib/wire/queue_protocol.ts";
import { serveUnix, type UnixServer } from "../../../components/lib/wire/server.ts";
import { FakeQueue } from "../../qmail-smtpd/fake_queue.ts";
import { tempDir } from "../../support/temp_dir.ts";

export const envelope = { sender: "s@s.example", recipients: ["a@a.example", "b@b.example"] };

export const note: ClientNote = {
  entrance: "smtp",
  ip: "192.0.2.1",
  helo: "client.example",
  login: "amy",
  tls: true,
  relaying: true,
};

/** Short enough for who waits for the end of it. */
export const impatience: Patience = { ...usualPatience, connectMs: 50, queueConnectMs: 50 };

export interface Sending extends Partial<FilterLimits> {
  readonly chain: readonly string[];
  readonly client?: ClientNote;
  readonly envelope?: SubmittedEnvelope;
}

export interface World extends AsyncDisposable {
  readonly home: Home;
  readonly queue: FakeQueue;
  readonly hops: Hops;
  /** Names of those that were passed over, with why. */
  readonly passedOver: string[];
  filter(name: FilterName, judge: Judge, options?: Partial<FilterOptions>): FilterRunning;
  /** A process that takes everything and says nothing; answers how many frames it has seen. */
  deaf(name: SocketName): { readonly frames: () => number; readonly end: () => void };
  begin(sending: Sending): ChainSubmission;
  /** Hands a message to the chain, in pieces as they are given. */
  send(pieces: readonly (string | Uint8Array)[], sending: Sending): Promise<QueueReply>;
}

export function world(patience: Patience = impatience): World {
  const dir = tempDir();
  const home = homeAt(`${dir.path}/h`);
  for (const name of socketNames) Deno.mkdirSync(home.run(name), { recursive: true });
  const queue = new FakeQueue(home);
  const passedOver: string[] = [];
  const hops = new Hops(home, { patience, onPassedOver: (name, reason) => void passedOver.push(`${name}: ${reason}`) });
  const running: FilterRunning[] = [];
  const servers: UnixServer[] = [];
  const begin = ({ chain, client, largestBytes, large }: Sending): ChainSubmission =>
    new ChainSubmission(hops, {
      origin: "network",
      uid: 7,
      route: {
        client,
        chain: chain.map((word) => {
          const hop = parseHop(word);
          if (!hop.ok) throw new Error(hop.error);
          return hop.value;
        }),
        largestBytes: largestBytes ?? usualLimits.largestBytes,
        large: large ?? usualLimits.large,
      },
    });
  return {
    home,
    queue,
    hops,
    passedOver,
    begin,
    filter: (name, judge, options = {}) => {
      const filter = serveFilter({ home, name, judge, patience, ...options });
      let stopped: Promise<void> | undefined;
      const once: FilterRunning = {
        get heldBytes() {
          return filter.heldBytes;
        },
        stop: () => stopped ??= filter.stop(),
      };
      running.push(once);
      return once;
    },
    deaf: (name) => {
      let frames = 0;
      const server = serveUnix(home.socket(name), { onFrame: () => void frames++, onError: () => {} });
      servers.push(server);
      return {
        frames: () => frames,
        end: () => {
          server.stop();
          server.closeAll();
        },
      };
    },
    send: async (pieces, sending) => {
      const submission = begin(sending);
      for (const piece of pieces) await submission.write(typeof piece === "string" ? toOctets(piece) : piece);
      return await submission.commit(sending.envelope ?? envelope);
    },
    [Symbol.asyncDispose]: async () => {
      hops.close();
      for (const filter of running) await filter.stop();
      for (const server of servers) {
        try {
          server.stop();
        } catch {
          // The test has stopped it.
        }
        server.closeAll();
      }
      queue.stop();
      dir[Symbol.dispose]();
    },
  };
}

export const passes: Judge = () => Promise.resolve({ kind: "pass" });
