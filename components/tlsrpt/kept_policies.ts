/**
 * The MTA-STS policies that mta-sts has kept, in memory and in a file: a line for each that came, a digest and JSON, only
 * added to, and written anew when it is much longer than what it says. What came since the last {@link KeptPolicies.flush}
 * dies with the process; mta-sts then tells it again. Of a damaged file what can be read is kept: each line stands alone,
 * and a line whose digest is another says nothing.
 * @module
 */
import { createHash } from "node:crypto";
import type { Disk } from "../lib/disk/disk.ts";
import { replaceFile } from "../lib/disk/replace_file.ts";
import { validPolicy } from "../lib/sts/cache_rules.ts";
import type { RawHead } from "../lib/wire/frame.ts";
import { formatKeptPolicy, type KeptPolicy, parseKeptPolicy } from "../lib/wire/sts_memory_protocol.ts";

export interface KeptPoliciesOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly nowSeconds: () => number;
  /** Told once of trouble with the file, until it can be written again. */
  readonly onTrouble: (error: unknown) => void;
  /** Told of lines in the file that say nothing. */
  readonly onDamage: (lines: number) => void;
  readonly limits?: KeptLimits;
}

export interface KeptLimits {
  readonly mostDomains: number;
  readonly mostBytes: number;
}

/** As many as mta-sts itself remembers. */
const defaultLimits: KeptLimits = { mostDomains: 10_000, mostBytes: 10 * 1024 * 1024 };
/** A file that is shorter is never worth writing anew. */
const smallBytes = 1024 * 1024;
/** How much longer than what it says. */
const growth = 3;
/** Longer than any this program writes: whose is it? */
const longestFile = 128 * 1024 * 1024;

const encoder = new TextEncoder();

interface Kept extends KeptPolicy {
  readonly line: string;
}

export class KeptPolicies {
  readonly #options: KeptPoliciesOptions;
  readonly #limits: KeptLimits;
  readonly #path: string;
  /** In the order in which they came. */
  readonly #kept = new Map<string, Kept>();
  /** Of all lines. */
  #bytes = 0;
  #pending: string[] = [];
  #fileBytes = 0;
  /** The file's name may not be on stable storage yet. */
  #isNew = false;
  /** What stands there is not known. */
  #isDamaged = false;
  #isTroubled = false;

  constructor(options: KeptPoliciesOptions) {
    this.#options = options;
    this.#limits = options.limits ?? defaultLimits;
    this.#path = `${options.dir}/policies`;
  }

  /** Oldest first. */
  get all(): readonly KeptPolicy[] {
    return [...this.#kept.values()];
  }

  /** Reads what an earlier process left. Never throws. */
  load(): void {
    const { disk, onDamage } = this.#options;
    try {
      const stat = disk.stat(this.#path);
      this.#isNew = stat === undefined;
      if (stat === undefined) return;
      if (!stat.isFile || stat.sizeBytes > longestFile) throw new Error(`${this.#path} is no file of policies`);
      const octets = disk.readFile(this.#path);
      this.#fileBytes = octets.length;
      let damaged = 0;
      for (const line of new TextDecoder().decode(octets).split("\n")) {
        if (line === "") continue;
        const kept = parseLine(line);
        if (kept === undefined) damaged++;
        else this.#put({ ...kept, line });
      }
      if (damaged > 0) {
        this.#isDamaged = true;
        onDamage(damaged);
      }
    } catch (error) {
      this.#isDamaged = true;
      this.#complain(error);
    }
    this.#dropOld();
  }

  remember(kept: KeptPolicy): void {
    const line = formatLine(kept);
    if (this.#kept.get(kept.domain)?.line === line) return;
    this.#put({ ...kept, line });
    this.#pending.push(line);
  }

  /** Writes what came since the last time. Never rejects; not to be called again before it has settled. */
  async flush(): Promise<void> {
    const isLong = this.#fileBytes > smallBytes && this.#fileBytes > growth * this.#bytes;
    if (this.#pending.length === 0 && !this.#isDamaged && !isLong) return;
    try {
      await (this.#isDamaged || isLong ? this.#writeAnew() : this.#append());
      if (this.#isNew) await this.#options.disk.syncDir(this.#options.dir);
      this.#isNew = false;
      this.#isTroubled = false;
    } catch (error) {
      this.#isDamaged = true;
      this.#complain(error);
    }
  }

  async #append(): Promise<void> {
    // In front as well: the line before may have been cut off.
    const octets = encoder.encode(`\n${this.#pending.join("\n")}\n`);
    this.#pending = [];
    const file = this.#options.disk.openAppend(this.#path, 0o600);
    try {
      file.write(octets);
      this.#fileBytes += octets.length;
      await file.sync();
    } finally {
      file.close();
    }
  }

  async #writeAnew(): Promise<void> {
    this.#dropOld();
    const octets = encoder.encode(Array.from(this.#kept.values(), ({ line }) => `${line}\n`).join(""));
    // What comes while the disk works goes behind.
    this.#pending = [];
    await replaceFile(this.#options.disk, this.#path, octets, 0o600);
    this.#isNew = true;
    this.#isDamaged = false;
    this.#fileBytes = octets.length;
  }

  #put(kept: Kept): void {
    this.#delete(kept.domain);
    this.#kept.set(kept.domain, kept);
    this.#bytes += kept.line.length + 1;
    while (this.#kept.size > this.#limits.mostDomains || this.#bytes > this.#limits.mostBytes) {
      this.#delete(this.#kept.keys().next().value!);
    }
  }

  #delete(domain: string): void {
    const kept = this.#kept.get(domain);
    if (kept === undefined) return;
    this.#kept.delete(domain);
    this.#bytes -= kept.line.length + 1;
  }

  #dropOld(): void {
    const nowSeconds = this.#options.nowSeconds();
    for (const { domain, known } of this.all) {
      if (validPolicy(known, nowSeconds) === undefined) this.#delete(domain);
    }
  }

  #complain(error: unknown): void {
    if (!this.#isTroubled) this.#options.onTrouble(error);
    this.#isTroubled = true;
  }
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

function formatLine(kept: KeptPolicy): string {
  const json = JSON.stringify(formatKeptPolicy(kept));
  return `${digestOf(json)} ${json}`;
}

/** Undefined: cut off, changed, or not ours. */
function parseLine(line: string): KeptPolicy | undefined {
  const json = line.slice(17);
  if (line.slice(0, 17) !== `${digestOf(json)} `) return undefined;
  try {
    return parseKeptPolicy(JSON.parse(json) as RawHead);
  } catch {
    // The digest is right, so another version wrote it: what it says is not known here.
    return undefined;
  }
}
