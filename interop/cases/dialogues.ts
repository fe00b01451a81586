/**
 * Dialogues of fake members with one Rust peer: the model that simulations use must say the same, at the same addresses.
 * `UPDATE_SCENARIOS=1` keeps what the real one said, for tests that do without it.
 */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { compareEndpoints, type Endpoint, parseEndpoint, portOf } from "../../src/core/endpoint.ts";
import { seededRandom, shuffled } from "../../src/core/random.ts";
import { PEER } from "../../test/dialogues/dialogue.ts";
import { ModelStage } from "../../test/dialogues/model-stage.ts";
import {
  addressesIn,
  FOLDER,
  fileOf,
  perform,
  type Script,
  textOf,
} from "../../test/dialogues/performance.ts";
import { SCRIPTS } from "../../test/dialogues/scripts/index.ts";
import { canBind, freeAddresses } from "../../test/member-process.ts";
import { LiveStage } from "../dialogues/live-stage.ts";
import { chosen } from "../mixed-mesh.ts";

const TIMEOUT_MS = 3 * 60_000;
/** Ports that are close together make rings that are alike, of which perhaps none suits: then others are looked for. */
const SETS_MAX = 50;
const DRAWS_MAX = 5000;
const SPARE = 24;

for (const script of SCRIPTS) {
  for (const title of chosen(`dialogue: ${script.name}`)) {
    test(title, { timeout: TIMEOUT_MS }, async () => {
      const addresses = await addressesFor(script);
      const model = await perform(script, new ModelStage(), addresses);
      const real = await perform(script, new LiveStage(), addresses, model.measure);
      const text = textOf(script, addresses, real.lines);
      if (process.env.UPDATE_SCENARIOS) {
        mkdirSync(FOLDER, { recursive: true });
        writeFileSync(fileOf(script), text);
      }
      assert.equal(textOf(script, addresses, model.lines), text);
    });
  }
}

/**
 * Where it was recorded, so that what is recorded anew can be compared; other addresses where one of those is taken.
 */
async function addressesFor(script: Script): Promise<ReadonlyMap<string, Endpoint>> {
  const names = [PEER, ...script.fakes];
  if (existsSync(fileOf(script))) {
    const recorded = addressesIn(readFileSync(fileOf(script), "utf8"));
    const areFree = await Promise.all([...recorded.values()].map((at) => canBind(portOf(at))));
    if (names.every((name) => recorded.has(name)) && !areFree.includes(false)) return recorded;
  }
  const random = seededRandom(BigInt(randomInt(2 ** 32)));
  for (let set = 0; set < SETS_MAX; set++) {
    const free = (await freeAddresses(SPARE + names.length)).map((address) => parseEndpoint(address)!);
    for (let draw = 0; draw < DRAWS_MAX; draw++) {
      // In ascending order, for that is the order of proposals.
      const drawn = shuffled(free, random).slice(0, names.length).sort(compareEndpoints);
      const addresses = new Map(names.map((name, i) => [name, drawn[i]!]));
      if (script.suits?.((name) => addresses.get(name)!) ?? true) return addresses;
    }
  }
  throw new Error(`${script.name}: no addresses among ${SETS_MAX} sets of free ones suit`);
}
