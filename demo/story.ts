/** What the demo prints: one line for each thing that happens, with the seconds since the start. */

export class Story {
  readonly #startedMs = performance.now();

  title(text: string): void {
    console.log(`\n${text}\n`);
  }

  /** Something that happened just now. */
  tell(what: string, text: string): void {
    console.log(`${clearLine}${this.#lineOf(what, text)}`);
  }

  /** How far something is, on a line that the next one replaces; only where somebody sits before it. */
  progress(what: string, text: string): void {
    if (isTerminal) process.stdout.write(`${clearLine}${this.#lineOf(what, text)}`);
  }

  /** More about what was told last. */
  more(text: string): void {
    console.log(`${clearLine}${" ".repeat(18)}${text}`);
  }

  /** Something that was checked in the end. */
  check(isSo: boolean, text: string): void {
    console.log(`${(isSo ? "ok" : "FAILED").padStart(7)}  ${text}`);
  }

  #lineOf(what: string, text: string): string {
    const now = seconds(performance.now() - this.#startedMs);
    return `${now.padStart(7)}  ${what.padEnd(8)} ${text}`;
  }
}

const isTerminal = process.stdout.isTTY;
const clearLine = isTerminal ? "\r\u001b[K" : "";

/** 12,345 */
export function count(number: number): string {
  return number.toLocaleString("en");
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
