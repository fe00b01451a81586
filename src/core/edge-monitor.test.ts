import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, viewOfSize } from "../../test/core/sample-views.ts";
import { EdgeMonitor } from "./edge-monitor.ts";
import type { Endpoint } from "./endpoint.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";
import type { View } from "./view.ts";

type Result = "healthy" | "refused" | "silent";

const self = host(0);
const PERIOD = DEFAULT_SETTINGS.faultTimeoutMs;
const STRIKES = DEFAULT_SETTINGS.faultStrikes;

function monitorOf(view: View, now = 0): EdgeMonitor {
  const monitor = new EdgeMonitor(self, DEFAULT_SETTINGS);
  monitor.follow(view, now);
  return monitor;
}

function distinctSubjects(view: View): Set<Endpoint> {
  const subjects = new Set(view.subjectsOf(self));
  subjects.delete(self);
  return subjects;
}

/** One period: all are probed, the subject answers with this result, the others well. Answers what is reported. */
function period(monitor: EdgeMonitor, number: number, subject: Endpoint, result: Result): readonly number[] {
  const now = number * PERIOD;
  monitor.pulse(now);
  const due = monitor.due(now);
  assert.ok(due.includes(subject));
  for (const other of due) if (other !== subject) monitor.answered(other, "healthy", now);
  return monitor.answered(subject, result, now).map((edge) => edge.ring);
}

function periods(
  monitor: EdgeMonitor,
  subject: Endpoint,
  results: readonly Result[],
  from = 1,
): readonly (readonly number[])[] {
  return results.map((result, i) => period(monitor, from + i, subject, result));
}

describe("the edge monitor (PROTOCOL §11)", () => {
  const view = viewOfSize(5);
  const subject = view.subjectsOf(self)[0]!;
  const rings = view.ringsHeld(self, subject);

  it("probes each distinct subject once per period, at the same moments as everybody", () => {
    const monitor = monitorOf(view, 1.5 * PERIOD);
    assert.deepEqual(monitor.due(1.5 * PERIOD), []);
    for (const node of monitor.due(monitor.wakeAt)) monitor.answered(node, "healthy", 1.7 * PERIOD);
    assert.equal(monitor.wakeAt, 2 * PERIOD);
    for (const number of [2, 3]) {
      assert.deepEqual(new Set(monitor.due(number * PERIOD)), distinctSubjects(view));
      for (const node of distinctSubjects(view)) monitor.answered(node, "healthy", number * PERIOD);
      assert.deepEqual(monitor.due(number * PERIOD + 1), []);
      assert.equal(monitor.wakeAt, (number + 1) * PERIOD);
    }
  });

  it("probes new subjects once before their first period, which it neither delays nor strikes", () => {
    const newAt = 3 * PERIOD + 10;
    const monitor = monitorOf(view, newAt);
    const firstAt = monitor.wakeAt;
    assert.ok(firstAt > newAt && firstAt < newAt + PERIOD / 4, `${firstAt}`);
    assert.deepEqual(monitor.due(firstAt - 1), []);
    assert.deepEqual(new Set(monitor.due(firstAt)), distinctSubjects(view));
    assert.equal(firstAt + monitor.patienceMs(subject, firstAt), 4 * PERIOD);
    for (const node of distinctSubjects(view)) monitor.answered(node, "silent", firstAt + 1);
    assert.equal(monitor.wakeAt, 4 * PERIOD);
    assert.deepEqual(periods(monitor, subject, Array(STRIKES).fill("silent"), 4), [[], [], rings]);
    assert.equal(monitor.patienceMs(subject, 4 * PERIOD), PERIOD);

    monitor.follow(view, 7 * PERIOD);
    assert.equal(monitor.wakeAt, 7 * PERIOD, "nobody is new");
  });

  it("does not do so beside Rust members, who would not report with us (PITFALLS B9b)", () => {
    const monitor = monitorOf(
      viewOfSize(5, (i) => i === 4),
      PERIOD / 2,
    );
    assert.equal(monitor.wakeAt, PERIOD);
  });

  it("does not probe anew while an answer is outstanding, but as soon as it came", () => {
    const monitor = monitorOf(view);
    monitor.due(PERIOD);
    assert.deepEqual(monitor.due(2 * PERIOD), []);
    monitor.answered(subject, "silent", 2 * PERIOD + 1);
    assert.deepEqual(monitor.due(2 * PERIOD + 1), [subject]);
    assert.deepEqual(monitor.due(2 * PERIOD + 2), []);
  });

  it("never probes itself (PITFALLS B10)", () => {
    const alone = monitorOf(viewOfSize(1));
    assert.deepEqual([alone.due(PERIOD), alone.wakeAt], [[], Infinity]);
    for (const size of [2, 3, 30]) assert.ok(!monitorOf(viewOfSize(size)).due(PERIOD).includes(self));
  });

  it("probes nobody without a view, or in one that it is not in", () => {
    const monitor = monitorOf(view);
    for (const without of [undefined, view.next([self], new Map())]) {
      monitor.follow(without, 0);
      assert.deepEqual([monitor.due(PERIOD), monitor.wakeAt], [[], Infinity]);
    }
  });

  it("reports a subject on every ring it is held on at the third failure in a row, and again after three more", () => {
    const failures = new Array<Result>(2 * STRIKES).fill("refused");
    assert.deepEqual(periods(monitorOf(view), subject, failures), [[], [], rings, [], [], rings]);
  });

  it("forgets strikes at every success", () => {
    const results: readonly Result[] = ["refused", "silent", "healthy", "refused", "refused", "silent"];
    assert.deepEqual(periods(monitorOf(view), subject, results), [[], [], [], [], [], rings]);
  });

  it("takes an answer that nobody waits for as no answer", () => {
    const monitor = monitorOf(view);
    for (let i = 0; i < 5; i++) assert.deepEqual(monitor.answered(subject, "refused", 0), []);
    assert.deepEqual(monitor.answered(host(99), "refused", 0), []);
  });
});

describe("strikes over view changes (PITFALLS B15)", () => {
  const view = viewOfSize(5);
  const subject = view.subjectsOf(self)[0]!;
  const bystander = view.members.find((member) => member !== self && member !== subject)!;
  const without = (node: Endpoint): View => view.next([node], new Map());

  it("stay with a subject that stays ours, which is then reported on the rings of the new view", () => {
    const monitor = monitorOf(view);
    periods(monitor, subject, ["refused", "refused"]);
    monitor.follow(without(bystander), 2 * PERIOD + 1);
    assert.deepEqual(period(monitor, 3, subject, "refused"), without(bystander).ringsHeld(self, subject));
  });

  it("are as good as all there for a subject that was reported in the view before, and still does not answer", () => {
    const monitor = monitorOf(view);
    periods(monitor, subject, ["refused", "refused", "refused"]);
    const next = without(bystander);
    monitor.follow(next, 3 * PERIOD + 1);
    assert.deepEqual(period(monitor, 4, subject, "refused"), next.ringsHeld(self, subject));
  });

  it("start from none where it has answered well since", () => {
    const monitor = monitorOf(view);
    periods(monitor, subject, ["refused", "refused", "refused", "healthy"]);
    monitor.follow(without(bystander), 4 * PERIOD + 1);
    assert.deepEqual(periods(monitor, subject, ["refused", "refused"], 5), [[], []]);
  });

  it("count an answer that was outstanding when the view changed", () => {
    const monitor = monitorOf(view);
    periods(monitor, subject, ["refused", "refused"]);
    monitor.due(3 * PERIOD);
    monitor.follow(without(bystander), 3 * PERIOD + 1);
    const rings = without(bystander).ringsHeld(self, subject);
    assert.equal(monitor.answered(subject, "refused", 3 * PERIOD + 2).length, rings.length);
  });

  it("keep the rhythm of probes, so that a mesh that changes all the time is not probed all the time", () => {
    const monitor = monitorOf(view);
    period(monitor, 1, subject, "healthy");
    monitor.follow(without(bystander), PERIOD + 10);
    assert.deepEqual(monitor.due(PERIOD + 10), []);
    assert.equal(monitor.wakeAt, 2 * PERIOD);
  });

  it("are gone when the subject was not ours in between", () => {
    const monitor = monitorOf(view);
    periods(monitor, subject, ["refused", "refused"]);
    monitor.follow(without(subject), 2 * PERIOD + 1);
    monitor.follow(view, 2 * PERIOD + 2);
    assert.deepEqual(period(monitor, 3, subject, "refused"), []);
  });
});

describe("a process that stood still (PITFALLS E8)", () => {
  const view = viewOfSize(5);
  const subject = view.subjectsOf(self)[0]!;

  /** Lives through time in steps of a tenth of a period, with pauses. Answers when a silent subject is reported. */
  function reportedAt(
    pauses: readonly { readonly at: number; readonly ms: number }[],
    silentFrom = 0,
  ): number {
    const monitor = monitorOf(view);
    let deadline = Infinity;
    for (let now = 0; now < 100 * PERIOD; now += PERIOD / 10) {
      now += pauses.find(({ at }) => at === now)?.ms ?? 0;
      monitor.pulse(now);
      if (now >= deadline) {
        deadline = Infinity;
        if (monitor.answered(subject, "silent", now).length > 0) return now - silentFrom;
      }
      for (const node of monitor.due(now)) {
        if (node === subject && now >= silentFrom) deadline = now + monitor.patienceMs(subject, now);
        else monitor.answered(node, "healthy", now);
      }
    }
    return Infinity;
  }

  const onTime = (STRIKES + 1) * PERIOD;

  it("finds a silent subject in as many periods as it takes strikes, while it is on time itself", () => {
    assert.equal(reportedAt([]), onTime);
    assert.equal(reportedAt([{ at: PERIOD, ms: PERIOD / 10 }]), onTime + PERIOD / 10, "a tenth is on time");
  });

  it("gives others the more time the longer it stood still, and finds the frozen all the same", () => {
    const [little, much, most] = [PERIOD / 4, PERIOD, 10 * PERIOD].map(
      (ms) => reportedAt([{ at: PERIOD, ms }]) - ms,
    );
    assert.ok(little! > onTime && little! <= onTime + 3 * PERIOD, `${little}`);
    assert.ok(much! > little! && much! <= onTime + 6 * PERIOD, `${much}`);
    assert.ok(most! >= much! && most! <= onTime + 6 * PERIOD, `${most}`);
  });

  it("trusts itself again after a while", () => {
    const from = 20 * PERIOD;
    assert.equal(reportedAt([{ at: PERIOD, ms: 2 * PERIOD }], from), onTime - PERIOD);
  });

  it("doubts its neighbours for as long as it is short of CPU", () => {
    const pauses = Array.from({ length: 100 }, (_, i) => ({ at: i * PERIOD, ms: PERIOD / 2 }));
    assert.ok(reportedAt(pauses) > 2 * onTime);
  });

  it("still counts refusals, which do not come from waiting", () => {
    const monitor = monitorOf(view);
    const reported = [1, 2, 3].map((i) => {
      const asked = 10 * i * PERIOD;
      monitor.pulse(asked);
      monitor.due(asked);
      monitor.pulse(asked + 5 * PERIOD);
      return monitor.answered(subject, "refused", asked + 5 * PERIOD).length;
    });
    assert.deepEqual(reported, [0, 0, view.ringsHeld(self, subject).length]);
  });

  it("wants to be woken to feel its pulse while probes are under way, and only then", () => {
    const monitor = monitorOf(view);
    monitor.due(PERIOD);
    assert.equal(monitor.wakeAt, 1.1 * PERIOD);
    monitor.pulse(1.1 * PERIOD);
    assert.equal(monitor.wakeAt, 1.2 * PERIOD);
    for (const node of distinctSubjects(view)) monitor.answered(node, "healthy", 1.1 * PERIOD);
    assert.equal(monitor.wakeAt, 2 * PERIOD);
  });
});
