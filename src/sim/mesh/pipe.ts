// One direction of a connection, as TCP carries it: in order, once more where something was lost on the way, until that
// has been in vain for too long.

import type { Millis } from "../../core/doorway.ts";
import type { Process } from "../process.ts";
import type { Stream } from "../streams.ts";
import type { World } from "../world.ts";

/** How long something may be on its way before its connection breaks: keepalive's time and time-out together. */
const PATIENCE_MS: Millis = 15_000;
const AGAIN_MS: Millis = 200;
const AGAIN_MS_MAX: Millis = 3200;

export class Pipe {
  readonly #world: World;
  readonly #from: Process;
  readonly #to: Process;
  readonly #broke: () => void;
  readonly #dice: Stream;
  readonly #waiting: (() => void)[] = [];
  #arrivesAt: Millis = 0;
  #isClosed = false;

  constructor(world: World, from: Process, to: Process, broke: () => void) {
    this.#world = world;
    this.#from = from;
    this.#to = to;
    this.#broke = broke;
    this.#dice = world.streams.of(`connection ${from.number} ${to.number}`);
  }

  /** Has something arrive at the other end. */
  send(arrive: () => void): void {
    if (this.#isClosed) return;
    this.#waiting.push(arrive);
    if (this.#waiting.length === 1) this.#push(this.#world.now, AGAIN_MS);
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting.length = 0;
  }

  #delay(): Millis {
    const [least, most] = this.#world.network.conditions.latencyMs;
    return least + this.#dice.below(16 * Math.max(most - least, 0) + 1) / 16;
  }

  #push(since: Millis, pauseMs: Millis): void {
    const { now, network } = this.#world;
    while (this.#waiting.length > 0 && !this.#isClosed) {
      const isLost =
        !this.#from.host.isUp ||
        !this.#to.host.isUp ||
        network.links.isLost(this.#from.endpoint, this.#to.endpoint);
      if (isLost) {
        if (now - since >= PATIENCE_MS) return this.#broke();
        // The host does that, whatever its process does.
        this.#world.later(pauseMs, () => this.#push(since, Math.min(2 * pauseMs, AGAIN_MS_MAX)));
        return;
      }
      const arrive = this.#waiting.shift()!;
      this.#arrivesAt = Math.max(this.#arrivesAt, now + this.#delay());
      network.at(this.#to, this.#arrivesAt, () => {
        if (!this.#isClosed) arrive();
      });
    }
  }
}
