/**
 * Starts qmail-remote: `main.ts --home DIR [--supervised]`. Exit codes: 0 stopped, 111 trouble that may pass.
 * @module
 */
import { runComponent } from "../lib/process/component.ts";
import { run } from "./run.ts";

if (import.meta.main) await runComponent("qmail-remote", run);
