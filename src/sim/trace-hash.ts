// One number for all that happened: equal runs have equal hashes, and runs that differ in a single step do not.

export class TraceHash {
  #a = 0x243f6a88;
  #b = 0x85a308d3;
  /** The word that was taken in last, and mostly is again. */
  #word = "";
  #wordHash = 0;

  /** Takes in a whole number; of one beyond 32 bits, the lower ones. */
  add(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 0x9e3779b1);
    this.#a ^= this.#a >>> 15;
    this.#b = Math.imul((this.#b + word) | 0, 0x85ebca77) ^ this.#a;
    this.#b ^= this.#b >>> 13;
  }

  addBig(words: bigint): void {
    this.add(Number(words & 0xffffffffn) | 0);
    this.add(Number((words >> 32n) & 0xffffffffn) | 0);
  }

  /** Takes in one of few words that come again and again. */
  addWord(word: string): void {
    if (word !== this.#word) {
      this.#word = word;
      this.#wordHash = wordHash(word);
    }
    this.add(this.#wordHash);
  }

  addText(text: string): void {
    for (let i = 0; i < text.length; i++) this.add(text.charCodeAt(i));
  }

  /** 16 hex digits. */
  digest(): string {
    return hex(this.#a) + hex(this.#b);
  }
}

const wordHashes = new Map<string, number>();

/** A hash of the word alone: which words other runs of this process met before must not matter. */
function wordHash(word: string): number {
  let hash = wordHashes.get(word);
  if (hash === undefined) {
    hash = 0;
    for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x9e3779b1);
    wordHashes.set(word, hash);
  }
  return hash;
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
