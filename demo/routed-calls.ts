/**
 * Calls to the owner of each file among the members of the newest cut. A call that fails is made again at the
 * next owner: to count twice does no harm, and a member that was killed is nobody's owner any more as soon as
 * all others agree that it is gone.
 */
import { type Client, client, type Member, type Mesh } from "blip-mesh";
import { type CountFileResponse, WordCount } from "./gen/word_count_pb.ts";
import { ownersOf } from "./ownership.ts";

/** Owners of one key that are asked before the call counts as lost. */
const ownersMax = 4;

/** What one call may take. A member that does not answer for so long is passed over. */
const timeoutMs = 5000;

export interface CallTally {
  readonly made: number;
  /** Of those, how many had to be made again at another owner. */
  readonly retried: number;
  readonly lost: readonly Error[];
}

export class RoutedCalls {
  readonly #mesh: Mesh;
  readonly #wordCount: Client<typeof WordCount>;
  readonly #underWay = new Map<string, number>();
  #made = 0;
  #retried = 0;
  readonly #lost: Error[] = [];

  constructor(mesh: Mesh) {
    this.#mesh = mesh;
    this.#wordCount = client(mesh, WordCount, { timeoutMs });
  }

  /** Who serves calls, as of the newest cut. */
  get servers(): readonly Member[] {
    return this.#mesh.cut.withMeta(WordCount.typeName).map(([member]) => member);
  }

  get tally(): CallTally {
    return { made: this.#made, retried: this.#retried, lost: [...this.#lost] };
  }

  /** Calls that this member has not answered yet. */
  underWay(member: Member): number {
    return this.#underWay.get(member.address) ?? 0;
  }

  /** What the owner of this file counted; nothing where the call was lost. */
  async countFile(path: string): Promise<CountFileResponse | undefined> {
    this.#made += 1;
    const tried = new Set<string>();
    let failure = new Error(`nobody serves ${WordCount.typeName}`);
    while (tried.size < ownersMax) {
      const owner = ownersOf(path, this.servers).find(({ address }) => !tried.has(address));
      if (owner === undefined) break;
      if (tried.size === 1) this.#retried += 1;
      tried.add(owner.address);
      this.#underWay.set(owner.address, this.underWay(owner) + 1);
      try {
        return await this.#wordCount.on(owner).countFile({ path });
      } catch (error) {
        failure = error as Error;
      } finally {
        this.#underWay.set(owner.address, this.underWay(owner) - 1);
      }
    }
    this.#lost.push(failure);
    return undefined;
  }
}
