// What `blip --help` says, from the same tables that the flags are read by.

import { type FlagSpec, variableOf } from "./flags.ts";

const ABOUT: Readonly<Record<string, string>> = {
  agent: "runs one member until SIGTERM or SIGINT; a second one exits at once",
  members: "prints the members that the member at an address sees",
  watch: "follows the view changes of the member at an address",
  sim: "runs one simulation on virtual time, and checks that all went well",
  cache: "get KEY prints a value of the cache that the mesh serves",
  "declare-dead": "where a majority is gone for good, has the rest go on without them",
  "force-new": "where a majority is gone for good, has one member found a new mesh",
};

export function overview(): string {
  const commands = Object.entries(ABOUT).map(([name, about]) => `  blip ${name.padEnd(12)} ${about}`);
  return [
    "blip: in-process gRPC service meshes with strongly consistent membership",
    "",
    ...commands,
    "",
    "blip COMMAND --help lists the flags of a command; blip --version prints the version.",
  ].join("\n");
}

export function helpOf(command: string, flags: readonly FlagSpec[]): string {
  const offered = flags.filter((flag) => !flag.isLater);
  const lines = offered.map((flag) => {
    const value = flag.isValueOptional
      ? ` [${flag.value}]`
      : flag.value === undefined
        ? ""
        : ` ${flag.value}`;
    const usage = `--${flag.name}${value}${flag.isList ? " …" : ""}`;
    return `  ${usage.padEnd(24)} ${flag.help}`;
  });
  const example = offered[0]!.name;
  return [
    `blip ${command}: ${ABOUT[command]}`,
    "",
    ...lines,
    "",
    `Each flag also has an environment variable, as ${variableOf(example)} for --${example}; flags win, and lists`,
    "are comma-separated there.",
  ].join("\n");
}
