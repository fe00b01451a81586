// One of the processes of a swarm: simulates the seeds that it is sent.

import { simulate, WEATHER_KINDS, type WeatherKind } from "blip-mesh/sim";
import type { Finding, Order } from "./order.ts";

process.on("message", (message) => {
  const { seed, members, weather } = message as Order;
  const kinds = weather?.includes("all") ? WEATHER_KINDS : (weather as WeatherKind[] | undefined);
  const result = simulate({ seed: BigInt(seed), members, kinds });
  const { steps, messages, viewChanges, virtualMs, excused, violations } = result;
  const finding: Finding = {
    seed,
    members: result.members,
    steps,
    messages,
    viewChanges,
    virtualMs,
    excused,
    violations,
  };
  process.send!(finding);
});
