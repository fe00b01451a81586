// A deliberate bug: one change in one file of the core, made in the text while a process loads it. The core itself knows
// nothing of mutants.

export interface Mutant {
  /** What `--mutants NAME` takes. */
  readonly name: string;
  /** The rule that it breaks, and what of PITFALLS it is the opposite of. */
  readonly breaks: string;
  /** A file of src/core. */
  readonly file: string;
  /** A piece of that file which occurs in it exactly once. */
  readonly find: string;
  readonly replace: string;
  /** The hunt that catches it, tried before the others so that the table does not take long. */
  readonly first: string;
}

/**
 * The file's text with the bug in it.
 * @throws Error where the text does not have exactly one place for it: the core has changed, and the mutant must follow.
 */
export function mutate(
  text: string,
  { name, file, find, replace }: Omit<Mutant, "breaks" | "first">,
): string {
  const places = text.split(find).length - 1;
  if (places !== 1) {
    throw new Error(
      `mutant ${name}: expected exactly one place in src/core/${file} that reads, found ${places}:\n${find}`,
    );
  }
  return text.replace(find, () => replace);
}
