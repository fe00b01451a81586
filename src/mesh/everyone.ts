// One call to each of many members at once, and what they answer as it comes.

import type { FromMember } from "./bridge-shapes.ts";
import type { Member } from "./cut.ts";

/** Makes the call to one of them. */
export type CallOne = (signal: AbortSignal) => Promise<unknown> | AsyncIterable<unknown>;

/**
 * Each answer with who gave it, in the order in which they come; of a stream each message. A member whose call
 * fails says so once, and the others go on. Who leaves the loop ends the calls that are left.
 */
export async function* answersOf(
  calls: readonly (readonly [member: Member, call: CallOne])[],
  signal: AbortSignal | undefined,
): AsyncGenerator<FromMember<unknown>, void, undefined> {
  const stop = new AbortController();
  const ends = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]);
  // Each member has at most one answer waiting here: a stream goes on when its last message was taken.
  const answers: { readonly answer: FromMember<unknown>; readonly taken: () => void }[] = [];
  let left = calls.length;
  let wake = (): void => {};
  const tell = (answer: FromMember<unknown>): Promise<void> =>
    new Promise((taken) => {
      answers.push({ answer, taken });
      wake();
    });
  const listen = async (member: Member, call: CallOne): Promise<void> => {
    try {
      const answer = call(ends);
      if (Symbol.asyncIterator in answer) for await (const value of answer) await tell({ member, value });
      else void tell({ member, value: await answer });
    } catch (error) {
      void tell({ member, error });
    }
    left -= 1;
    wake();
  };
  for (const [member, call] of calls) void listen(member, call);
  try {
    while (left > 0 || answers.length > 0) {
      const next = answers.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      } else {
        yield next.answer;
        next.taken();
      }
    }
  } finally {
    stop.abort(new Error("nobody reads the answers any more"));
    for (const { taken } of answers) taken();
  }
}
