/** The manual page of a program of bin/. @module */
import { homeAt } from "../../config/home.ts";
import { rightsOf } from "../../components/lib/permissions/grant.ts";
import { type Tool, type Wrapper } from "../../components/tools/permissions.ts";
import { lines, list, type Page, part, text } from "./page.ts";
import { toolUsages } from "./tool_usages.ts";

const homeWord = "HOME";

export function toolPage(tool: Tool): Page {
  const home = homeAt(`/${homeWord}`);
  const rights = rightsOf(tool.permissions(home), home);
  const shown = (entries: readonly string[]) =>
    [...new Set(entries)].map((entry) => entry.replaceAll(`/${homeWord}/`, "")).join(", ");
  const words = tool.paths ?? {};
  const rows = ([
    ["reads", shown([...rights.read.filter((path) => !path.includes("/run/")), ...words.read ?? []])],
    ["writes", shown([...rights.write.filter((path) => !path.includes("/run/")), ...words.write ?? []])],
    ["connects to", shown(rights.net.map((address) => address.replace("unix:", "")))],
    ["starts", shown(rights.run)],
    ["variables", (words.variables ?? []).join(", ")],
  ] as const).filter(([, entries]) => entries !== "");
  return {
    ...basics(tool.name, tool.job),
    parts: [
      ...about(tool.name, tool.job),
      ...part("RIGHTS", text("As whoever calls it, and with no more than this; paths are below the home."), list(rows)),
      ...part(
        "ENVIRONMENT",
        text(
          tool.runsFor === undefined
            ? ""
            : `Where ${
              tool.runsFor.join(" or ")
            } is set it may also start /bin/sh, to run the program that is named there.`,
        ),
      ),
    ],
    seeAlso: ["from-qmail"],
  };
}

export function wrapperPage({ name, job }: Wrapper): Page {
  return { ...basics(name, job), parts: about(name, job), seeAlso: ["from-qmail"] };
}

function basics(name: string, job: string): Pick<Page, "name" | "section" | "does"> {
  return { name, section: name.startsWith("qmail-") && name !== "qmail-inject" ? 8 : 1, does: job };
}

function about(name: string, job: string): Page["parts"] {
  const usage = toolUsages.get(name);
  return [
    ...part("SYNOPSIS", lines(...(usage?.usage ?? [""]).map((form) => `${name} ${form}`.trimEnd()))),
    ...part("DESCRIPTION", text(`Program of bin/ below the home: ${job}.`), text(usage?.about ?? "")),
    ...part("EXIT STATUS", text(usage?.codes ?? "0 done, 100 it will never work, 111 try again later")),
  ];
}
