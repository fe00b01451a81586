// Reports that are implied: an observer that is reported itself cannot report any more.

import type { Endpoint } from "../../../src/core/endpoint.ts";
import type { Dialogue } from "../dialogue.ts";
import type { Script } from "../performance.ts";
import { admit, type Report, report, reportsOn, viewOf } from "../sayings.ts";

const LOW = 4;
const FAKES = ["A", "B", "C", "D"];

interface Reports {
  readonly onC: readonly Report[];
  /** What D itself may say of C. */
  readonly onCByD: readonly Report[];
  /** Enough for a proposal, without anything that C may say. */
  readonly onD: readonly Report[];
}

const suits = (at: (name: string) => Endpoint): boolean => {
  const view = viewOf(["P", ...FAKES].map(at));
  const held = (observer: string, subject: string): number =>
    view.ringsHeld(at(observer), at(subject)).length;
  const byD = held("D", "C");
  return byD >= 2 && byD <= 4 && held("P", "C") <= 1 && held("P", "D") + held("C", "D") <= 1;
};

export const impliedReports: Script = {
  name: "implied-reports",
  about: "While C and D are both between L and H, D's reports on C are implied (PROTOCOL §12)",
  fakes: FAKES,
  seed: "A",
  suits,
  async play(d) {
    const { reports, tell } = await prepared(d);

    d.scene("D passes L, and then C: what D will not say is implied, and C is past H");
    await tell(reports.onD.slice(0, LOW + 1));
    await tell(reports.onC);

    d.scene("D passes H, and both are proposed");
    await tell(reports.onD.slice(LOW + 1));
  },
};

export const unimpliedReports: Script = {
  name: "unimplied-reports",
  about:
    "Once D is past H, or while C is just at L, nothing is implied, and both are stuck (PITFALLS B7, B9)",
  fakes: FAKES,
  seed: "A",
  suits,
  async play(d) {
    const { reports, tell } = await prepared(d);

    d.scene("C stands at L, and holds up D, who passes H");
    await tell(reports.onC.slice(0, LOW));
    await tell(reports.onD);

    d.scene("C passes L, and all that are not D have said what they can");
    await tell(reports.onC.slice(LOW));

    d.scene("Only D itself can free both");
    await tell(reports.onCByD);
  },
};

async function prepared(
  d: Dialogue,
): Promise<{ readonly reports: Reports; readonly tell: (some: readonly Report[]) => Promise<void> }> {
  const [c, dd] = [d.at("C"), d.at("D")];
  const view = await admit(d, FAKES);
  const onC = reportsOn(d, view, c);
  const reports = {
    onC: onC.filter(({ observer }) => observer !== dd),
    onCByD: onC.filter(({ observer }) => observer === dd),
    onD: reportsOn(d, view, dd).filter(({ observer }) => observer !== c),
  };
  return { reports, tell: (some) => report(d, view, some) };
}
