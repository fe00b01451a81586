// H1: members that say what is well-formed, and false. Nothing is signed, so much of what a member says has to be believed
// (PITFALLS B19); what others can check for themselves they do, and are not moved by it.

import type { Endpoint } from "../../core/endpoint.ts";
import { nodeIdOf } from "../../core/endpoint.ts";
import {
  type Broadcast,
  type Certificate,
  type Compared,
  type Edge,
  FAST_RANK,
  type Joined,
  type Reply,
  type Request,
} from "../../core/messages.ts";
import { View } from "../../core/view.ts";
import type { Wire } from "../network.ts";
import { endpointAt } from "../population.ts";
import type { Process } from "../process.ts";
import type { Scenario, Stage } from "../scenario.ts";
import { protobufWire } from "../wire.ts";

const OBSERVERS = 10;
const DETECTION_MS = 10_000;
const NOWHERE = 99n;

export const liars: Scenario = {
  name: "H1",
  slug: "false-words",
  faults:
    "a member reports on rings that it does not hold, spoils every batch with a wrong report, gives evidence that proves nothing or is about something else, or lets a joiner into a configuration that does not exist",
  expected: "nobody is moved by it, and what is true beside it counts",
  members: { usual: 6, least: 5, most: 30 },
  run(stage) {
    reportForOthers(stage);
    spoilBatches(stage);
    proveNothing(stage);
    proveSomethingElse(stage);
    letIntoNowhere(stage);
  },
};

function reportForOthers(stage: Stage): void {
  const world = stage.newWorld("one reports another on rings that it does not hold");
  const processes = world.grow(stage.members);
  const liar = processes[1]!;
  const victim = processes[3]!.endpoint;
  const { id: configuration } = world.head!;
  const observers = world.head!.observersOf(victim);
  const edges: readonly Edge[] = observers.flatMap((one, ring) =>
    one === liar.endpoint ? [] : [{ node: victim, ring }],
  );
  const gossip = { kind: "alerts", sender: liar.endpoint, configuration, edges } as const;
  const others = processes.filter((process) => process !== liar).map(({ endpoint }) => endpoint);
  world.network.send(liar, others, { kind: "broadcast", unix: 1n, unique: 1n, gossip });
  stage.expectStandstill(30_000, "only the observer on a ring is believed about it");
}

function spoilBatches(stage: Stage): void {
  const spoilt = new WeakMap<Request, Request>();
  const request = (sent: Request): Request => {
    if (sent.kind !== "broadcast" || sent.gossip.kind !== "alerts") return sent;
    const known = spoilt.get(sent);
    if (known !== undefined) return known;
    const { gossip } = sent;
    const wrong: Edge = { node: gossip.sender, ring: 0 };
    const made: Broadcast = { ...sent, gossip: { ...gossip, edges: [wrong, ...gossip.edges] } };
    spoilt.set(sent, made);
    spoilt.set(made, made);
    return made;
  };
  const world = stage.newWorld("there is a wrong report in every batch", lying({ request }));
  const processes = world.grow(stage.members);
  world.crash(processes[2]!);
  const joiner = world.start(20, { seeds: [processes[0]!.endpoint] });
  const others = processes.filter((_, i) => i !== 2);
  stage.expectAgreement([...others, joiner], DETECTION_MS);
  stage.expectRemoved(others, [processes[2]!]);
}

function proveNothing(stage: Stage): void {
  let liar: Process | undefined;
  let uuid: unknown;
  const world = stage.newWorld(
    "one gives evidence of a removal that it alone voted for",
    lying({
      reply: (_, sent) => {
        if (sent.kind === "ack" && sent.uuid === uuid && uuid !== undefined) {
          return { ...sent, configuration: NOWHERE };
        }
        if (sent.kind !== "compared" || sent.sender !== liar?.endpoint) return sent;
        return { ...sent, configuration: NOWHERE, isMember: true, chain: [evidence([liar!.endpoint])] };
      },
    }),
  );
  const processes = world.grow(stage.members);
  liar = processes[1]!;
  uuid = world.head!.recordOf(liar.endpoint)!.uuid;
  const value = [processes[3]!.endpoint];
  const { id: configuration } = world.head!;
  const evidence = (voters: readonly Endpoint[]): Certificate => {
    return { configuration, value, joiners: new Map(), rank: FAST_RANK, voters };
  };
  stage.expectStandstill(30_000, "one vote proves nothing");
}

function proveSomethingElse(stage: Stage): void {
  let more: Certificate | undefined;
  let told = 0;
  const reply = (_: Request, sent: Reply): Reply => {
    if (sent.kind !== "compared" || sent.chain.length === 0 || more === undefined) return sent;
    told += 1;
    const compared: Compared = { ...sent, chain: [...sent.chain, more] };
    return compared;
  };
  const world = stage.newWorld(
    "what one missed is told together with evidence about an older configuration",
    lying({ reply }),
  );
  const processes = world.grow(stage.members);
  const late = processes[0]!;
  const leaver = processes.at(-1)!;
  const others = processes.slice(1, -1);
  const { id: configuration } = world.head!;
  const voters = [late, ...others].map(({ endpoint }) => endpoint);
  more = { configuration, value: voters.slice(1, 2), joiners: new Map(), rank: FAST_RANK, voters };
  world.network.fateOf = ({ to, request }) =>
    to === late.endpoint && request.kind === "broadcast" && /ccepted$/.test(request.gossip.kind)
      ? "drop"
      : "pass";
  world.leave(leaver);
  const areOn = (): boolean => others.every(({ view }) => view?.has(leaver.endpoint) === false);
  world.until("the others go on", areOn, DETECTION_MS);
  world.run(100); // Votes are still being told on.
  world.network.fateOf = undefined;
  stage.expectAgreement([late, ...others], DETECTION_MS);
  stage.expect(told > 0, "it to be told both");
  stage.expectRemoved([late, ...others], [leaver]);
}

function letIntoNowhere(stage: Stage): void {
  let liar: Process | undefined;
  const ghost = endpointAt(999);
  const reply = (_: Request, sent: Reply): Reply => {
    if (sent.kind !== "joined" || sent.sender !== liar?.endpoint) return sent;
    const { members, uuids } = sent.view;
    const records = members.map((endpoint) => ({ endpoint, ...sent.view.recordOf(endpoint)! }));
    const uuid = nodeIdOf(9n, 9n);
    const view = View.of(OBSERVERS, [...records, { endpoint: ghost, uuid, metadata: {} }], [...uuids, uuid]);
    const joined: Joined = { ...sent, view };
    return joined;
  };
  const world = stage.newWorld(
    "an observer lets a joiner into a configuration with one more member",
    lying({ reply }),
  );
  const processes = world.grow(stage.members);
  liar = processes[1]!;
  const port = Array.from({ length: 200 }, (_, i) => 50 + i).find(
    (one) => world.head!.ringsHeld(liar!.endpoint, endpointAt(one)).length > 0,
  )!;
  world.network.fateOfReply = ({ to }, sent) =>
    sent.kind === "joined" && to !== liar!.endpoint ? { delayMs: 300 } : "pass";
  const joiner = world.start(port, { seeds: [processes[0]!.endpoint] });
  stage.expectAgreement([...processes, joiner], 5000);
  stage.expect(
    joiner.notes.some((note) => /sent a configuration that cannot be/.test(note)),
    "the joiner to say that it was lied to",
  );
}

/** The network as it is, except for what is given. Whatever is said passes through its bytes. */
function lying({ request, reply }: { request?: (sent: Request) => Request; reply?: Wire["reply"] }): {
  readonly wire: Wire;
} {
  const honest = protobufWire(OBSERVERS);
  return {
    wire: {
      request: (sent) => honest.request(request?.(sent) ?? sent),
      reply: (to, sent) => honest.reply(to, reply?.(to, sent) ?? sent),
    },
  };
}
