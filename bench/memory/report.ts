/** The samples of the memory benchmark as one table, from Node alone to the largest mesh. */
import type { MemberKind } from "../../test/member-process.ts";
import { spread } from "../figures.ts";
import type { Sample } from "../memory.ts";
import { table } from "../table.ts";
import { STAGES, type Stage } from "./loader.ts";

const stageNames: Readonly<Record<Stage, string>> = {
  node: "Node alone",
  http2: "+ node:http2",
  "grpc-js": "+ @grpc/grpc-js",
  protobuf: "+ @bufbuild/protobuf",
  blip: "+ blip-mesh",
};

export function report(samples: readonly Sample[], sizes: readonly number[], settleMs: number): string {
  const row = (name: string, what: Sample["what"]): string[] => {
    const of = (kind: MemberKind): readonly Sample[] =>
      samples.filter((sample) => sample.kind === kind && sample.what === what);
    const [node, rust] = [of("node"), of("rust")];
    return [name, spread(node.map(rss)), spread(node.map(own)), spread(rust.map(rss)), spread(rust.map(own))];
  };
  const largest = sizes.at(-1)!;
  const each = (kind: MemberKind, of: (sample: Sample) => number): string =>
    spread(
      eachOther(
        samples.filter((sample) => sample.kind === kind),
        largest,
        of,
      ),
    );
  const rows = [
    ...STAGES.map((stage) => row(stageNames[stage], stage)),
    row("a member that has not joined", "held"),
    ...sizes.map((size) => row(size === 1 ? "a mesh of one" : `a member of ${size}`, size)),
    [
      `  each of its ${largest - 1} others`,
      each("node", rss),
      each("node", own),
      each("rust", rss),
      each("rust", own),
    ],
  ];
  return `${table(["resident, MiB", "Node", "of it its own", "Rust", "of it its own"], rows)}

Median (lowest–highest) of the runs; of a mesh, the mean over its members, ${settleMs / 1000} s after the last one was
joined. What is not its own are pages of files, of the program above all, which all processes of a machine share.
Each row with a + loads what the rows above it do, and more. The last row is what the largest mesh has more than
a mesh of one, for each member more.`;
}

const rss = ({ rssMib }: Sample): number => rssMib;
const own = ({ ownMib }: Sample): number => ownMib;

/** What one more member costs each, by run. */
function eachOther(
  samples: readonly Sample[],
  largest: number,
  of: (sample: Sample) => number,
): readonly number[] {
  return samples
    .filter(({ what }) => what === largest)
    .flatMap((sample) => {
      const lone = samples.find(({ run, what }) => run === sample.run && what === 1);
      return lone === undefined ? [] : (of(sample) - of(lone)) / (largest - 1);
    });
}
