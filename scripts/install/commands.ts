/**
 * Programs of the system that an installation has do something.
 * @module
 */
import { existsSync } from "@std/fs";
import { onMachine, type Place } from "./place.ts";

/** Where those programs lie; root's own PATH may lack them (su without -). */
const path = "/usr/sbin:/usr/bin:/sbin:/bin";

/** Runs it. Throws with what it said, unless its exit code is 0. */
export function runCommand(words: readonly string[]): void {
  const [program = "", ...args] = words;
  const { code, stderr } = new Deno.Command("/usr/bin/env", {
    args: ["-i", `PATH=${path}`, "LC_ALL=C", program, ...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).outputSync();
  if (code === 0) return;
  throw new Error(`${words.join(" ")}: exit code ${code}: ${new TextDecoder().decode(stderr).trim()}`);
}

/** Whether the machine below the root has packages of Debian's, and so diversions. */
export function hasDiversions(place: Place): boolean {
  return Deno.uid() === 0 && existsSync(onMachine(place, "/var/lib/dpkg/status")) && existsSync("/usr/bin/dpkg-divert");
}

/** Both paths as the machine names them. */
export function divert(place: Place, path: string, to: string): void {
  runCommand(["dpkg-divert", "--root", place.root, "--quiet", "--local", "--divert", to, "--rename", "--add", path]);
}

export function undivert(place: Place, path: string, to: string): void {
  runCommand(["dpkg-divert", "--root", place.root, "--quiet", "--local", "--divert", to, "--rename", "--remove", path]);
}
