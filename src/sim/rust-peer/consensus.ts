// What a Rust node does with what members tell each other, checked and refused in the order in which the crate does it
// (PROTOCOL §7). It answers; whom to tell what comes of it is for the peer to know.

import type { Endpoint } from "../../core/endpoint.ts";
import {
  type Accept,
  type Accepted,
  type Alerts,
  ack,
  type Gossip,
  type Prepare,
  type PromiseMessage,
  type Proposal,
  type Refused,
  type Reply,
} from "../../core/messages.ts";
import { refuse } from "../../core/refusals.ts";
import type { CutDetectorSettings } from "../../core/settings.ts";
import { Ballots } from "./ballots.ts";
import type { Applied, Configuration } from "./configuration.ts";
import { CutDetector } from "./cut-detector.ts";

export interface Heard {
  readonly reply: Reply;
  /** To be told to everybody. */
  readonly say?: Gossip;
  /** To be told to the coordinator alone. */
  readonly promise?: PromiseMessage;
  /** It has just made up its mind, and waits for the others. */
  readonly hasAnnounced?: boolean;
  /** A decision was applied. */
  readonly applied?: Applied;
}

export class Consensus {
  readonly #self: Endpoint;
  readonly #configuration: Configuration;
  readonly #cutDetector: CutDetector;
  #ballots = new Ballots();

  constructor(self: Endpoint, configuration: Configuration, settings: CutDetectorSettings) {
    this.#self = self;
    this.#configuration = configuration;
    this.#cutDetector = new CutDetector(settings);
  }

  /** A configuration is over. */
  clear(): void {
    this.#cutDetector.clear();
    this.#ballots = new Ballots();
  }

  /** Its own classic round, the only one it ever begins. */
  begin(nodeIndex: bigint): Prepare | undefined {
    const rank = this.#ballots.begin(nodeIndex);
    return rank && { kind: "prepare", sender: this.#self, configuration: this.#configuration.id, rank };
  }

  /** @throws Panic */
  hear(gossip: Gossip): Heard {
    const { view, id } = this.#configuration;
    if (!view.has(gossip.sender)) return { reply: refuse.notMember(gossip.sender) };
    if (gossip.configuration !== id) return { reply: refuse.wrongConfiguration };
    switch (gossip.kind) {
      case "alerts":
        return this.#onAlerts(gossip);
      case "fastAccepted":
        return this.#decide(this.#ballots.hearFast(gossip, view.size));
      case "prepare":
        return this.#onPrepare(gossip);
      case "promise":
        return this.#onPromise(gossip);
      case "accept":
        return this.#onAccept(gossip);
      case "accepted":
        return this.#decide(this.#ballots.hearAccepted(gossip, view.size));
    }
  }

  /** One wrong edge, and all are refused (PITFALLS B18); after its vote it takes in nothing more (B1). */
  #onAlerts({ sender, edges }: Alerts): Heard {
    const { view, id } = this.#configuration;
    if (this.#cutDetector.hasAnnounced) return { reply: refuse.alreadyAnnounced };
    for (const { node, ring, join } of edges) {
      if ((join === undefined) !== view.has(node)) return { reply: refuse.edgeCannotApply };
      if (view.observersOf(node)[ring] !== sender) return { reply: refuse.invalidRing };
    }
    const value = this.#cutDetector.hear(sender, edges, view);
    if (value === undefined) return { reply: ack };
    this.#ballots.register(value);
    const say = { kind: "fastAccepted", sender: this.#self, configuration: id, value } as const;
    return { reply: ack, say, hasAnnounced: true };
  }

  #onPrepare(prepare: Prepare): Heard {
    const before = this.#ballots.hearPrepare(prepare);
    if ("kind" in before) return { reply: before };
    const { id } = this.#configuration;
    return { reply: ack, promise: { kind: "promise", sender: this.#self, configuration: id, ...before } };
  }

  #onPromise(promise: PromiseMessage): Heard {
    const value = this.#ballots.hearPromise(promise, this.#configuration.view.size);
    if (value === undefined) return { reply: ack };
    if ("kind" in value) return { reply: value };
    const { rank, configuration } = promise;
    const say: Accept = { kind: "accept", sender: this.#self, configuration, rank, value };
    return { reply: ack, say };
  }

  #onAccept(accept: Accept): Heard {
    const no = this.#ballots.hearAccept(accept);
    if (no !== undefined) return { reply: no };
    const { configuration, rank, value } = accept;
    const say: Accepted = { kind: "accepted", sender: this.#self, configuration, rank, value };
    return { reply: ack, say };
  }

  #decide(decided: Refused | Proposal | undefined): Heard {
    if (decided === undefined) return { reply: ack };
    if ("kind" in decided) return { reply: decided };
    const applied = this.#configuration.apply(decided, this.#cutDetector.joiners);
    this.clear();
    this.#configuration.settle();
    return { reply: ack, applied };
  }
}
