/** multilog: see README.md. @module */
import { runComponent } from "../lib/process/component.ts";
import { run } from "./run.ts";

if (import.meta.main) await runComponent("multilog", run, { ownInput: true });
