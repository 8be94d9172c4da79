/**
 * custom's shell: the operator's judge, or the sample, behind the socket `custom`.
 * @module
 */
import { toFileUrl } from "@std/path";
import type { Home } from "../../config/home.ts";
import type { Judge } from "../lib/filters/filter.ts";
import { serveFilter } from "../lib/filters/serve.ts";
import { describeError } from "../lib/log/log.ts";
import { CannotStart, type Running, type Start } from "../lib/process/component.ts";
import { ControlValues } from "../lib/process/controls.ts";
import { judge as sample } from "./sample.ts";

/** Without the file there is no right to look for it either (permissions.ts), and the sample it is. */
function namedModule(home: Home): string {
  const path = home.control("customfilter");
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return "";
  return new ControlValues(home, "custom").current.customfilter;
}

async function load(path: string): Promise<Judge> {
  try {
    const { judge } = await import(toFileUrl(path).href) as { readonly judge?: unknown };
    if (typeof judge === "function") return judge as Judge;
  } catch (error) {
    throw new CannotStart(`cannot load the filter "${path}" of control/customfilter: ${describeError(error)}`);
  }
  throw new CannotStart(`expected the filter "${path}" of control/customfilter to export a function "judge"`);
}

export async function run({ home }: Start): Promise<Running> {
  const path = namedModule(home);
  return serveFilter({ home, name: "custom", judge: path === "" ? sample : await load(path) });
}
