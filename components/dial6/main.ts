import { runComponent } from "../lib/process/component.ts";
import { run } from "./run.ts";

if (import.meta.main) await runComponent("dial6", run);
