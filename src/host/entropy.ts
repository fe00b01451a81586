// The dice of a member in the real world: bits from the operating system, drawn many at a time.

import { randomFillSync } from "node:crypto";
import type { Random } from "../core/random.ts";

const DRAWN_AT_ONCE = 128;

export function systemRandom(): Random {
  const pool = new BigUint64Array(DRAWN_AT_ONCE);
  let used = DRAWN_AT_ONCE;

  function u64(): bigint {
    if (used === DRAWN_AT_ONCE) {
      randomFillSync(pool);
      used = 0;
    }
    return pool[used++]!;
  }

  // 53 bits spread over far smaller limits: the bias is beyond measure.
  return { u64, below: (limit) => Number(u64() >> 11n) % limit };
}
