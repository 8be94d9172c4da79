/**
 * TCP connections for the load generator, by the C library's own calls: on a machine with few cores a generator that costs
 * as much as the server measures itself. Linux with glibc only, as what reads /proc here.
 * @module
 */
import { concat } from "../../components/lib/wire/frame.ts";

const internet = { family: 2, stream: 1 } as const;
const nonBlocking = 0o4000;
const closeOnExec = 0o2000000;
const noDelay = { level: 6, name: 1 } as const;
const one = Uint8Array.of(1, 0, 0, 0);
const noSignal = 0x4000;
const control = { add: 1, modify: 3 } as const;
const event = { in: 1, out: 4 } as const;
const errors = { again: 11, inProgress: 115 } as const;

/** `struct epoll_event` is packed on x86-64 alone: its size, and where its data stands. */
const layout = Deno.build.arch === "x86_64" ? { size: 12, data: 4 } : { size: 16, data: 8 };
const eventsAtOnce = 256;
const readBytes = 16_384;

function openLibrary() {
  // Lengths as u32: no buffer of ours is larger, and 64-bit numbers cost more than the call.
  return Deno.dlopen("libc.so.6", {
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
    connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    send: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
    epoll_create1: { parameters: ["i32"], result: "i32" },
    epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
    epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
    __errno_location: { parameters: [], result: "pointer" },
    strerror: { parameters: ["i32"], result: "pointer" },
  });
}

type Library = ReturnType<typeof openLibrary>;

/** Opened once: calls to functions that are made anew for each load are not compiled into direct ones. */
let library: Library | undefined;

/** What becomes of a connection; called by {@link Sockets.poll} alone. */
export interface SocketEvents {
  /** `octets` are valid until the call returns. */
  onOctets(octets: Uint8Array): void;
  /** The server has closed it, or it failed; nothing comes behind it. */
  onEnd(problem: string | undefined): void;
}

/** A connection. */
export interface Socket {
  /** Sends all of it; what the kernel has no room for yet is kept, not copied. */
  write(octets: Uint8Array): void;
  /** Closes it; no handler is called any more. */
  close(): void;
}

interface Entry {
  readonly events: SocketEvents;
  /** What is left to be sent. */
  rest: Uint8Array | undefined;
}

/** Connections of one process, and the wait for any of them. */
export class Sockets implements Disposable {
  readonly #library: Library = library ??= openLibrary();
  readonly #epoll: number;
  readonly #open = new Map<number, Entry>();
  readonly #arrivedOctets = new Uint8Array(eventsAtOnce * layout.size);
  readonly #arrived = new DataView(this.#arrivedOctets.buffer);
  readonly #wishOctets = new Uint8Array(layout.size);
  readonly #wish = new DataView(this.#wishOctets.buffer);
  readonly #buffer = new Uint8Array(readBytes);
  /** `struct sockaddr_in` of addresses, by host and port. */
  readonly #addresses = new Map<string, Uint8Array<ArrayBuffer>>();

  constructor() {
    this.#epoll = this.#library.symbols.epoll_create1(closeOnExec);
    if (this.#epoll < 0) throw new Error(`Cannot wait for connections: ${this.#problem()}`);
  }

  /**
   * Begins to connect; what comes of it is told to `events`.
   *
   * @param host an IPv4 address in 127.0.0.0/8
   * @throws Error where the address is another, or the connection fails at once
   */
  connect(host: string, port: number, events: SocketEvents): Socket {
    const address = this.#addressOf(host, port);
    const { symbols } = this.#library;
    const fd = symbols.socket(internet.family, internet.stream | nonBlocking | closeOnExec, 0);
    if (fd < 0) throw new Error(`Cannot connect to ${host}: ${this.#problem()}`);
    symbols.setsockopt(fd, noDelay.level, noDelay.name, one, one.length);
    if (symbols.connect(fd, address, address.length) < 0 && this.#errno() !== errors.inProgress) {
      const problem = this.#problem();
      symbols.close(fd);
      throw new Error(`Cannot connect to ${host}: ${problem}`);
    }
    const entry: Entry = { events, rest: undefined };
    this.#open.set(fd, entry);
    this.#watch(fd, control.add, event.in);
    return { write: (octets) => this.#write(fd, entry, octets), close: () => this.#close(fd, entry) };
  }

  #addressOf(host: string, port: number): Uint8Array<ArrayBuffer> {
    const key = `${host}:${port}`;
    const known = this.#addresses.get(key);
    if (known !== undefined) return known;
    const octets = host.split(".").map(Number);
    if (octets[0] !== 127 || octets.length !== 4) {
      throw new Error(`Cannot connect to ${host}: only 127.0.0.0/8 is allowed`);
    }
    const address = Uint8Array.of(internet.family, 0, port >> 8, port & 255, ...octets, 0, 0, 0, 0, 0, 0, 0, 0);
    this.#addresses.set(key, address);
    return address;
  }

  /** Waits for something to come, for at most so long (-1: without end), and calls the handlers. Returns how much came. */
  poll(limitMs: number): number {
    const { epoll_wait, read } = this.#library.symbols;
    const count = epoll_wait(this.#epoll, this.#arrivedOctets, eventsAtOnce, limitMs);
    for (let at = 0; at < count; at++) {
      const bits = this.#arrived.getUint32(at * layout.size, true);
      const fd = this.#arrived.getInt32(at * layout.size + layout.data, true);
      const entry = this.#open.get(fd);
      // Closed by the handler of one before it.
      if (entry === undefined) continue;
      if ((bits & event.out) !== 0) this.#writeRest(fd, entry);
      if ((bits & ~event.out) === 0) continue;
      const length = read(fd, this.#buffer, readBytes);
      if (length > 0) entry.events.onOctets(this.#buffer.subarray(0, length));
      else if (length === 0) this.#end(fd, entry, undefined);
      else if (this.#errno() !== errors.again) this.#end(fd, entry, this.#problem());
    }
    return count;
  }

  /** Closes all of them; no handler is called. */
  [Symbol.dispose](): void {
    for (const [fd, entry] of this.#open) this.#close(fd, entry);
    this.#library.symbols.close(this.#epoll);
  }

  #write(fd: number, entry: Entry, octets: Uint8Array): void {
    if (this.#open.get(fd) !== entry) return;
    if (entry.rest !== undefined) {
      entry.rest = concat([entry.rest, octets], entry.rest.length + octets.length);
      return;
    }
    const count = this.#library.symbols.send(fd, octets, octets.length, noSignal);
    if (count === octets.length) return;
    // An error is told by the next wait, as the connection's end.
    entry.rest = octets.subarray(Math.max(count, 0));
    this.#watch(fd, control.modify, event.in | event.out);
  }

  #writeRest(fd: number, entry: Entry): void {
    if (entry.rest === undefined) return;
    const count = this.#library.symbols.send(fd, entry.rest, entry.rest.length, noSignal);
    entry.rest = entry.rest.subarray(Math.max(count, 0));
    if (entry.rest.length > 0) return;
    entry.rest = undefined;
    this.#watch(fd, control.modify, event.in);
  }

  #end(fd: number, entry: Entry, problem: string | undefined): void {
    this.#close(fd, entry);
    entry.events.onEnd(problem);
  }

  #close(fd: number, entry: Entry): void {
    // The number may be another's by now.
    if (this.#open.get(fd) !== entry) return;
    this.#open.delete(fd);
    this.#library.symbols.close(fd);
  }

  #watch(fd: number, how: number, bits: number): void {
    this.#wish.setUint32(0, bits, true);
    this.#wish.setInt32(layout.data, fd, true);
    this.#library.symbols.epoll_ctl(this.#epoll, how, fd, this.#wishOctets);
  }

  #errno(): number {
    const at = this.#library.symbols.__errno_location();
    return at === null ? 0 : new Deno.UnsafePointerView(at).getInt32();
  }

  #problem(): string {
    const text = this.#library.symbols.strerror(this.#errno());
    return text === null ? "unknown" : new Deno.UnsafePointerView(text).getCString();
  }
}
