// The rings on which one endpoint observes another.

import type { Endpoint } from "../core/endpoint.ts";
import type { View } from "../core/view.ts";

/** Ascending; also for an observed endpoint that is not in the view yet. */
export function ringsHeld(view: View, observer: Endpoint, observed: Endpoint): readonly number[] {
  return [...view.observersOf(observed).entries()]
    .filter(([, one]) => one === observer)
    .map(([ring]) => ring);
}
