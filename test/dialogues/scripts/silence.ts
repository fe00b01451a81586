// A subject that answers no more: strikes, reports, and what they hold up.

import type { Script } from "../performance.ts";
import { admit, report, reportsOn, viewOf } from "../sayings.ts";

export const silence: Script = {
  name: "silence",
  about: "A subject answers no more, and is reported on all rings (PROTOCOL §11; PITFALLS B9)",
  fakes: ["A", "B", "C", "D"],
  seed: "A",
  suits: (at) => {
    const view = viewOf(["P", "A", "B", "C", "D"].map(at));
    const held = view.ringsHeld(at("P"), at("D")).length;
    return held >= 4 && held <= 6 && view.ringsHeld(at("P"), at("C")).length <= 1;
  },
  async play(d) {
    const [c, dd] = [d.at("C"), d.at("D")];
    const view = await admit(d, ["A", "B", "C", "D"]);
    const untilAlerts = d.untilHeard("its alerts", ({ kind }) => kind === "broadcast");
    await d.probes();

    d.scene("Three probes in a row fail");
    d.fallsSilent("D");
    await d.waits(untilAlerts);
    d.probesInVain("D");

    d.scene("Between L and H, D holds up everybody else");
    await report(d, view, reportsOn(d, view, c));

    d.scene("Three more fail, and it says so again");
    await d.waits(untilAlerts);
    d.probesInVain("D");

    d.scene("D answers again, and its other observers report it");
    d.speaksAgain("D");
    // One by one: some are implied by then, so it depends on their order with which the peer makes its mind up.
    for (const one of reportsOn(d, view, dd).slice(0, 9)) await report(d, view, [one]);
  },
};
