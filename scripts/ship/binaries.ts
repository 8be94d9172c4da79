/**
 * Which programs can be binaries, and by which command line each is made: that of its launcher, with `compile` in place of
 * `run`.
 * @module
 */
import { join } from "@std/path";
import { bakedKey } from "../../components/supervisor/binaries.ts";
import { formatHomeArgs } from "../../components/lib/process/home_args.ts";
import { type Config, flagsOf, type Grant, instancesOf } from "../../components/lib/permissions/grant.ts";
import { launchCommand, type Runtime, v8Flags } from "../../components/supervisor/launcher.ts";
import { type Tool, tools } from "../../components/tools/permissions.ts";
import { manifests } from "../../config/manifests.ts";

/** A program that can be a binary. */
export interface Binary {
  readonly name: string;
  /** Its source below components/. */
  readonly main: string;
  readonly grant: Grant;
  /** Its first arguments. */
  readonly args: readonly string[];
}

/**
 * Whether a tool's grant is known before somebody calls it, and its caller tells it nothing but its arguments: the others
 * need the script around them.
 */
function standsAlone({ knowsCaller, knowsFilters, paths }: Tool): boolean {
  return knowsCaller === undefined && knowsFilters === undefined && paths === undefined;
}

/**
 * What can be compiled for a home: components it has a use for, and tools. Not the supervisor, which is told where deno
 * lies in order to start the others with it, nor what asks a broker, which is a variable of deno's.
 */
export function binariesFor(config: Config): Binary[] {
  const { home, portOffset } = config;
  const args = formatHomeArgs(home);
  const components = manifests
    .filter((manifest) => manifest.startedBy !== "start" && instancesOf(manifest, config) > 0)
    .map((manifest): Binary => ({
      name: manifest.name,
      main: `${manifest.name}/main.ts`,
      grant: manifest.permissions(config),
      args: manifest.startedBy === "supervisor" ? [...args, "--port-offset", String(portOffset)] : args,
    }))
    .filter(({ grant }) => grant.broker === undefined);
  const { filters, qmqpservers, userhomes: userHomes } = config.controls;
  const ofTools = tools.filter(standsAlone).map((tool): Binary => ({
    name: tool.name,
    main: `tools/${tool.name}.ts`,
    grant: tool.permissions(home, { filters, qmqpservers, userHomes }),
    args: tool.withoutHome ? [] : args,
  }));
  return [...components, ...ofTools];
}

/** Where a binary lies below the folder of all: a component and a tool may have the same name. */
export function binaryPath({ main }: Binary): string {
  return main.replace(/(\/main)?\.ts$/, "");
}

/** What a start looks binaries up by: by key their paths below the folder of all. */
export function bakedInto(binaries: readonly Binary[], { home }: Config): Map<string, string> {
  return new Map(binaries.map((binary) => {
    const flags = [v8Flags(binary.name), ...flagsOf(binary.grant, home)];
    return [bakedKey(binary.main, flags, binary.args), binaryPath(binary)];
  }));
}

/** The words after `deno` that make a binary of the bundle of a program; `bundles` is the folder of all bundles. */
export function compileWords(binary: Binary, config: Config, bundles: string, out: string): string[] {
  const runtime: Runtime = { deno: "deno", denoDir: "-", code: bundles, bundled: true, audit: undefined };
  const command = launchCommand(binary.name, binary.grant, runtime, config.home, binary.args, binary.main);
  const words = command.slice(command.indexOf("run") + 1);
  return ["compile", "--output", join(out, binaryPath(binary)), ...words];
}
