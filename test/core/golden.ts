// The golden vectors that the crate's own code made: endpoint hashes, rings, configuration ids, ranks.

import { readFileSync } from "node:fs";
import { type Endpoint, endpointOf, type NodeId, nodeIdOf } from "../../src/core/endpoint.ts";

export interface GoldenEndpoint {
  readonly addr: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

export interface GoldenUuid {
  readonly high: string;
  readonly low: string;
}

export interface GoldenMesh {
  readonly n: number;
  readonly endpoints: readonly GoldenEndpoint[];
  /** Per ring, per place: which endpoint. */
  readonly rings: readonly (readonly number[])[];
  /** Per endpoint, per ring: which endpoint. */
  readonly observers: readonly (readonly number[])[];
  readonly subjects: readonly (readonly number[])[];
  readonly joiners: readonly { readonly joiner: GoldenEndpoint; readonly contact: readonly number[] }[];
  readonly endpoint_sort_order: readonly number[];
}

export interface Golden {
  readonly a_endpoint_hashes: readonly {
    readonly endpoint: GoldenEndpoint;
    readonly seeded: readonly {
      readonly seed: number;
      readonly bytes: string;
      readonly hash: string;
    }[];
  }[];
  readonly b_rings: readonly GoldenMesh[];
  readonly c_conf_ids: readonly {
    readonly label: string;
    readonly endpoints: readonly GoldenEndpoint[];
    readonly uuids_sorted: readonly GoldenUuid[];
    readonly conf_id: string;
  }[];
  readonly d_ranks: {
    readonly node_idx: readonly {
      readonly endpoint: GoldenEndpoint;
      readonly bytes: string;
      readonly node_idx: string;
    }[];
    readonly ranks_sorted_ascending: readonly { readonly node_idx: string; readonly round: number }[];
    readonly fast_round: { readonly node_idx: string; readonly round: number };
    readonly zero: { readonly node_idx: string; readonly round: number };
  };
}

export const golden = JSON.parse(
  readFileSync(new URL("../fixtures/vectors.json", import.meta.url), "utf8"),
) as Golden;

export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

export function endpointFrom({ host, port, tls }: GoldenEndpoint): Endpoint {
  return endpointOf(bytesOf(host), port, tls)!;
}

export function uuidFrom({ high, low }: GoldenUuid): NodeId {
  return nodeIdOf(BigInt(high), BigInt(low));
}
