// A set of small numbers that grows as it needs to: who of a thousand has heard something.

export class Marks {
  #words = new Uint32Array(1);

  has(number: number): boolean {
    const word = number >> 5;
    return word < this.#words.length && ((this.#words[word]! >>> (number & 31)) & 1) === 1;
  }

  /** Where in this list, from this position on, the next number is that is not in the set; else the list's length. */
  nextAbsent(numbers: readonly number[], from: number): number {
    let i = from;
    while (i < numbers.length && this.has(numbers[i]!)) i += 1;
    return i;
  }

  /** False where it was there already. */
  add(number: number): boolean {
    const word = number >> 5;
    if (word >= this.#words.length) {
      const words = new Uint32Array(2 * word + 1);
      words.set(this.#words);
      this.#words = words;
    }
    const bit = 1 << (number & 31);
    if ((this.#words[word]! & bit) !== 0) return false;
    this.#words[word]! |= bit;
    return true;
  }
}
