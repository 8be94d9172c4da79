/**
 * admin: the operator's page, health check and metrics of one dqmail, on loopback, read-only.
 * @module
 */
import { runComponent } from "../lib/process/component.ts";
import { run } from "./run.ts";

if (import.meta.main) await runComponent("admin", run);
