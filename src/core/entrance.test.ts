import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { host, nodeMetadata, uuid, viewOfSize } from "../../test/core/sample-views.ts";
import type { Effect } from "./doorway.ts";
import { Entrance, type JoinCall } from "./entrance.ts";
import { Former } from "./former.ts";
import type { Compare, Reply } from "./messages.ts";
import { Outgoing } from "./outgoing.ts";
import { seededRandom } from "./random.ts";
import { refuse } from "./refusals.ts";
import { Round } from "./round.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";
import type { View } from "./view.ts";

type Called = Effect & { readonly kind: "call" };

const self = host(0);
const view = viewOfSize(4);
const round = new Round(view, self, DEFAULT_SETTINGS, seededRandom(1n));
const former = new Former(self, uuid(0), round);
const later = view.next([host(3)], new Map());

/** On its way in, where both that it knows of have it as a member. */
function turnedAway(former?: Former, reminder?: Compare) {
  const out = new Outgoing<JoinCall>();
  const options = { self, metadata: nodeMetadata(), settings: DEFAULT_SETTINGS, random: seededRandom(1n) };
  const entrance = new Entrance(
    options,
    { lastKnown: [host(1), host(2)], former },
    { history: { mayGoTo: () => true, hasEnded: () => false }, reminder },
    out,
  );
  const effects: Effect[] = [];
  const calls = (kind: string): readonly Called[] => {
    effects.push(...out.take());
    return effects.filter(
      (effect): effect is Called => effect.kind === "call" && effect.request.kind === kind,
    );
  };
  const answer = ({ call }: Called, reply: Reply): View | undefined =>
    entrance.answered(out.answered(call)!, reply, 0);
  entrance.seeds([], 0);
  for (let i = 0; i < 2; i++) assert.equal(answer(calls("preJoin").at(-1)!, refuse.hostExists), undefined);
  return { entrance, calls, answer, effects };
}

describe("on the way in, one whom the others have as a member", () => {
  it("waits until they have removed it, where it never was", () => {
    assert.deepEqual(turnedAway().calls("join"), []);
  });

  it("asks one of them at a time as who it was before it gave up, and goes on as that one", () => {
    const { entrance, calls, answer, effects } = turnedAway(former);
    const [question, ...others] = calls("join");
    assert.deepEqual(others, []);
    assert.ok(question?.request.kind === "join" && question.request.uuid === uuid(0));
    assert.notEqual(entrance.uuid, uuid(0));
    assert.equal(
      answer(question, { kind: "joined", sender: host(1), configuration: later.id, view: later }),
      later,
    );
    assert.equal(entrance.uuid, uuid(0));
    assert.equal(entrance.roundIn(later), undefined);
    calls("join");
    assert.ok(effects.some((effect) => effect.kind === "note" && effect.text.includes("as before")));
  });

  it("goes back to where it was with its promises and votes", () => {
    const { entrance, calls, answer } = turnedAway(former);
    assert.equal(entrance.roundIn(view), undefined, "it is not back yet");
    const [question] = calls("join");
    const joined: Reply = { kind: "joined", sender: host(1), configuration: view.id, view: viewOfSize(4) };
    assert.equal(answer(question!, joined), view);
    assert.equal(entrance.roundIn(view), round);
  });

  it("goes on asking to be let in where nobody has it as that one", () => {
    const { entrance, calls, answer } = turnedAway(former);
    for (const reply of [refuse.hostExists, refuse.wrongConfiguration]) {
      assert.equal(answer(calls("join").at(-1)!, reply), undefined);
      entrance.wake(entrance.wakeAt);
      if (calls("preJoin").length < 3) entrance.seeds([], entrance.wakeAt);
      answer(calls("preJoin").at(-1)!, refuse.hostExists);
    }
    assert.equal(calls("join").length, 3);
    assert.notEqual(entrance.uuid, uuid(0));
  });

  it("is nobody that it was once it has asked to be let in as somebody new, who may be let in at any time", () => {
    const { entrance, calls, answer } = turnedAway(former);
    const [question] = calls("join");
    entrance.wake(entrance.wakeAt);
    entrance.seeds([], entrance.wakeAt);
    const observers = new Array(view.observers).fill(host(2));
    answer(calls("preJoin").at(-1)!, { kind: "contacts", sender: host(2), configuration: 7n, observers });
    assert.ok(calls("join").some(({ request }) => "uuid" in request && request.uuid === entrance.uuid));
    const joined: Reply = { kind: "joined", sender: host(1), configuration: later.id, view: later };
    assert.equal(answer(question!, joined), undefined);
    assert.notEqual(entrance.uuid, uuid(0));
  });

  it("is still who it was after it asked one that is in no configuration itself", () => {
    const { entrance, calls, answer } = turnedAway(former);
    const [question] = calls("join");
    entrance.wake(entrance.wakeAt);
    entrance.seeds([], entrance.wakeAt);
    answer(calls("preJoin").at(-1)!, { kind: "contacts", sender: host(2), configuration: 0n, observers: [] });
    const joined: Reply = { kind: "joined", sender: host(1), configuration: later.id, view: later };
    assert.equal(answer(question!, joined), later);
    assert.equal(entrance.uuid, uuid(0));
  });

  it("reminds those of the decision that removed it", () => {
    const reminder = { kind: "compare", sender: self, configuration: later.id, past: [] } as const;
    const { calls, effects } = turnedAway(undefined, reminder);
    calls("preJoin");
    const reminded = effects.flatMap((effect) =>
      effect.kind === "send" && effect.request === reminder ? effect.to : [],
    );
    assert.deepEqual(new Set(reminded), new Set([host(1), host(2)]));
  });
});
