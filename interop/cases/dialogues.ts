/**
 * Dialogues of fake members with one Rust peer: the model that simulations use must say the same, at the same addresses.
 * `UPDATE_SCENARIOS=1` keeps what the real one said, for tests that do without it.
 */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { compareEndpoints, type Endpoint, parseEndpoint } from "../../src/core/endpoint.ts";
import { seededRandom, shuffled } from "../../src/core/random.ts";
import { PEER } from "../../test/dialogues/dialogue.ts";
import { ModelStage } from "../../test/dialogues/model-stage.ts";
import { FOLDER, fileOf, perform, type Script, textOf } from "../../test/dialogues/performance.ts";
import { SCRIPTS } from "../../test/dialogues/scripts/index.ts";
import { freeAddresses } from "../../test/member-process.ts";
import { LiveStage } from "../dialogues/live-stage.ts";
import { chosen } from "../mixed-mesh.ts";

const TIMEOUT_MS = 3 * 60_000;
/** One in a few hundred sets of addresses suits. */
const DRAWS_MAX = 100_000;
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

/** Addresses that are free, given to whom they suit: the rings depend on them. */
async function addressesFor(script: Script): Promise<ReadonlyMap<string, Endpoint>> {
  const names = [PEER, ...script.fakes];
  const free = (await freeAddresses(SPARE + names.length)).map((address) => parseEndpoint(address)!);
  const random = seededRandom(BigInt(randomInt(2 ** 32)));
  for (let draw = 0; draw < DRAWS_MAX; draw++) {
    // In ascending order, for that is the order of proposals.
    const drawn = shuffled(free, random).slice(0, names.length).sort(compareEndpoints);
    const addresses = new Map(names.map((name, i) => [name, drawn[i]!]));
    if (script.suits?.((name) => addresses.get(name)!) ?? true) return addresses;
  }
  throw new Error(`${script.name}: no addresses among ${DRAWS_MAX} draws suit`);
}
