/**
 * Two network namespaces with one cable between them, which can be cut while connections are open, in both directions
 * or in one. Needs root; whoever has that not is told so.
 */
import { spawnSync } from "node:child_process";

/** Addresses on either side, in 10.77.0.0/24. */
export type Side = "left" | "right";

export class SplitNetwork {
  readonly #id = `blip${process.pid}`;
  readonly #addresses: Record<Side, string[]> = { left: [], right: [] };

  /** Why this cannot be done here; `undefined` where it can. */
  static missing(): string | undefined {
    if (process.getuid?.() !== 0) return "root is needed for network namespaces";
    const name = `blip${process.pid}try`;
    const probe = spawnSync("ip", ["netns", "add", name]);
    if (probe.error !== undefined) return "ip is not installed (Debian: apt-get install iproute2)";
    if (probe.status !== 0) return `no network namespaces here: ${String(probe.stderr).trim()}`;
    spawnSync("ip", ["netns", "del", name]);
    return undefined;
  }

  constructor() {
    for (const side of ["left", "right"] as const) run("ip", "netns", "add", this.namespace(side));
    const [left, right] = [this.namespace("left"), this.namespace("right")];
    run("ip", "link", "add", "cable", "netns", left, "type", "veth", "peer", "name", "cable", "netns", right);
    for (const side of ["left", "right"] as const) {
      this.#in(side, "ip", "link", "set", "lo", "up");
      this.#in(side, "ip", "link", "set", "cable", "up");
    }
  }

  namespace(side: Side): string {
    return `${this.#id}${side}`;
  }

  /** An address on this side that nobody has. */
  address(side: Side): string {
    const addresses = this.#addresses[side];
    const ip = `10.77.0.${(side === "left" ? 1 : 101) + addresses.length}`;
    addresses.push(ip);
    this.#in(side, "ip", "address", "add", `${ip}/24`, "dev", "cable");
    return `${ip}:7946`;
  }

  /** Nothing arrives at these sides any more, without a word to anybody: it goes to a card that nobody has. */
  cut(...arrivingAt: readonly Side[]): void {
    for (const side of arrivingAt) {
      const from = side === "left" ? "right" : "left";
      for (const ip of this.#addresses[side]) {
        const nowhere = ["lladdr", "02:00:00:00:de:ad", "nud", "permanent"];
        this.#in(from, "ip", "neigh", "replace", ip, "dev", "cable", ...nowhere);
      }
    }
  }

  heal(): void {
    for (const side of ["left", "right"] as const) {
      this.#in(side, "ip", "neigh", "flush", "dev", "cable", "nud", "permanent");
    }
  }

  /** Members have to be stopped before. */
  remove(): void {
    for (const side of ["left", "right"] as const) spawnSync("ip", ["netns", "del", this.namespace(side)]);
  }

  #in(side: Side, ...words: readonly string[]): void {
    run("ip", "netns", "exec", this.namespace(side), ...words);
  }
}

function run(program: string, ...words: readonly string[]): void {
  const { status, stderr } = spawnSync(program, words);
  if (status !== 0) throw new Error(`${program} ${words.join(" ")}: ${String(stderr).trim()}`);
}
