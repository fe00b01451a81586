// Many keys, a few at a time. What waits for its turn is asked of nobody yet, so that its time has not begun, and a call
// for a million keys fills no queue: neither here, nor at their owners, nor at the source.

/** Of one lane, so many are under way at the same time. */
export const UNDER_WAY_MAX = 256;
/** So many are looked at before all else that goes on in this process has its turn. */
const SLICE = 1000;

interface Lane {
  readonly items: number[];
  next: number;
  underWay: number;
}

/**
 * Does the work for each number below `count`, all lanes at once, each in its order. Once a piece of it has failed no
 * more is begun.
 *
 * @param laneOf the name of its lane; `undefined` where there is nothing to be done
 * @throws what `laneOf` or a piece of work throws
 */
export function inTurn(
  count: number,
  laneOf: (item: number) => string | undefined,
  work: (item: number) => Promise<void>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const lanes = new Map<string, Lane>();
    let workers = 0;
    let seen = 0;
    let isOver = false;
    const fail = (error: unknown): void => {
      isOver = true;
      reject(error);
    };
    const endWhereAllIsDone = (): void => {
      if (seen === count && workers === 0) resolve();
    };
    const goThrough = async (lane: Lane): Promise<void> => {
      workers += 1;
      lane.underWay += 1;
      try {
        while (lane.next < lane.items.length && !isOver) await work(lane.items[lane.next++]!);
      } catch (error) {
        fail(error);
      }
      lane.underWay -= 1;
      workers -= 1;
      endWhereAllIsDone();
    };
    const add = (item: number): void => {
      const name = laneOf(item);
      if (name === undefined) return;
      let lane = lanes.get(name);
      if (lane === undefined) {
        lane = { items: [], next: 0, underWay: 0 };
        lanes.set(name, lane);
      }
      lane.items.push(item);
      if (lane.underWay < UNDER_WAY_MAX) void goThrough(lane);
    };
    const look = (): void => {
      try {
        for (const end = Math.min(count, seen + SLICE); seen < end && !isOver; seen++) add(seen);
      } catch (error) {
        fail(error);
      }
      if (isOver) return;
      if (seen < count) setImmediate(look);
      else endWhereAllIsDone();
    };
    look();
  });
}
