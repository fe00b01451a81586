// The dice of a member, given from outside: from the operating system in production, from a seed in a simulation.

import { type NodeId, nodeIdOf } from "./endpoint.ts";

export interface Random {
  /** A number of 64 random bits. */
  u64(): bigint;
  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number;
}

export function drawNodeId(random: Random): NodeId {
  return nodeIdOf(random.u64(), random.u64());
}

/** A new order of the same things (Fisher and Yates). */
export function shuffled<T>(things: readonly T[], random: Random): T[] {
  const order = [...things];
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** The same seed gives the same dice, on every machine (splitmix64). */
export function seededRandom(seed: bigint): Random {
  let state = BigInt.asUintN(64, seed);
  const u64 = (): bigint => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let z = state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return z ^ (z >> 31n);
  };
  return { u64, below: (limit) => Number(u64() >> 11n) % limit };
}
