// A line of encoded messages, limited in number and bytes. The newest are kept, since the oldest are the likeliest
// to have reached their reader on another way.

export interface Letter {
  readonly path: string;
  readonly bytes: Buffer;
}

const COMPACT_FROM = 1024;

export class Letters {
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  /** The oldest is at `#first`; what lies before was taken. */
  #letters: Letter[] = [];
  #first = 0;
  #bytes = 0;

  constructor(messagesMax: number, bytesMax: number) {
    this.#messagesMax = messagesMax;
    this.#bytesMax = bytesMax;
  }

  get size(): number {
    return this.#letters.length - this.#first;
  }

  /** Puts in line, and tells how many had to make room. The last one is kept whatever its size. */
  push(letter: Letter): number {
    this.#letters.push(letter);
    this.#bytes += letter.bytes.length;
    let dropped = 0;
    while (this.size > 1 && (this.size > this.#messagesMax || this.#bytes > this.#bytesMax)) {
      this.#take();
      dropped++;
    }
    return dropped;
  }

  /** The oldest, as many as there are within these limits, and one at least. */
  take(messagesMax: number, bytesMax: number): Letter[] {
    const taken: Letter[] = [];
    let bytes = 0;
    while (this.size > 0 && taken.length < messagesMax) {
      bytes += this.#letters[this.#first]!.bytes.length;
      if (bytes > bytesMax && taken.length > 0) break;
      taken.push(this.#take());
    }
    return taken;
  }

  /** Puts back in front what was taken there. */
  putBack(letters: readonly Letter[]): void {
    this.#letters = [...letters, ...this.#letters.slice(this.#first)];
    this.#first = 0;
    for (const letter of letters) this.#bytes += letter.bytes.length;
  }

  /** Empties the line, and tells how many were in it. */
  clear(): number {
    const { size } = this;
    this.#letters = [];
    this.#first = 0;
    this.#bytes = 0;
    return size;
  }

  #take(): Letter {
    const letter = this.#letters[this.#first++]!;
    this.#bytes -= letter.bytes.length;
    if (this.#first === this.#letters.length) this.clear();
    else if (this.#first >= COMPACT_FROM && this.#first * 2 > this.#letters.length) {
      this.#letters = this.#letters.slice(this.#first);
      this.#first = 0;
    }
    return letter;
  }
}
