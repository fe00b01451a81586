// A set of small numbers that grows as it needs to: who of a thousand has heard something.

export class Marks {
  #words = new Uint32Array(1);

  has(number: number): boolean {
    const word = number >> 5;
    return word < this.#words.length && ((this.#words[word]! >>> (number & 31)) & 1) === 1;
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
