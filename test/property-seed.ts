// Loaded before every test file: properties draw the same cases on every machine, so that a change is judged by what
// it changes. PROPERTY_SEED=N npm test draws others; a seed that fails is a bug report.

import fc from "fast-check";

const seed = Number(process.env.PROPERTY_SEED ?? 1);
if (!Number.isInteger(seed))
  throw new Error(`PROPERTY_SEED: expected a whole number, got ${process.env.PROPERTY_SEED}`);
fc.configureGlobal({ seed });
