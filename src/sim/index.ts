// The public names of blip-mesh/sim.

export type { Letter } from "./call.ts";
export type { Checker, Violation } from "./checkers/checker.ts";
export {
  SimulatedMesh,
  type SimulateMeshOptions,
  SimulationFailed,
  simulateMesh,
} from "./mesh/simulate-mesh.ts";
export {
  CALM,
  CONNECTION_REFUSED,
  CONNECTION_RESET,
  type Fate,
  LARGE_MESH,
  Network,
  type NetworkOptions,
  type Wire,
} from "./network.ts";
export { endpointAt, type StartOptions } from "./population.ts";
export { type MachineOptions, type MakeMachine, Process } from "./process.ts";
export { type Scenario, Stage, UnexpectedOutcome } from "./scenario.ts";
export { SCENARIOS, scenarioOf } from "./scenarios/index.ts";
export { SEARCHES, searchOf } from "./searches/index.ts";
export type { Search, SearchOptions } from "./searches/search.ts";
export { OUTCOME, type SimulationOptions, type SimulationResult, simulate } from "./simulation.ts";
export { storyOf, transcriptOf } from "./story.ts";
export { NotInTime, RuleBroken } from "./timeline.ts";
export type { Line } from "./transcript.ts";
export {
  MEMBERS_MAX,
  MEMBERS_MIN,
  WEATHER,
  WEATHER_KINDS,
  type WeatherKind,
} from "./weather.ts";
export { protobufWire } from "./wire.ts";
export { World, type WorldOptions } from "./world.ts";
