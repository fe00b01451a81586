// Each checker finds what it is there for: in a world of real members, one is tampered with so that it breaks one rule.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Effect, Event, Machine, Millis, ViewChange } from "../../core/doorway.ts";
import { type Endpoint, nodeIdOf } from "../../core/endpoint.ts";
import { Member } from "../../core/member.ts";
import type { Gossip, Request } from "../../core/messages.ts";
import type { View } from "../../core/view.ts";
import { checkAftermath } from "../aftermath.ts";
import { endpointAt } from "../population.ts";
import type { MachineOptions, MakeMachine, Process } from "../process.ts";
import { World } from "../world.ts";
import { Joins } from "./joins.ts";

/** What a saboteur does to the effects of a step. */
type Tamper = (
  effects: readonly Effect[],
  about: { readonly event: Event; readonly view: View | undefined; readonly options: MachineOptions },
) => readonly Effect[];

/** A real member whose effects are changed on their way out. */
function tampered(tamper: Tamper): MakeMachine {
  return (options): Machine => {
    const member = new Member(options);
    let view: View | undefined;
    return {
      step: (event, now) => {
        const effects = tamper(member.step(event, now), { event, view, options });
        for (const effect of effects) if (effect.kind === "cut") view = effect.cut.view;
        return effects;
      },
      get wakeAt() {
        return member.wakeAt;
      },
    };
  };
}

/** Tampers at the first occasion only. */
function once(
  tamper: (effect: Effect, about: Parameters<Tamper>[1]) => readonly Effect[] | undefined,
): MakeMachine {
  let isDone = false;
  return tampered((effects, about) =>
    effects.flatMap((effect) => {
      const changed = isDone ? undefined : tamper(effect, about);
      if (changed === undefined) return [effect];
      isDone = true;
      return changed;
    }),
  );
}

/** Says something more at the first own vote. */
function alsoSays(more: (gossip: Gossip, view: View) => Gossip): MakeMachine {
  return once((effect, { view, event }) => {
    const gossip = utteredBy(effect, event);
    if (gossip?.kind !== "fastAccepted" || effect.kind !== "send") return undefined;
    const request: Request = { kind: "broadcast", unix: 1n, unique: 1n, gossip: more(gossip, view!) };
    return [effect, { ...effect, request }];
  });
}

function utteredBy(effect: Effect, event: Event): Gossip | undefined {
  if (effect.kind !== "send" || effect.request.kind !== "broadcast") return undefined;
  return event.kind === "request" && event.request === effect.request ? undefined : effect.request.gossip;
}

/** The same view, except for what is given. */
function forged(view: View, lies: Partial<Record<keyof View, unknown>>): View {
  return new Proxy(view, {
    get(target, key) {
      if (Object.hasOwn(lies, key)) return lies[key as keyof View];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Lies in the first cut that comes after the one that it was let in with. */
function liesInCut(lie: (view: View, about: Parameters<Tamper>[1]) => View): MakeMachine {
  return once((effect, about) => {
    if (effect.kind !== "cut" || about.view === undefined) return undefined;
    return [{ ...effect, cut: { ...effect.cut, view: lie(effect.cut.view, about) } }];
  });
}

/** A mesh of five in which the second is a saboteur, and from which the last one crashes. */
function meshWith(saboteur: MakeMachine, founder?: MakeMachine): World {
  const world = new World({ seed: 1 });
  const seeds = [world.start(1, { makeMachine: founder }).endpoint];
  world.start(2, { seeds, makeMachine: saboteur });
  for (const port of [3, 4, 5]) world.start(port, { seeds });
  world.run(3000);
  const [victim] = world.living.slice(-1);
  world.crash(victim!);
  world.run(15_000);
  return world;
}

function found(world: World): ReadonlySet<number> {
  return new Set(world.violations.map(({ invariant }) => invariant));
}

describe("checkers", () => {
  it("have nothing against members that nobody tampers with", () => {
    assert.deepEqual([...found(meshWith((options) => new Member(options)))], []);
  });

  const stranger = endpointAt(60_000);
  const saboteurs: readonly (readonly [invariant: number, what: string, saboteur: MakeMachine])[] = [
    [1, "another view under the same id", liesInCut((view) => forged(view, { uuids: view.uuids.slice(1) }))],
    [
      2,
      "another successor of the same view",
      liesInCut((_, { view }) => view!.next([endpointAt(1)], new Map())),
    ],
    [
      3,
      "a view change that nobody voted for",
      once((effect, { view, options }) => {
        if (view === undefined || view.size < 4) return undefined;
        const kicked = view.members.find((node) => node !== options.self)!;
        const cut = { view: view.next([kicked], new Map()), joined: [], kicked: [kicked], degraded: false };
        return [effect, { kind: "cut", cut }];
      }),
    ],
    [
      4,
      "two votes in the fast round",
      alsoSays((gossip) => ({ ...gossip, kind: "fastAccepted", value: [endpointAt(1)] }) as Gossip),
    ],
    [4, "a vote in another configuration", alsoSays((gossip) => ({ ...gossip, configuration: 1n }))],
    [
      5,
      "a vote for a list that is not sorted",
      alsoSays(
        (gossip) => ({ ...gossip, kind: "fastAccepted", value: [endpointAt(5), endpointAt(4)] }) as Gossip,
      ),
    ],
    [
      5,
      "a vote to admit somebody who never asked",
      alsoSays((gossip) => ({ ...gossip, kind: "fastAccepted", value: [stranger] }) as Gossip),
    ],
    [
      5,
      "a vote for somebody of whom too few reports have come",
      once((effect, { event, view }) => {
        const gossip = utteredBy(effect, event);
        if (gossip?.kind !== "alerts" || effect.kind !== "send" || view!.size < 3) return undefined;
        const vote: Gossip = { ...gossip, kind: "fastAccepted", value: [gossip.edges[0]!.node] };
        const request: Request = { kind: "broadcast", unix: 1n, unique: 1n, gossip: vote };
        return [effect, { ...effect, request }];
      }),
    ],
    [
      6,
      "a joiner that comes as somebody else each time",
      tampered((effects) =>
        effects.map((effect) =>
          effect.kind === "call" && effect.request.kind === "join"
            ? { ...effect, request: { ...effect.request, uuid: nodeIdOf(7n, BigInt(effect.call)) } }
            : effect,
        ),
      ),
    ],
    [
      7,
      "a member that calls itself degraded",
      once((effect, { view }) =>
        effect.kind === "cut" && view !== undefined
          ? [{ ...effect, cut: { ...effect.cut, degraded: true } }]
          : undefined,
      ),
    ],
    [
      9,
      "a member that breaks",
      tampered((effects, { event }) => {
        if (event.kind === "request" && event.request.kind === "probe") throw new Error("broken");
        return effects;
      }),
    ],
    [
      10,
      "a cut that names somebody who did not go",
      once((effect, { view }) =>
        effect.kind === "cut" && view !== undefined
          ? [{ ...effect, cut: { ...effect.cut, kicked: [] } }]
          : undefined,
      ),
    ],
    [
      11,
      "a broadcast that is not told on",
      tampered((effects, { event }) =>
        effects.filter(
          (effect) =>
            !(effect.kind === "send" && event.kind === "request" && event.request === effect.request),
        ),
      ),
    ],
    [
      11,
      "a broadcast that is told twice",
      once((effect) =>
        effect.kind === "send" && effect.request.kind === "broadcast" ? [effect, effect] : undefined,
      ),
    ],
    [
      12,
      "a report about itself",
      alsoSays(({ sender, configuration }) => ({
        kind: "alerts",
        sender,
        configuration,
        edges: [{ node: sender, ring: 0 }],
      })),
    ],
    [
      12,
      "a report on a ring of somebody else",
      alsoSays(({ sender, configuration }, view) => {
        const node = view.members.find((one) => one !== sender && view.observersOf(one)[3] !== sender)!;
        return { kind: "alerts", sender, configuration, edges: [{ node, ring: 3 }] };
      }),
    ],
    [
      13,
      "a hundred calls at once",
      once((effect) => {
        if (effect.kind !== "call" || effect.request.kind !== "probe") return undefined;
        return Array.from({ length: 100 }, (_, i) => ({ ...effect, call: effect.call + 1000 * i }));
      }),
    ],
    [
      22,
      "a vote that is withheld",
      tampered((effects, { event }) =>
        effects.filter((effect) => utteredBy(effect, event)?.kind !== "fastAccepted"),
      ),
    ],
  ];
  for (const [invariant, what, saboteur] of saboteurs) {
    it(`find ${what} (invariant ${invariant})`, () => {
      assert.ok(found(meshWith(saboteur)).has(invariant));
    });
  }

  it("find a uuid that was forgotten (invariant 6)", () => {
    const forgetful = liesInCut((view) => forged(view, { knows: () => false }));
    assert.ok(found(meshWith((options) => new Member(options), forgetful)).has(6));
  });

  it("find a ring on which nobody observes whom it should (invariant 8)", () => {
    const crooked = liesInCut((view) =>
      forged(view, { observersOf: (node: Endpoint) => new Array(view.observers).fill(node) }),
    );
    assert.ok(found(meshWith((options) => new Member(options), crooked)).has(8));
  });

  it("find a joiner that is sent to the wrong observers (invariant 8)", () => {
    const misleading = tampered((effects) =>
      effects.map((effect) => {
        if (effect.kind !== "reply" || effect.reply.kind !== "contacts") return effect;
        const { reply } = effect;
        return { ...effect, reply: { ...reply, observers: reply.observers.map(() => reply.sender) } };
      }),
    );
    const world = new World({ seed: 1 });
    const [founder] = world.grow(3, 1, { makeMachine: misleading });
    world.start(9, { seeds: [founder!.endpoint] });
    world.run(100);
    assert.ok(found(world).has(8));
  });

  it("find a joiner that waits though the configuration it asked about is over (invariant 21)", () => {
    const reports: number[] = [];
    const joins = new Joins(
      (invariant) => void reports.push(invariant),
      () => 0,
    );
    const process = { view: { id: 2n }, seemsNode: true } as Process;
    for (const [token, configuration] of [1n, 2n].entries()) {
      joins.heard(process, { kind: "join", sender: stranger, configuration } as Request, token);
    }
    joins.took(process, {} as ViewChange);
    joins.stepped(process, { kind: "wake" });
    assert.deepEqual(reports, [21]);
  });

  it("find a joiner that is let in before anybody decided it (invariant 14)", () => {
    const world = new World({ seed: 1 });
    const hasty: Tamper = (effects, { event, view, options }) => {
      if (event.kind !== "request" || event.request.kind !== "join" || view === undefined) return effects;
      const { token } = event;
      const reply = { kind: "joined", sender: options.self, configuration: view.id, view } as const;
      return [{ kind: "reply", token, reply }];
    };
    const founder = world.start(1, { makeMachine: tampered(hasty) });
    world.start(2, { seeds: [founder.endpoint] });
    world.run(1000);
    assert.ok(found(world).has(14));
  });

  it("find a second mesh (invariant 15)", () => {
    const world = new World({ seed: 1 });
    world.grow(3);
    world.start(9);
    assert.ok(found(world).has(15));
  });

  it("find somebody removed who was well (invariant 20)", () => {
    const world = new World({ seed: 1 });
    const victim = endpointAt(4);
    const slander = (): MakeMachine =>
      once((effect, { view, options, event }) => {
        if (view?.has(victim) !== true || event.kind !== "wake" || options.self === victim) return undefined;
        const edges = [...view.observersOf(victim).entries()]
          .filter(([, observer]) => observer === options.self)
          .map(([ring]) => ({ node: victim, ring }));
        const gossip = { kind: "alerts", sender: options.self, configuration: view.id, edges } as const;
        const unique = BigInt(options.self.slice(-1));
        const request: Request = { kind: "broadcast", unix: 1n, unique, gossip };
        return [effect, { kind: "send", to: view.members.filter((node) => node !== options.self), request }];
      });
    const seeds = [world.start(1, { makeMachine: slander() }).endpoint];
    for (const port of [2, 3, 4]) {
      world.start(port, { seeds, makeMachine: slander() });
    }
    world.run(30_000);
    assert.ok(
      world.violations.some(({ invariant, what }) => invariant === 20 && /nothing was ever wrong/.test(what)),
    );
  });

  it("find a call that waits for ever (invariant 21)", () => {
    const reports: number[] = [];
    let now: Millis = 0;
    const joins = new Joins(
      (invariant) => void reports.push(invariant),
      () => now,
    );
    const process = { isLiving: true, isFrozen: false } as Process;
    const join = { kind: "join", sender: stranger } as Request;
    joins.heard(process, join, 1);
    joins.heard(process, join, 2);
    joins.hungUp(process, 2);
    now = 61_000;
    joins.settled();
    assert.deepEqual(reports, [21]);
  });
});

describe("what must be so in the end", () => {
  function aftermath(disturb: (world: World) => void): ReadonlySet<number> {
    const world = new World({ seed: 1 });
    disturb(world);
    checkAftermath(world);
    return found(world);
  }

  it("holds where nothing happened", () => {
    assert.deepEqual([...aftermath((world) => world.grow(5))], []);
  });

  it("does not where the dead are still members (invariant 16)", () => {
    const areNotMissed = aftermath((world) => {
      world.crash(world.grow(4)[1]!);
      world.network.fateOf = ({ request: { kind } }) => (kind === "broadcast" ? "drop" : "pass");
    });
    assert.ok(areNotMissed.has(16));
  });

  it("does not where a joiner is outside (invariant 17)", () => {
    const isOutside = aftermath((world) => {
      const [founder] = world.grow(3);
      world.start(9, { seeds: [founder!.endpoint] });
      world.network.fateOf = ({ request }) => (request.kind === "preJoin" ? "drop" : "pass");
    });
    assert.ok(isOutside.has(17));
  });

  it("is not asked to let somebody in who knows nobody that lives", () => {
    const isStranded = aftermath((world) => {
      world.grow(3);
      world.start(9, { seeds: [endpointAt(60_000)] });
    });
    assert.deepEqual([...isStranded], []);
  });

  it("does not where a vote has no end (invariant 18)", () => {
    const isVotedOn = aftermath((world) => {
      world.crash(world.grow(4)[3]!);
      // Nobody hears of anybody's vote.
      world.network.fateOf = ({ request }) =>
        request.kind === "broadcast" && /ccepted$/.test(request.gossip.kind) ? "drop" : "pass";
    });
    assert.ok(isVotedOn.has(18));
  });

  it("is not asked to where a majority is gone for good", () => {
    assert.deepEqual([...aftermath((world) => world.crash(...world.grow(4).slice(0, 2)))], []);
  });

  it("knows a member from a process that came to its address after it", () => {
    const world = new World({ seed: 5n });
    const [founder, second, third] = world.grow(3);
    const { joins } = world.watch;
    const before = second!.view!;
    const again = world.restart(third!, { seeds: [founder!.endpoint] });
    assert.deepEqual(
      [founder!, second!, third!].map((process) => joins.wasLetIn(process, before)),
      [true, true, true],
    );
    world.until("all agree", () => world.agree());
    assert.deepEqual(
      [before, again.view!].map((view) => joins.wasLetIn(again, view)),
      [false, true],
    );
  });

  it("does not where somebody is left behind (invariant 19)", () => {
    assert.ok(aftermath((world) => world.freeze(world.grow(4)[1]!)).has(19));
  });

  it("does not where a half-reported member keeps everybody out (invariant 22)", () => {
    const deafTo: Tamper = (effects, { event }) =>
      event.kind === "request" && event.request.kind === "preJoin" && event.request.sender !== endpointAt(2)
        ? []
        : effects;
    const isBlocked = aftermath((world) => {
      const seeds = [world.start(1, { makeMachine: tampered(deafTo) }).endpoint];
      const half = world.start(2, { seeds, makeMachine: tampered(deafTo) });
      world.until("both agree", () => world.agree());
      const { view } = half;
      const edges = [0, 1, 2, 3, 4].map((ring) => ({ node: endpointAt(7), ring }));
      const gossip = { kind: "alerts", sender: half.endpoint, configuration: view!.id, edges } as const;
      world.watch.edges.said(half, gossip, []);
      world.watch.violations.length = 0;
    });
    assert.ok(isBlocked.has(22));
  });

  it("does not where somebody never rests (invariant 23)", () => {
    const restless: MakeMachine = (options) => {
      const member = new Member(options);
      let at = 0;
      return {
        step: (event, now) => {
          at = now + 10;
          return member.step(event, now);
        },
        get wakeAt() {
          return at;
        },
      };
    };
    const isRestless = aftermath((world) => {
      world.start(2, { seeds: [world.start(1).endpoint], makeMachine: restless });
      world.until("both agree", () => world.agree());
    });
    assert.ok(isRestless.has(23));
  });
});
