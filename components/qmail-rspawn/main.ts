/**
 * Starts qmail-rspawn: `main.ts --home DIR [--supervised]`. Exit codes: 0 stopped, 100 a control file is malformed,
 * 111 trouble that may pass.
 * @module
 */
import { runComponent } from "../lib/process/component.ts";
import { run } from "./run.ts";

if (import.meta.main) await runComponent("qmail-rspawn", run);
