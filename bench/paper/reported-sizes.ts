/** Which sizes of the mesh its members report, and when: what the paper's figures show of an experiment. */
import type { Checker, Process, World } from "../../src/sim/index.ts";

interface Report {
  readonly process: Process;
  readonly atMs: number;
  readonly size: number;
}

export class ReportedSizes implements Checker {
  readonly #reports: Report[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  took(process: Process, { view }: { readonly view: { readonly size: number } }): void {
    this.#reports.push({ process, atMs: this.#now(), size: view.size });
  }

  /** Ordered by size. */
  unique(among: ReadonlySet<Process>, fromMs = 0): readonly number[] {
    const sizes = this.#reports.filter(({ process, atMs }) => among.has(process) && atMs >= fromMs);
    return [...new Set(sizes.map(({ size }) => size))].sort((a, b) => a - b);
  }

  /** Each second, every size that somebody reports who logs it once per second; the paper's dots. */
  perSecond(
    among: ReadonlySet<Process>,
    fromMs: number,
    toMs: number,
  ): readonly (readonly [number, number])[] {
    const current = new Map<Process, number>();
    const dots: (readonly [number, number])[] = [];
    let next = 0;
    for (let at = fromMs; at <= toMs; at += 1000) {
      for (; next < this.#reports.length && this.#reports[next]!.atMs <= at; next++) {
        const { process, size } = this.#reports[next]!;
        if (among.has(process)) current.set(process, size);
      }
      for (const size of new Set(current.values())) dots.push([(at - fromMs) / 1000, size]);
    }
    return dots;
  }

  /** When the last of these took a view of this size, for the first time. */
  lastToReach(size: number, among: ReadonlySet<Process>, fromMs: number): number | undefined {
    const reached = new Map<Process, number>();
    for (const report of this.#reports) {
      if (report.size !== size || report.atMs < fromMs || !among.has(report.process)) continue;
      if (!reached.has(report.process)) reached.set(report.process, report.atMs);
    }
    return reached.size < among.size ? undefined : Math.max(...reached.values());
  }
}

export function faultsOf(world: World): readonly string[] {
  return world.violations.map(({ invariant, what }) => `invariant ${invariant}: ${what}`);
}
