/**
 * `deno task admin token [--new] [--home DIR] [--json]`: the token that logs in to the admin page.
 * Exit codes: 0 done; 100 wrong usage or nothing to do it to.
 * @module
 */
import { existsSync } from "@std/fs";
import { type Home, homeAt } from "../config/home.ts";
import { readControls } from "../config/read.ts";
import { askSupervisor } from "./ask.ts";
import { readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { fail } from "./fail.ts";
import { renewAdminToken } from "./home/admin_token.ts";

const command = commandOf("admin");

/** Has a dqmail that runs read the new file. What it says against other files is its operator's to know. */
async function reload(home: Home): Promise<void> {
  const reply = await askSupervisor(home, { op: "reload" }).catch(() => undefined);
  if (reply === undefined) return;
  const defects = reply["defects"] as readonly string[];
  if (defects.length > 0) {
    fail(`the new token counts from the next reload on, this one was refused:\n${defects.join("\n")}`);
  }
}

/** What this task does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(command, argv);
  if (args === undefined) return;
  const home = homeAt(String(args["home"] ?? "var"));
  if (!existsSync(home.control("me"))) fail(`${home.dir} is no home of a dqmail: it has no control/me`);
  const json = args["json"] === true;
  if (args["new"] === true) {
    const token = renewAdminToken(home);
    // First, for it cannot be had again.
    console.log(json ? JSON.stringify({ token }) : token);
    return await reload(home);
  }
  const read = readControls(home, ["admintoken"]);
  if (!read.ok) fail(read.error.join("\n"));
  const set = read.value.admintoken !== "";
  if (json) console.log(JSON.stringify({ set }));
  else if (set) console.log("a token is set; --new makes another where it is lost");
  else console.log("no token is set, so nobody can log in to the admin page; --new makes one");
}

if (import.meta.main) await main(Deno.args);
