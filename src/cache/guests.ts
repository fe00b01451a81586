// Who asks? Node members say so themselves. The crate's clients do not, but they can be told from others by the name
// of their library, and by the address that they come from.

import type { Metadata } from "@grpc/grpc-js";
import { ipOf, parseEndpoint } from "../core/endpoint.ts";
import type { Cut, Mesh } from "../index.ts";
import { extensionOf } from "./placement.ts";
import { MEMBER_HEADER } from "./wire.ts";

/** Who may get values: members of the mesh, or anybody who reaches the port. */
export type Clients = "members" | "anyone";

/** What is known of a call before it is answered. */
export interface Caller {
  /** "ip:port" */
  readonly peer: string;
  readonly headers: Metadata;
}

/** Why somebody gets no answer. */
export interface Refusal {
  readonly refusal: string;
  /** Trying again would not help. */
  readonly isForGood: boolean;
}

/** A member that joined just now may be ahead of our view by so much. */
const PATIENCE_MS = 2000;

export class Guests {
  readonly #name: string;
  readonly #clients: Clients;
  #mesh: Mesh | undefined;
  /** Those who asked before this member was in a configuration. */
  readonly #early = new Set<() => void>();

  constructor(name: string, clients: Clients) {
    this.#name = name;
    this.#clients = clients;
  }

  enter(mesh: Mesh): void {
    this.#mesh = mesh;
    for (const go of this.#early) go();
    this.#early.clear();
  }

  leave(): void {
    this.#mesh = undefined;
  }

  /** Why this caller of a Node member's stream gets no answers; nothing where it gets them. */
  async refuseNode({ headers }: Caller): Promise<string | undefined> {
    const [address] = headers.get(MEMBER_HEADER);
    const says = typeof address === "string" ? parseEndpoint(address, false) : undefined;
    if (says === undefined) return `a member says who it is by the header ${MEMBER_HEADER}`;
    const key = extensionOf(this.#name);
    const isThere = await this.#isSeen((cut) => cut.lookup(says)?.has(key) ?? false);
    return isThere ? undefined : this.#refusal(says);
  }

  /** Whether the crate's method is called by a Rust member, by somebody else who is welcome, or by a stranger. */
  async kindOf({ peer, headers }: Caller): Promise<"member" | "guest" | Refusal> {
    const isTonic = String(headers.get("user-agent")[0] ?? "").startsWith("tonic/");
    if (this.#clients === "anyone")
      return (await this.refuseGuest({ peer, headers })) ?? (isTonic ? "member" : "guest");
    const isThere = isTonic && (await this.#isSeen((cut) => this.#hasRustMemberAt(cut, peer)));
    return isThere ? "member" : { refusal: this.#refusal(peer), isForGood: true };
  }

  async refuseGuest({ peer }: Caller): Promise<Refusal | undefined> {
    if (this.#clients !== "anyone") return { refusal: this.#refusal(peer), isForGood: true };
    // Before it is in a configuration, this member does not know who owns what.
    const isInMesh = await this.#isSeen(() => true);
    return isInMesh ? undefined : { refusal: "this member is in no configuration", isForGood: false };
  }

  #refusal(who: string): string {
    return `${who} is no member of this mesh that serves ${this.#name}; clients: "anyone" would let it in`;
  }

  #hasRustMemberAt(cut: Cut, peer: string): boolean {
    const ip = plainIp(peer);
    return cut.members.some(
      (member) => !member.has(extensionOf(this.#name)) && sameHost(plainIp(member.address), ip),
    );
  }

  async #isSeen(predicate: (cut: Cut) => boolean): Promise<boolean> {
    if (this.#mesh !== undefined && predicate(this.#mesh.cut)) return true;
    const limit = AbortSignal.timeout(PATIENCE_MS);
    if (this.#mesh === undefined) await this.#entered(limit);
    if (this.#mesh === undefined) return false;
    return this.#mesh.waitFor(predicate, { signal: limit }).then(
      () => true,
      () => false,
    );
  }

  #entered(limit: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#early.add(resolve);
      limit.addEventListener("abort", () => {
        this.#early.delete(resolve);
        resolve();
      });
    });
  }
}

/** As it would be without a port, and without the mapping of IPv4 into IPv6. */
function plainIp(address: string): string {
  const endpoint = parseEndpoint(address, false);
  return endpoint === undefined ? address : ipOf(endpoint).replace(/^::ffff:(?=\d+\.)/, "");
}

/** On one host, members with several loopback addresses call each other from the first. */
function sameHost(a: string, b: string): boolean {
  const isLoopback = (ip: string): boolean => ip.startsWith("127.") || ip === "::1";
  return a === b || (isLoopback(a) && isLoopback(b));
}
