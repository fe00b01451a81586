// The names of those that were pushed out a while ago, as 32-bit hashes: to take one key for another now and then only
// lets it in sooner. A table of small buckets: a name that is too old is as good as gone, and a new one takes its place.

const WAYS = 8;
const BUCKETS_MIN = 2;
const TIME_MAX = 2 ** 32 - 1;

export class GhostQueue {
  #names = new Int32Array(BUCKETS_MIN * WAYS);
  /** When each name was added, by the count of additions; 0: there is none. */
  #times = new Uint32Array(BUCKETS_MIN * WAYS);
  #now = 0;

  get bytes(): number {
    return this.#names.length * 8;
  }

  /** Of `sizeMax` names, the newest, few get lost. */
  add(name: number, sizeMax: number): void {
    if (sizeMax > this.#names.length) this.#grow(sizeMax);
    if (this.#now === TIME_MAX) this.#forgetAll();
    this.#now += 1;
    this.#put(name, this.#now);
  }

  /** Whether it was among the newest `sizeMax`; it is not any more. */
  take(name: number, sizeMax: number): boolean {
    const first = this.#bucketOf(name);
    for (let i = first; i < first + WAYS; i++) {
      const time = this.#times[i]!;
      if (time === 0 || this.#names[i] !== name) continue;
      this.#times[i] = 0;
      return this.#now - time < sizeMax;
    }
    return false;
  }

  /** In place of the same name, or of the oldest. */
  #put(name: number, time: number): void {
    const first = this.#bucketOf(name);
    let oldest = first;
    for (let i = first; i < first + WAYS; i++) {
      if (this.#times[i] !== 0 && this.#names[i] === name) {
        oldest = i;
        break;
      }
      if (this.#times[i]! < this.#times[oldest]!) oldest = i;
    }
    this.#names[oldest] = name;
    this.#times[oldest] = time;
  }

  /** The index of its first slot. */
  #bucketOf(name: number): number {
    return Math.floor(((name >>> 0) * (this.#names.length / WAYS)) / 2 ** 32) * WAYS;
  }

  #forgetAll(): void {
    this.#times.fill(0);
    this.#now = 0;
  }

  #grow(sizeMax: number): void {
    const [names, times] = [this.#names, this.#times];
    const buckets = Math.ceil((Math.max(sizeMax, names.length) * 1.5) / WAYS);
    this.#names = new Int32Array(buckets * WAYS);
    this.#times = new Uint32Array(buckets * WAYS);
    for (let i = 0; i < names.length; i++) if (times[i] !== 0) this.#put(names[i]!, times[i]!);
  }
}
