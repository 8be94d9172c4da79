/**
 * `dqmail config check`: whether a start or a reload would take the control files, and which files nobody reads.
 * @module
 */
import { basename } from "@std/path";
import { type Home, homeAt } from "../../config/home.ts";
import type { Config } from "../../components/lib/permissions/grant.ts";
import { readTlsContexts } from "../../components/lib/tls/files.ts";
import { tlsPaths } from "../../components/lib/tls/paths.ts";
import { readConfig } from "../../components/supervisor/config.ts";
import { nearest } from "../cli/nearest.ts";
import { controlFiles } from "./control_value.ts";

/** A file below control/ that no row of the schema names. */
export interface Unread {
  readonly file: string;
  /** What its name was probably meant to be. */
  readonly meant?: string;
}

export interface ConfigReport {
  readonly ok: boolean;
  /** A line each. */
  readonly defects: readonly string[];
  readonly unread: readonly Unread[];
}

/** What is read below control/ beside the control files: certificates, and what qmail-newmrh makes one of. */
const companions = [...tlsPaths(homeAt("/")).map((path) => basename(path)), "morercpthosts"];

/** Reads all of them as a start does. */
export function checkConfig(home: Home): ConfigReport {
  const config = readConfig(home, 0);
  const defects = "controls" in config ? certificateDefects(home, config) : config;
  return { ok: defects.length === 0, defects, unread: unreadFiles(namesIn(home)) };
}

/** A server would say the same when it starts. */
function certificateDefects(home: Home, { controls }: Config): readonly string[] {
  const contexts = readTlsContexts(home, controls.tlsserverciphers, Date.now());
  return contexts.ok ? [] : contexts.error;
}

function namesIn(home: Home): string[] {
  return Array.from(Deno.readDirSync(home.control("")), ({ name }) => name);
}

/** Those of `names` that nobody reads. What `config set` keeps of an earlier value is no mistake. */
export function unreadFiles(names: readonly string[]): Unread[] {
  const known = new Set<string>([...controlFiles, ...companions]);
  const strays = names.filter((name) => !known.has(name) && !known.has(name.replace(/\.old$/, "")))
    .filter((name) => !name.startsWith("."));
  return strays.toSorted().map((file) => {
    const meant = nearest(file, controlFiles);
    return { file, ...(meant === undefined ? {} : { meant }) };
  });
}

/** The report for people. */
export function formatReport({ ok, defects, unread }: ConfigReport): string {
  return [
    ...defects,
    ...unread.map(({ file, meant }) =>
      `note: nobody reads control/${printable(file)}${meant === undefined ? "" : `; was ${meant} meant?`}`
    ),
    ...(ok ? ["a start and a reload would take the control files"] : []),
  ].join("\n");
}

function printable(name: string): string {
  return name.replace(/[^ -~]/g, "?");
}
