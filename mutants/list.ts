// All deliberate bugs, by what they are about.

import { CONSENSUS } from "./consensus.ts";
import { DETECTION } from "./detection.ts";
import { HEALING } from "./healing.ts";
import { JOINING } from "./joining.ts";
import type { Mutant } from "./mutant.ts";
import { VIEWS } from "./views.ts";

export const MUTANTS: readonly Mutant[] = [...CONSENSUS, ...DETECTION, ...JOINING, ...VIEWS, ...HEALING];
