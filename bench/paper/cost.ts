/** Table 2: what a member sends and is sent while ten of a thousand crash, every copy counted. */

import type { Reply } from "../../src/core/messages.ts";
import { encodeReply, encodeRequest } from "../../src/grpc/codec.ts";
import { encodeProbeResult } from "../../src/grpc/peer-codec.ts";
import { type Letter, type Process, World } from "../../src/sim/index.ts";
import type { Experiment, ExperimentOptions, Findings } from "./experiment.ts";
import { faultsOf } from "./reported-sizes.ts";

/** Heads of a gRPC message and of an HTTP/2 frame. */
const HEAD_BYTES = 5 + 9;
const WINDOW_SECONDS = 60;
const CRASH_AT_SECOND = 20;

export const cost: Experiment = { title: "Messages and bytes (Table 2)", run };

/** Bytes by second, and messages in all. */
class Traffic {
  readonly bytes = new Float64Array(WINDOW_SECONDS);
  messages = 0;

  add(second: number, bytes: number): void {
    if (second >= WINDOW_SECONDS) return;
    this.bytes[second]! += bytes;
    this.messages += 1;
  }
}

function run({ sizes, quick }: ExperimentOptions): Findings {
  const found = (sizes ?? [quick ? 50 : 1000]).map((members) => ({ members, ...trafficOf(members) }));
  return {
    head: ["KB/s per member, received / sent", "mean", "p99", "greatest", "messages per member"],
    rows: [
      ...found.map(({ members, received, sent }) => {
        const [inbound, outbound] = [ratesOf(received), ratesOf(sent)];
        const pair = (of: (rates: Rates) => number): string => `${kb(of(inbound))} / ${kb(of(outbound))}`;
        const messages = (all: readonly Traffic[]): string =>
          String(Math.round(all.reduce((sum, one) => sum + one.messages, 0) / all.length));
        return [
          `ours, ${members} members`,
          pair(({ mean }) => mean),
          pair(({ p99 }) => p99),
          pair(({ most }) => most),
          `${messages(received)} / ${messages(sent)}`,
        ];
      }),
      ["Rapid, paper", "0.71 / 0.71", "3.66 / 3.72", "9.56 / 11.37", "–"],
      ["Memberlist, paper", "0.54 / 0.64", "5.61 / 6.40", "7.36 / 8.04", "–"],
      ["ZooKeeper, paper", "0.43 / 0.01", "17.52 / 0.33", "38.86 / 0.67", "–"],
    ],
    pictures: {},
    faults: found.flatMap(({ faults }) => faults),
  };
}

function trafficOf(members: number): {
  readonly received: readonly Traffic[];
  readonly sent: readonly Traffic[];
  readonly faults: readonly string[];
} {
  const world = new World({ seed: 1 });
  const processes = [...world.grow(members)];
  world.run(10_000);
  const byEndpoint = new Map(processes.map((process) => [process.endpoint, process]));
  const received = new Map<Process, Traffic>(processes.map((process) => [process, new Traffic()]));
  const sent = new Map<Process, Traffic>(processes.map((process) => [process, new Traffic()]));
  const began = world.now;
  const count = (from: Process, to: Process | undefined, bytes: number): void => {
    const second = Math.floor((world.now - began) / 1000);
    sent.get(from)!.add(second, bytes);
    if (to?.isUp) received.get(to)!.add(second, bytes);
  };
  const lengths = new WeakMap<object, number>();
  const lengthOf = ({ request }: Letter): number => {
    let length = lengths.get(request);
    if (length === undefined) {
      length = HEAD_BYTES + encodeRequest(request).length;
      lengths.set(request, length);
    }
    return length;
  };
  world.network.fateOf = (letter) => {
    count(letter.from, byEndpoint.get(letter.to), lengthOf(letter));
    return "pass";
  };
  world.network.fateOfReply = ({ from, to }, reply) => {
    const answering = byEndpoint.get(to);
    if (answering !== undefined) count(answering, from, HEAD_BYTES + lengthOfReply(reply));
    return "pass";
  };
  world.run(1000 * CRASH_AT_SECOND);
  const dice = world.dice("who crashes");
  const share = Math.max(1, Math.floor(members / 100));
  for (let i = 0; i < share; i++) {
    const [victim] = processes.splice(dice.below(processes.length), 1);
    received.delete(victim!);
    world.crash(victim!);
  }
  world.run(1000 * (WINDOW_SECONDS - CRASH_AT_SECOND));
  const faults = [...faultsOf(world), ...(world.agree(processes) ? [] : ["not all survivors agree"])];
  const living = (traffic: ReadonlyMap<Process, Traffic>): readonly Traffic[] =>
    processes.map((process) => traffic.get(process)!);
  return { received: living(received), sent: living(sent), faults };
}

function lengthOfReply(reply: Reply): number {
  if (reply.kind === "refused") return 0; // A status, in the heads of HTTP/2.
  return "uuid" in reply ? encodeProbeResult(reply).length : encodeReply(reply).length;
}

interface Rates {
  readonly mean: number;
  readonly p99: number;
  readonly most: number;
}

/** Over every second of every member. */
function ratesOf(traffic: readonly Traffic[]): Rates {
  const all = Float64Array.from(traffic.flatMap(({ bytes }) => [...bytes])).sort();
  const sum = all.reduce((total, bytes) => total + bytes, 0);
  return { mean: sum / all.length, p99: all[Math.floor(0.99 * all.length)]!, most: all.at(-1)! };
}

function kb(bytes: number): string {
  return (bytes / 1000).toFixed(2);
}
