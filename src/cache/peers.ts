// What the cache wants of the other members, be they reached by gRPC or simulated.

import type { Held } from "./held.ts";
import type { Key } from "./key.ts";

export interface Peers {
  /** The own address; nothing while the cache is on no mesh. */
  readonly self: string | undefined;
  /** The newest configuration: another object for each. */
  readonly epoch: unknown;
  /** Who is to be asked for the key, in this order, as of the newest configuration. Nobody while alone. */
  owners(key: Key): Iterable<string>;
  /** Who owned it a moment ago, is still there, and can tell what it holds. */
  formerOwners(key: Key): readonly string[];
  /**
   * Has the member get the value, loading it if need be. The bytes are for this caller alone.
   * @throws OwnerFailed; and BLIP_SOURCE_FAILED, where the member's source failed.
   */
  get(address: string, key: Key, timeoutMs: number): Promise<Held>;
  /** The value, if the member has it, or is loading it. @throws OwnerFailed, BLIP_SOURCE_FAILED */
  peek(address: string, key: Key, timeoutMs: number): Promise<Held | undefined>;
  /** Has the member forget the value; false where it cannot be told to. @throws OwnerFailed */
  forget(address: string, key: Key, timeoutMs: number): Promise<boolean>;
}
