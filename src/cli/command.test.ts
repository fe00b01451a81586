// What the command line refuses, and how it says so.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runCommand } from "./command.ts";

interface Run {
  readonly status: number;
  readonly out: readonly string[];
  readonly warned: readonly string[];
}

async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  const out: string[] = [];
  const warned: string[] = [];
  const status = await runCommand(args, {
    env,
    stop: new AbortController().signal,
    line: async (text) => void out.push(text),
    warn: (line) => void warned.push(line),
    onReload: () => () => {},
  });
  return { status, out, warned };
}

describe("a command line that says something wrong", () => {
  const wrong: readonly (readonly [args: string, message: RegExp])[] = [
    ["agents", /agents: expected one of the commands agent, members, watch, sim/],
    ["agent --bogus", /--bogus: no such flag/],
    ["agent --no-json", /--no-json: no such flag/],
    ["agent -l x", /-l: no such flag/],
    ["agent extra", /extra: expected a flag/],
    ["agent --listen", /--listen: expected a value, HOST:PORT/],
    ["agent --listen --json", /--listen: expected a value, HOST:PORT/],
    ["agent --json=yes", /--json yes: expected no value/],
    ["agent --listen a:1 --listen b:1", /--listen b:1: expected only once/],
    ["agent --listen nonsense", /--listen nonsense: .*expected host:port/],
    ["agent --listen 127.0.0.1:99999", /--listen 127.0.0.1:99999: .*expected host:port/],
    ["agent --listen 0.0.0.0:0", /--advertise: .*expected IP:port.*since listen is 0.0.0.0/],
    ["agent --advertise example.com:1", /--advertise example.com:1: .*expected IP:port/],
    ["agent --seed 127.0.0.1:1 --seed x", /--seed x: .*expected host:port/],
    ["agent --meta zone", /--meta zone: expected KEY=VALUE/],
    ["agent --meta =x", /--meta =x: expected KEY=VALUE/],
    ["agent --meta a=1 --meta a=2", /--meta a=2: expected each key only once/],
    ["agent --meta blip.x=1", /--meta blip.x=1: .*does not start with "blip."/],
    ["agent --fault-timeout-ms soon", /--fault-timeout-ms soon: expected whole milliseconds/],
    ["agent --fault-timeout-ms 1", /--fault-timeout-ms 1: .*expected whole milliseconds from 10/],
    ["agent --fault-strikes -1", /--fault-strikes: expected a value/],
    ["agent --fault-strikes=-1", /--fault-strikes -1: expected a whole number/],
    ["agent --fault-strikes 0", /--fault-strikes 0: .*expected a whole number from 1/],
    ["agent --cut 10,9", /--cut 10,9: expected K,H,L/],
    ["agent --cut a,b,c", /--cut a,b,c: expected K,H,L/],
    ["agent --cut 10,11,4", /--cut 10,11,4: .*expected .*1 to observers \(10\)/],
    ["agent --cut 5,4,5", /--cut 5,4,5: .*expected .*1 to high \(4\)/],
    ["agent --cache 0", /--cache 0: expected a whole number of keys, 1 or more/],
    ["agent --cache many", /--cache many: expected a whole number of keys, 1 or more/],
    [
      "agent --cache 9 --rust-layout new",
      /--rust-layout new: .*expected one of "std-new", "std-mid", "std-old"/,
    ],
    ["agent --rust-layout std-mid", /--rust-layout std-mid: expected --cache beside it/],
    ["agent --tls-cert no.pem", /--tls-cert no\.pem: expected a file in PEM that can be read \(ENOENT\)/],
    ["agent --tls-cert package.json --tls-key package.json", /--tls-cert package\.json: .*BEGIN/],
    ["agent --mutual", /--tls-ca: .*clientAuth needs it/],
    ["agent --notice-ms soon", /--notice-ms soon: expected whole milliseconds/],
    ["agent --notice-ms 500 --leave-timeout-ms 400", /--notice-ms 500: expected less than .* 400 ms/],
    ["agent --mesh-name ü", /--mesh-name ü: .*printable ASCII/],
    ["members --tls-ca package.json", /--tls-ca package\.json: .*BEGIN/],
    ["cache put k", /cache put: expected cache get KEY/],
    ["cache get --at 127.0.0.1:1", /cache get: expected a key before the flags, got --at/],
    ["cache get k --at nowhere", /--at nowhere: expected HOST:PORT of a member/],
    ["sim --seed x", /--seed x: expected a whole number/],
    ["sim --seed 9007199254740993", /--seed 9007199254740993: expected a whole number/],
    ["sim --scenario S99", /--scenario S99: expected one of the scenarios S1, /],
    ["sim --members 0", /--members 0: expected a whole number from 1 to 2000/],
    ["sim --scenario S7 --members 4", /--members 4: expected 3 in S7/],
    ["sim --search luck", /--search luck: expected one of the searches message-orders, /],
    ["sim --search two-stories --members 4", /--members 4: expected nothing beside --search/],
    ["sim --seeds 0", /--seeds 0: expected a whole number from 1 to/],
    ["sim --duration 0", /--duration 0: expected whole seconds from 1/],
    ["sim --weather hail", /--weather hail: expected all, or one of delays, /],
    ["sim --file /nowhere/at/all.json", /--file \/nowhere\/at\/all.json: ENOENT/],
    ["sim --file package.json", /--file package.json: seed: expected a whole number, got nothing/],
    ["declare-dead --yes", /--dead: expected at least one member/],
    ["force-new --yes", /--abandon: expected at least one member/],
    ["declare-dead --dead", /--dead: expected a value, IP:PORT/],
    ["members --at nonsense", /--at nonsense: expected HOST:PORT/],
    ["members --at 127.0.0.1:0", /--at 127.0.0.1:0: expected HOST:PORT/],
    ["watch --listen 127.0.0.1:0", /--listen: no such flag/],
  ];
  for (const [args, message] of wrong) {
    it(`${args}`, async () => {
      const { status, out, warned } = await run(args.split(" "));
      assert.equal(status, 2);
      assert.deepEqual(out, []);
      assert.equal(warned.length, 1);
      assert.match(warned[0]!, message);
      assert.ok(!warned[0]!.includes("\n"));
    });
  }

  it("in a variable of the environment", async () => {
    const env = { BLIP_SEED: "127.0.0.1:1,x", BLIP_LISTEN: "" };
    assert.match((await run(["agent"], env)).warned[0]!, /^blip: BLIP_SEED x: .*expected host:port/);
    assert.match((await run(["agent"], { BLIP_JSON: "maybe" })).warned[0]!, /BLIP_JSON maybe: expected true/);
    assert.match((await run(["agent"], { BLIP_CACHE: "0" })).warned[0]!, /BLIP_CACHE 0: expected a whole/);
    assert.match((await run(["members"], { BLIP_AT: "x" })).warned[0]!, /BLIP_AT x: expected HOST:PORT/);
  });
});

describe("a flag and its variable", () => {
  it("may both be given: the flag wins", async () => {
    const { warned } = await run(["agent", "--listen", "flag"], { BLIP_LISTEN: "variable" });
    assert.match(warned[0]!, /--listen flag/);
  });
});

describe("help", () => {
  it("names every command, and every flag that is offered", async () => {
    const { out, status } = await run(["--help"]);
    assert.equal(status, 0);
    assert.match(out.join("\n"), /blip agent .*\n.*blip members .*\n.*blip watch/);
    const agent = (await run(["agent", "--help"])).out.join("\n");
    for (const flag of ["listen", "advertise", "seed", "meta", "fault-timeout-ms", "cut", "json"]) {
      assert.match(agent, new RegExp(`--${flag}\\b`));
    }
    assert.match(agent, /--cache MAX_KEYS/);
    assert.match((await run(["--version"])).out[0]!, /^\d+\.\d+\.\d+/);
  });

  it("is what one gets for saying nothing", async () => {
    const { status, warned } = await run([]);
    assert.equal(status, 2);
    assert.match(warned[0]!, /blip agent/);
  });
});
