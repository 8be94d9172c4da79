/** qmail-popup: see README.md. @module */
import { runComponent } from "../lib/process/component.ts";
import { idsFrom } from "../lib/process/ids_args.ts";
import { run } from "./run.ts";

if (import.meta.main) await runComponent("qmail-popup", (start) => run(start, idsFrom(Deno.args)));
