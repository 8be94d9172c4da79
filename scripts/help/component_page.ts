/** The manual page of a component, from its manifest, its grant in a new home, and the schema. @module */
import { homeAt } from "../../config/home.ts";
import { controlFilesOf } from "../../config/schema.ts";
import { type Config, type Grant, type Manifest, rightsOf } from "../../components/lib/permissions/grant.ts";
import { defaultConfig } from "../home/default_config.ts";
import { list, type Page, part, text } from "./page.ts";

/** Stands for the home in paths. */
const homeWord = "HOME";

/** A new home's settings; one name server out of the documentation's networks stands for the machine's own. */
function exampleConfig(): Config {
  return defaultConfig(homeAt(`/${homeWord}`), 0, { nameservers: [{ host: "192.0.2.53", port: 53 }] });
}

/** A path of the example home, or an address, as the page has it. */
function shown(entry: string): string {
  return entry.replaceAll(`/${homeWord}/`, "").replaceAll(`/${homeWord}`, homeWord);
}

export function componentPage(manifest: Manifest): Page {
  const config = exampleConfig();
  const grant = manifest.permissions(config);
  const controls = controlFilesOf(manifest.name);
  return {
    name: manifest.name,
    section: 8,
    does: manifest.job,
    parts: [
      ...part(
        "DESCRIPTION",
        text(`Component of dqmail: ${manifest.job}.`),
        text(startOf(manifest)),
        text(whenOf(manifest)),
      ),
      ...part("RIGHTS", text(rightsText), list(rightRows(grant, config))),
      ...part("CONTROL FILES", text(controls.map((file) => `control/${file}`).join(", "))),
      ...part(
        "SIGNALS",
        list([["TERM", "stops it in order; the supervisor starts it again"], [
          "HUP",
          "has it read its control files again",
        ]]),
      ),
      ...part("FILES", text(`components/${manifest.name}/README.md lists its log events and exit codes.`)),
    ],
    seeAlso: ["security", ...controls.slice(0, 12)],
  };
}

const rightsText =
  'What it may touch in a new home, and nothing else; paths are below the home. "dqmail grants" prints the same for a home of yours.';

function startOf({ account, startedBy, stopOrder }: Manifest): string {
  const by = startedBy === "start"
    ? '"dqmail start"'
    : `the component ${startedBy}`.replace("component supervisor", "supervisor");
  return `Started by ${by}; runs as the account ${account} where root starts dqmail, else as whoever starts it. ` +
    `Place in the order of stopping: ${stopOrder} (first those that let mail in).`;
}

function whenOf({ neededWords, onDemand, instances, forHome = {} }: Manifest): string {
  const sentences = [
    ...(onDemand === undefined
      ? []
      : ["Runs when another component first needs it, until nobody has for control/idleseconds."]),
    ...(neededWords === undefined ? [] : [`Runs only when ${neededWords}.`]),
    ...(instances === undefined ? [] : ["Several of it may run, each with the same rights."]),
    ...(Object.keys(forHome).length === 0
      ? []
      : ["For an account of the system it is started with that account's home, and as that account."]),
  ];
  return sentences.join(" ");
}

function rightRows(grant: Grant, config: Config): readonly (readonly [string, string])[] {
  const { home } = config;
  const sockets = [...grant.serves ?? [], ...grant.calls ?? []].map((name) => home.socket(name));
  const rights = rightsOf(grant, home);
  const plain = (paths: readonly string[]) => [...new Set(paths)].filter((path) => !sockets.includes(path)).map(shown);
  const writes = plain(rights.write);
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ["reads", plain(rights.read).filter((path) => !path.startsWith("control/") && !writes.includes(path))],
    ["reads and writes", writes],
    ["listens at", grant.listen ?? []],
    ["connects to", [...grant.connect ?? [], ...(grant.callsPaths ?? [])]],
    ["serves sockets", grant.serves ?? []],
    ["asks sockets", grant.calls ?? []],
    ["starts", plain(rights.run)],
    ["system calls", rights.sys],
    ["variables", rights.env],
  ];
  return rows.filter(([, entries]) => entries.length > 0).map(([kind, entries]) => [kind, entries.join(", ")]);
}
