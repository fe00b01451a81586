// A configuration: who is a member, who observes whom, and the id that all this hashes to. Views never change; a
// view change makes the next one out of this one, once, however many members in this process step there.

import { compareAddresses, type Endpoint, type NodeId } from "./endpoint.ts";
import { Fnv, uuidBytesOf } from "./hash.ts";
import {
  type ConfigurationId,
  type Joiner,
  type Metadata,
  PEER_SERVICE,
  type Proposal,
  sameJoiner,
} from "./messages.ts";
import { Rings } from "./rings.ts";
import { UuidSet } from "./uuid-set.ts";

/** A member as a configuration records it. The uuid is not known of members that were there before us. */
export interface MemberRecord {
  readonly metadata: Metadata;
  readonly uuid?: NodeId;
}

/** A finished step to a next view, kept so that other members of the same process share it. */
interface Step {
  readonly key: string;
  readonly joiners: readonly Joiner[];
  readonly view: View;
  /** As soon as somebody asked. */
  change?: Change;
}

/** Members that came, in the order of the view after, and those that went, in the order of the one before. */
interface Change {
  readonly joined: readonly Endpoint[];
  readonly kicked: readonly Endpoint[];
}

const STEPS_MAX = 4;
const OUTSIDERS_MAX = 4096;

export class View {
  readonly id: ConfigurationId;
  /** All members run this library, as their metadata says. */
  readonly isAllNode: boolean;
  readonly #rings: Rings;
  readonly #records: readonly MemberRecord[];
  readonly #uuids: UuidSet;
  readonly #index: ReadonlyMap<Endpoint, number>;
  readonly #steps: Step[] = [];
  readonly #observers = new Map<Endpoint, readonly Endpoint[]>();
  readonly #subjects = new Map<Endpoint, readonly Endpoint[]>();
  #byAddress: readonly Endpoint[] | undefined;

  private constructor(rings: Rings, records: readonly MemberRecord[], uuids: UuidSet) {
    this.#rings = rings;
    this.#records = records;
    this.#uuids = uuids;
    this.#index = new Map(rings.members.map((endpoint, i) => [endpoint, i]));
    this.isAllNode = records.every((record) => Object.hasOwn(record.metadata, PEER_SERVICE));
    const hash = new Fnv();
    for (const bytes of rings.hashBytes) hash.bytes(bytes);
    for (const uuid of uuids.ascending) hash.bytes(uuidBytesOf(uuid));
    this.id = hash.digest();
  }

  /**
   * A view as another member described it. `records` may be in any order; `uuids` too.
   * @throws RangeError where a member or a uuid is named twice: such a list describes no configuration.
   */
  static of(
    observers: number,
    records: readonly (MemberRecord & { readonly endpoint: Endpoint })[],
    uuids: readonly NodeId[],
  ): View {
    const byEndpoint = new Map(records.map((record) => [record.endpoint, record]));
    if (byEndpoint.size !== records.length) throw new RangeError("a member is named twice");
    const { rings } = Rings.empty(observers).next(new Set(), [...byEndpoint.keys()]);
    return new View(
      rings,
      rings.members.map((endpoint) => byEndpoint.get(endpoint)!),
      UuidSet.of(uuids),
    );
  }

  /** The first configuration of a new mesh. */
  static founding(
    observers: number,
    self: Endpoint,
    { uuid, metadata }: Joiner,
    earlier: readonly NodeId[] = [],
  ): View {
    return View.of(observers, [{ endpoint: self, uuid, metadata }], [...earlier, uuid]);
  }

  /** In ring 0 order, so that `members[indexOf(e)]` is e on every member. */
  get members(): readonly Endpoint[] {
    return this.#rings.members;
  }

  /** In the order in which cuts list members. */
  get membersByAddress(): readonly Endpoint[] {
    this.#byAddress ??= [...this.members].sort(compareAddresses);
    return this.#byAddress;
  }

  /** Every uuid ever admitted in this history, ascending; those of the departed stay (PROTOCOL §6). Made anew each time. */
  get uuids(): readonly NodeId[] {
    return this.#uuids.ascending;
  }

  get size(): number {
    return this.members.length;
  }

  /** K. */
  get observers(): number {
    return this.#rings.count;
  }

  /** Identical votes that decide at once: ⌈¾N⌉. */
  get fastQuorum(): number {
    return Math.ceil((3 * this.size) / 4);
  }

  /** More than half. */
  get majority(): number {
    return Math.floor(this.size / 2) + 1;
  }

  has(endpoint: Endpoint): boolean {
    return this.#index.has(endpoint);
  }

  /** The member's position on ring 0, or -1. */
  indexOf(endpoint: Endpoint): number {
    return this.#index.get(endpoint) ?? -1;
  }

  /** Whether this uuid was ever admitted. */
  knows(uuid: NodeId): boolean {
    return this.#uuids.has(uuid);
  }

  recordOf(endpoint: Endpoint): MemberRecord | undefined {
    return this.#records[this.indexOf(endpoint)];
  }

  /**
   * Whether the endpoint is a member by this uuid. Of members that were there before us we know all uuids, but not
   * whose is whose: there a uuid that was admitted is taken for its asker's, as nobody else can know it.
   */
  hasAs(endpoint: Endpoint, uuid: NodeId): boolean {
    const record = this.recordOf(endpoint);
    return record !== undefined && (record.uuid === uuid || (record.uuid === undefined && this.knows(uuid)));
  }

  /** Who came and who went between that view, if there was one, and this one. */
  since(before: View | undefined): Change {
    if (before === undefined) return { joined: this.members, kicked: [] };
    const step = before.#steps.find(({ view }) => view === this);
    const change = step?.change ?? {
      joined: this.members.filter((node) => !before.has(node)),
      kicked: before.members.filter((node) => !this.has(node)),
    };
    if (step !== undefined) step.change = change;
    return change;
  }

  /**
   * A later configuration of the same mesh: uuids are only ever added, and where none were, members are gone. None is after
   * itself or after one that came of it, so who goes to later ones only votes in none twice.
   */
  isAfter(before: View): boolean {
    if (!before.uuids.every((uuid) => this.knows(uuid))) return false;
    if (this.uuids.length > before.uuids.length) return true;
    return this.size < before.size && this.members.every((member) => before.has(member));
  }

  /** The same decisions led to this one and that one, by which some members were let in as others (PITFALLS B3). */
  isBeside(other: View): boolean {
    if (this.id === other.id || this.uuids.length !== other.uuids.length || other.isAllNode) return false;
    return this.members.join() === other.members.join();
  }

  /** Whether this member runs this library, as its metadata says. */
  isNode(endpoint: Endpoint): boolean {
    const record = this.recordOf(endpoint);
    return record !== undefined && Object.hasOwn(record.metadata, PEER_SERVICE);
  }

  /** Who observes this endpoint, one per ring in ring order, with repeats; also for one that is not yet in. */
  observersOf(endpoint: Endpoint): readonly Endpoint[] {
    return this.#remember(this.#observers, endpoint, (member) =>
      member < 0 ? this.#rings.predecessorsOf(endpoint) : this.#rings.predecessors(member),
    );
  }

  /** The rings on which `observer` observes `subject`, ascending; also for one that is not yet in. */
  ringsHeld(observer: Endpoint, subject: Endpoint): readonly number[] {
    return this.observersOf(subject).flatMap((one, ring) => (one === observer ? [ring] : []));
  }

  subjectsOf(endpoint: Endpoint): readonly Endpoint[] {
    return this.#remember(this.#subjects, endpoint, (member) =>
      member < 0 ? this.#rings.successorsOf(endpoint) : this.#rings.successors(member),
    );
  }

  /**
   * The view after this decision: members named in it leave, others join. Endpoints that are not members must be
   * in `joiners`. The same step is taken only once; who asks again gets the same view.
   */
  next(decision: Proposal, joiners: ReadonlyMap<Endpoint, Joiner>): View {
    const key = decision.join(" ");
    const joining = decision.filter((endpoint) => !this.has(endpoint));
    const coming = joining.map((endpoint) => joiners.get(endpoint)!);
    const taken = this.#steps.find(
      (step) => step.key === key && step.joiners.every((joiner, i) => sameJoiner(joiner, coming[i]!)),
    );
    if (taken !== undefined) return taken.view;

    const leaving = new Set(decision.filter((e) => this.has(e)).map((e) => this.indexOf(e)));
    const { rings, moved } = this.#rings.next(leaving, joining);
    const records = new Array<MemberRecord>(rings.members.length);
    for (const [from, to] of moved.entries()) if (to >= 0) records[to] = this.#records[from]!;
    for (const [i, endpoint] of rings.members.entries()) records[i] ??= joiners.get(endpoint)!;
    const view = new View(rings, records, this.#uuids.with(coming.map((joiner) => joiner.uuid)));
    if (this.#steps.length === STEPS_MAX) this.#steps.shift();
    this.#steps.push({ key, joiners: coming, view });
    return view;
  }

  #remember(
    known: Map<Endpoint, readonly Endpoint[]>,
    endpoint: Endpoint,
    find: (member: number) => readonly Endpoint[],
  ): readonly Endpoint[] {
    const found = known.get(endpoint);
    if (found !== undefined) return found;
    // Members are few, but anybody may ask about endpoints that are none: forget rather than grow.
    if (known.size >= this.size + OUTSIDERS_MAX) known.clear();
    const neighbours = find(this.indexOf(endpoint));
    known.set(endpoint, neighbours);
    return neighbours;
  }
}
