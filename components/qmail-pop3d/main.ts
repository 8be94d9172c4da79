/** qmail-pop3d: see README.md. @module */
import { runComponent } from "../lib/process/component.ts";
import { run } from "./run.ts";

if (import.meta.main) await runComponent("qmail-pop3d", run);
