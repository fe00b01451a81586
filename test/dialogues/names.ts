// Names for what differs from run to run: addresses, configurations, uuids, ids of broadcasts. Who comes up first gets the
// first number.

import { addressOf, type Endpoint, type NodeId } from "../../src/core/endpoint.ts";
import { nodeIndexOf } from "../../src/core/hash.ts";
import type { Broadcast, ConfigurationId } from "../../src/core/messages.ts";

export class Names {
  readonly #endpoints: ReadonlyMap<Endpoint, string>;
  readonly #indices: ReadonlyMap<bigint, string>;
  readonly #configurations = new Map<ConfigurationId, string>([[0n, "no configuration"]]);
  readonly #uuids = new Map<NodeId, string>();
  readonly #broadcasts = new Map<string, string>();

  constructor(endpoints: ReadonlyMap<Endpoint, string>) {
    this.#endpoints = endpoints;
    this.#indices = new Map([...endpoints].map(([endpoint, name]) => [nodeIndexOf(endpoint), name]));
  }

  of(endpoint: Endpoint): string {
    return this.#endpoints.get(endpoint) ?? endpoint;
  }

  /** Always in the same order, whatever their addresses are. */
  list(endpoints: Iterable<Endpoint>): string {
    const names = [...endpoints].map((endpoint) => this.of(endpoint)).sort();
    return names.length === 0 ? "nobody" : names.join(" ");
  }

  /** The coordinator with this index, by name. */
  index(nodeIndex: bigint): string {
    return this.#indices.get(nodeIndex) ?? String(nodeIndex);
  }

  configuration(id: ConfigurationId): string {
    return named(this.#configurations, id, () => `c${this.#configurations.size}`);
  }

  uuid(uuid: NodeId): string {
    return named(this.#uuids, uuid, () => `u${this.#uuids.size + 1}`);
  }

  /** The name of a broadcast that a fake member made up. */
  give(broadcast: Broadcast, name: string): void {
    this.#broadcasts.set(idOf(broadcast), name);
  }

  broadcast(broadcast: Broadcast): string | undefined {
    return this.#broadcasts.get(idOf(broadcast));
  }

  /** What somebody said, with names for the addresses in it. */
  text(said: string): string {
    let text = said;
    for (const [endpoint, name] of this.#endpoints) text = text.replaceAll(addressOf(endpoint), name);
    return text;
  }
}

export function idOf({ unix, unique }: Broadcast): string {
  return `${unix} ${unique}`;
}

function named<K>(names: Map<K, string>, key: K, next: () => string): string {
  const known = names.get(key) ?? next();
  names.set(key, known);
  return known;
}
