import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, viewOfSize } from "../../test/core/sample-views.ts";
import type { Finding } from "./configuration-check.ts";
import type { Millis } from "./doorway.ts";
import { History } from "./history.ts";
import { Laggards, type RepairCall } from "./laggards.ts";
import { ack, type Gossip, type Reply, type Request } from "./messages.ts";
import { refuse } from "./refusals.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";
import type { View } from "./view.ts";

const rust = host(1);
const view = viewOfSize(5, (i) => i === 1);
const before = viewOfSize(6, (i) => i === 1);
const other = viewOfSize(7, (i) => i === 1);

class Trial {
  readonly history = new History();
  readonly notes: string[] = [];
  readonly said: Request[] = [];
  readonly laggards: Laggards;
  #open: RepairCall | undefined;
  #now: Millis = 0;

  constructor() {
    this.history.add(before);
    this.laggards = new Laggards(this.history, DEFAULT_SETTINGS, {
      note: (_level, text) => this.notes.push(text),
      call: (purpose, _to, request) => {
        this.#open = purpose;
        this.said.push(request);
      },
    });
  }

  /** It is found there in this many rounds, and answers so when it is looked after. */
  find(finding: Finding, rounds: number, answer: (asked: Gossip) => Reply): RepairCall["repair"] | undefined {
    let repair: RepairCall["repair"] | undefined;
    for (let round = 0; round < rounds; round++) {
      this.#now += 2000;
      this.laggards.found(rust, finding, view, this.#now);
      while (this.#open !== undefined) {
        repair = this.#open.repair;
        this.#open = undefined;
        this.laggards.answered(repair, answer(this.said.at(-1) as Gossip));
      }
    }
    return repair;
  }
}

const isIn = (where: View) => (asked: Gossip) =>
  asked.kind === "promise" && asked.configuration !== where.id
    ? refuse.wrongConfiguration
    : refuse.notOurRank;

describe("a member that does not ask for what it missed", () => {
  it("is lost when it was looked after three times and is nowhere, and not while it is where we are", () => {
    const trial = new Trial();
    trial.find("other", 11, () => refuse.wrongConfiguration);
    assert.equal(trial.laggards.isLost(rust), false);
    trial.find("other", 1, () => refuse.wrongConfiguration);
    assert.equal(trial.laggards.isLost(rust), true);
    assert.deepEqual(trial.notes, [`nobody here knows where ${rust} has gone`]);
    trial.find("same", 1, () => ack);
    assert.equal(trial.laggards.isLost(rust), false);
  });

  it("is lost, too, where it does not know us, and says that it is elsewhere to whom it knows only", () => {
    const trial = new Trial();
    const alternate = (times: number): void => {
      for (let time = 0; time < times; time++) {
        trial.find("stranger", 1, () => refuse.wrongConfiguration);
        trial.find("other", 1, () => refuse.wrongConfiguration);
      }
    };
    trial.find("stranger", 30, () => refuse.wrongConfiguration);
    assert.deepEqual([trial.laggards.isLost(rust), trial.said], [false, []]);
    alternate(7);
    assert.equal(trial.laggards.isLost(rust), false);
    alternate(1);
    assert.equal(trial.laggards.isLost(rust), true);
  });

  it("is not lost where it says nothing", () => {
    const trial = new Trial();
    trial.find("other", 30, () => refuse.closed);
    assert.equal(trial.laggards.isLost(rust), false);
  });

  it("is behind where we were before, and not once it is elsewhere", () => {
    const trial = new Trial();
    trial.find("other", 2, isIn(before));
    assert.equal(trial.laggards.isBehind(rust), true);
    trial.history.strayTo([other]);
    trial.find("other", 6, isIn(other));
    assert.equal(trial.laggards.isBehind(rust), false);
  });

  it("waits for a verdict where it went astray, and is asked again at once where there was none yet", () => {
    const trial = new Trial();
    trial.history.strayTo([other]);
    const repair = trial.find("other", 2, isIn(other))!;
    assert.deepEqual([repair.result, repair.located], ["astray", other]);
    assert.equal(trial.laggards.isBehind(rust), false, "nothing leads on from there");
    trial.laggards.decide(repair, false);
    const again = trial.find("other", 1, isIn(other))!;
    assert.notEqual(again, repair);
    trial.said.splice(0);
    trial.laggards.decide(again, true);
    trial.find("other", 1, isIn(other));
    assert.deepEqual(new Set(trial.said.map(({ kind }) => kind)), new Set(["accepted"]));
    assert.match(trial.notes.at(-1)!, /had it join anew/);
  });

  it("is told no more once we have turned to where it is", () => {
    const trial = new Trial();
    trial.history.strayTo([other]);
    const repair = trial.find("other", 2, isIn(other))!;
    trial.said.splice(0);
    trial.laggards.decide(repair, true);
    trial.laggards.follow(other);
    trial.find("same", 1, () => ack);
    assert.deepEqual(
      trial.said.map(({ kind }) => kind),
      ["accepted"],
    );
    trial.laggards.follow(view);
    assert.notEqual(trial.find("other", 6, isIn(other)), undefined);
  });
});
