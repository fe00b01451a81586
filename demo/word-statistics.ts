/** How often each word occurs: in one text, and in all texts together. */

/** Words are runs of letters, of whatever script, in lower case. */
export function countWords(text: string): Map<string, number> {
  const occurrences = new Map<string, number>();
  for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) {
    occurrences.set(word, (occurrences.get(word) ?? 0) + 1);
  }
  return occurrences;
}

export class WordStatistics {
  readonly #occurrences = new Map<string, number>();
  #files = 0;
  #words = 0;

  /** Adds what was counted in one file: each word once, and how often it occurs at the same place. */
  add(words: readonly string[], times: readonly number[]): void {
    this.#files += 1;
    for (const [i, word] of words.entries()) {
      this.#words += times[i]!;
      this.#occurrences.set(word, (this.#occurrences.get(word) ?? 0) + times[i]!);
    }
  }

  get files(): number {
    return this.#files;
  }

  get words(): number {
    return this.#words;
  }

  get distinctWords(): number {
    return this.#occurrences.size;
  }

  /** The most frequent words, the most frequent first. */
  top(count: number): readonly (readonly [word: string, times: number])[] {
    return [...this.#occurrences].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, count);
  }

  equals(other: WordStatistics): boolean {
    if (this.files !== other.files || this.distinctWords !== other.distinctWords) return false;
    for (const [word, times] of this.#occurrences) if (other.#occurrences.get(word) !== times) return false;
    return true;
  }
}
