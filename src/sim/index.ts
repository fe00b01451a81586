// The public names of blip-mesh/sim.

export type { Checker, Violation } from "./checkers/checker.ts";
export { type Fate, type Letter, Network, type Wire } from "./network.ts";
export { type MachineOptions, type MakeMachine, Process } from "./process.ts";
export { type Scenario, Stage, UnexpectedOutcome } from "./scenario.ts";
export { SCENARIOS, scenarioOf } from "./scenarios/index.ts";
export { type SimulationOptions, type SimulationResult, simulate } from "./simulation.ts";
export { HEALED_KINDS, WEATHER, WEATHER_KINDS, type WeatherKind } from "./weather.ts";
export { protobufWire } from "./wire.ts";
export { endpointAt, NotInTime, type StartOptions, World, type WorldOptions } from "./world.ts";
