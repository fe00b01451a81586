// The command as processes: what they print, how they end, and what they say of each other.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";

/** As built: this is what users run. */
const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const PATIENCE_MS = 60_000;

interface Printed {
  readonly event: string;
  readonly confId: string;
  readonly local: string;
  readonly degraded: boolean;
  readonly members: readonly { readonly address: string; readonly metadata: Record<string, unknown> }[];
  readonly joined: readonly string[];
  readonly kicked: readonly string[];
}

/** Lines of a stream, and a way to wait for one. */
class Lines {
  readonly all: string[] = [];
  #changed = (): void => {};

  constructor(stream: NodeJS.ReadableStream) {
    createInterface({ input: stream }).on("line", (line) => {
      this.all.push(line);
      this.#changed();
    });
  }

  async first<T>(pick: (line: string) => T | undefined): Promise<T> {
    const giveUp = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      for (const line of this.all) {
        const picked = pick(line);
        if (picked !== undefined) return picked;
      }
      await new Promise<void>((resolve, reject) => {
        this.#changed = resolve;
        giveUp.onabort = () => reject(new Error(`no such line among:\n${this.all.join("\n")}`));
      });
    }
  }

  line(pattern: RegExp): Promise<string> {
    return this.first((line) => (pattern.test(line) ? line : undefined));
  }

  cut(is: (cut: Printed) => boolean): Promise<Printed> {
    return this.first((line) => {
      const cut: Printed = JSON.parse(line);
      return is(cut) ? cut : undefined;
    });
  }
}

class Blip {
  readonly child: ChildProcess;
  readonly out: Lines;
  readonly log: Lines;
  readonly ended: Promise<number | null>;

  constructor(t: TestContext, args: string, env: Record<string, string> = {}) {
    const plain = Object.entries(process.env).filter(([name]) => !name.startsWith("BLIP_"));
    this.child = spawn(process.execPath, [MAIN, ...args.split(" ")], {
      env: { ...Object.fromEntries(plain), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.out = new Lines(this.child.stdout!);
    this.log = new Lines(this.child.stderr!);
    this.ended = once(this.child, "close").then(([code]) => code);
    t.after(() => this.child.kill("SIGKILL"));
  }

  /** The status it ends with, after this signal. */
  end(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    return this.ended;
  }
}

async function takenPort(t: TestContext): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return (server.address() as { port: number }).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("blip agent", () => {
  it("prints each view change as a line of JSON, and leaves when it is told to", async (t) => {
    const founder = new Blip(t, "agent --listen 127.0.0.1:0 --json --meta zone=eu-1 --meta n=1=2");
    const { local } = await founder.out.cut(({ members }) => members.length === 1);
    const joiner = new Blip(t, "agent", {
      BLIP_LISTEN: "127.0.0.1:0",
      BLIP_SEED: `127.0.0.1:${await freePort()},${local}`,
      BLIP_META: "zone=eu-2,rack=7",
      BLIP_JSON: "true",
    });
    const both = await founder.out.cut(({ members }) => members.length === 2);
    assert.equal(both.event, "cut");
    const [other] = both.joined;
    const metadata = Object.fromEntries(both.members.map((member) => [member.address, member.metadata]));
    assert.deepEqual(metadata[local], { "blip.ext.v1.Peer": "1", n: "1=2", zone: "eu-1" });
    assert.deepEqual(metadata[other!], { "blip.ext.v1.Peer": "1", rack: "7", zone: "eu-2" });
    assert.equal((await joiner.out.cut(() => true)).confId, both.confId);

    assert.equal(await joiner.end("SIGTERM"), 0);
    const left = await founder.out.cut(({ kicked }) => kicked.length > 0);
    assert.deepEqual(left.kicked, [other]);
    assert.equal(JSON.parse(joiner.out.all.at(-1)!).degraded, true);
    assert.equal(await founder.end("SIGINT"), 0);
    assert.equal(founder.out.all.length, 3);
    for (const line of founder.log.all) assert.match(line, /^\d{4}-\S+Z (info|warn) /);
  });

  it("tells people in a line of their own", async (t) => {
    const agent = new Blip(t, "agent --listen 127.0.0.1:0");
    await agent.out.line(/^\S+Z \d+ 1 member, joined 127\.0\.0\.1:\d+$/);
    assert.equal(await agent.end("SIGTERM"), 0);
  });

  it("ends with 1 and one line where the port is taken, or the address is not its own", async (t) => {
    const port = await takenPort(t);
    const taken = new Blip(t, `agent --listen 127.0.0.1:${port}`);
    const foreign = new Blip(t, "agent --listen 192.0.2.1:0");
    assert.equal(await taken.ended, 1);
    assert.deepEqual(taken.log.all, [`blip: listen: 127.0.0.1:${port} is in use by another process`]);
    assert.equal(await foreign.ended, 1);
    assert.equal(foreign.log.all.length, 1);
    assert.match(foreign.log.all[0]!, /192\.0\.2\.1:0: it is not an address of this machine/);
  });

  it("ends with 2 and one line where a flag is wrong", async (t) => {
    const port = await freePort();
    const agent = new Blip(t, `agent --listen 127.0.0.1:${port} --seed 127.0.0.1:${port}`);
    assert.equal(await agent.ended, 2);
    assert.equal(agent.log.all.filter((line) => line.startsWith("blip: ")).length, 1);
    assert.match(
      agent.log.all.at(-1)!,
      new RegExp(`--seed 127.0.0.1:${port}: .*other than this member's own`),
    );
  });

  it("ends with 2 and one line where an address is one of many machines", async (t) => {
    const flags = ["listen 224.0.0.1:7946", "advertise 255.255.255.255:7946", "seed [ff02::1]:7946"];
    for (const flag of flags) {
      const agent = new Blip(t, `agent --${flag}`);
      assert.equal(await agent.ended, 2);
      assert.equal(agent.log.all.length, 1);
      const [, address] = flag.split(" ");
      assert(agent.log.all[0]!.startsWith(`blip: --${flag}: `), agent.log.all[0]);
      assert(agent.log.all[0]!.endsWith(`of one machine, not multicast or broadcast, got "${address}"`));
    }
  });

  it("ends at once, and well, where its seed accepts connections and says nothing", async (t) => {
    const agent = new Blip(t, `agent --listen 127.0.0.1:0 --json --seed 127.0.0.1:${await takenPort(t)}`);
    await agent.log.line(/listening/);
    const before = performance.now();
    assert.equal(await agent.end("SIGTERM"), 0);
    // Less than what leaving may take, and than a process that is held by something is left.
    assert.ok(performance.now() - before < 2000);
    assert.deepEqual(agent.out.all, []);
  });

  it("keeps trying an unreachable seed, says so now and then, and stops when it is told to", async (t) => {
    const seed = `127.0.0.1:${await freePort()}`;
    const agent = new Blip(t, `agent --listen 127.0.0.1:0 --json --seed ${seed}`);
    await agent.log.line(new RegExp(`cannot join yet.*${seed}`));
    const founder = new Blip(t, `agent --listen ${seed} --json`);
    await agent.out.cut(({ members }) => members.length === 2);
    assert.ok(agent.log.all.filter((line) => line.includes("cannot join yet")).length <= 3);
    const waiting = new Blip(t, `agent --listen 127.0.0.1:0 --seed 127.0.0.1:${await freePort()}`);
    await waiting.log.line(/cannot join yet/);
    assert.equal(await waiting.end("SIGTERM"), 0);
    assert.deepEqual(waiting.out.all, []);
    assert.equal(await agent.end("SIGTERM"), 0);
    assert.equal(await founder.end("SIGTERM"), 0);
  });

  it("ends at once at the second signal", async (t) => {
    const founder = new Blip(t, "agent --listen 127.0.0.1:0 --json");
    const { local } = await founder.out.cut(() => true);
    const joiner = new Blip(t, `agent --listen 127.0.0.1:0 --json --seed ${local}`);
    await joiner.out.cut(() => true);
    // Of two members both must agree, and a frozen one cannot: leaving would take its full five seconds.
    founder.child.kill("SIGSTOP");
    joiner.child.kill("SIGTERM");
    await joiner.log.line(/leaving/);
    const again = setInterval(() => joiner.child.kill("SIGTERM"), 150);
    const before = performance.now();
    const status = await joiner.ended;
    clearInterval(again);
    assert.equal(status, 0);
    assert.ok(performance.now() - before < 4000);
  });

  it("ends quietly when nobody reads what it prints", async (t) => {
    const agent = new Blip(t, "agent --listen 127.0.0.1:0 --json");
    const { local } = await agent.out.cut(() => true);
    agent.child.stdout!.destroy();
    const joiner = new Blip(t, `agent --listen 127.0.0.1:0 --json --seed ${local}`);
    assert.equal(await agent.ended, 0);
    for (const line of agent.log.all) assert.doesNotMatch(line, /EPIPE|Error/);
    await joiner.out.cut(({ members }) => members.length === 1);
  });
});

describe("blip members and blip watch", () => {
  it("tell what a member sees", async (t) => {
    const agent = new Blip(t, "agent --listen 127.0.0.1:0 --json --meta zone=eu-1");
    const { local, confId } = await agent.out.cut(() => true);
    const people = new Blip(t, `members --at ${local}`);
    const program = new Blip(t, `members --at ${local} --json`);
    const watcher = new Blip(t, `watch --at ${local} --json`);
    assert.equal(await people.ended, 0);
    assert.deepEqual(people.out.all, [`${local} blip.ext.v1.Peer=1 zone=eu-1`]);
    assert.equal(await program.ended, 0);
    const { time: _time, ...told } = JSON.parse(program.out.all[0]!);
    const { time: _again, ...printed } = JSON.parse(agent.out.all[0]!);
    assert.deepEqual(told, printed);

    assert.equal((await watcher.out.cut(() => true)).confId, confId);
    const joiner = new Blip(t, `agent --listen 127.0.0.1:0 --json --seed ${local}`);
    await joiner.out.cut(() => true);
    const cut = await watcher.out.cut(({ members }) => members.length === 2);
    assert.equal(cut.local, local);
    assert.equal(await joiner.end("SIGTERM"), 0);
    await watcher.out.cut(({ kicked }) => kicked.length === 1);
    assert.equal(await agent.end("SIGTERM"), 0);
    assert.equal(await watcher.ended, 0);
  });

  it("end with 1 and one line where nobody answers", async (t) => {
    const at = `127.0.0.1:${await freePort()}`;
    for (const command of ["members", "watch"]) {
      const asking = new Blip(t, `${command} --at ${at}`);
      assert.equal(await asking.ended, 1);
      assert.equal(asking.log.all.length, 1);
      assert.match(asking.log.all[0]!, new RegExp(`^blip: no member answers at ${at}`));
    }
  });
});

describe("blip declare-dead and blip force-new", () => {
  /** A member alone with two dead ones in its view. */
  async function survivor(
    t: TestContext,
  ): Promise<{ readonly agent: Blip; readonly local: string; readonly dead: string[] }> {
    const agent = new Blip(t, "agent --listen 127.0.0.1:0 --json");
    const { local } = await agent.out.cut(() => true);
    const others = [1, 2].map(() => new Blip(t, `agent --listen 127.0.0.1:0 --json --seed ${local}`));
    const dead = await Promise.all(others.map(async ({ out }) => (await out.cut(() => true)).local));
    await agent.out.cut(({ members }) => members.length === 3);
    await Promise.all(others.map((other) => other.end("SIGKILL")));
    return { agent, local, dead };
  }

  async function ends(command: Blip, status: number, out: readonly RegExp[], log?: RegExp): Promise<void> {
    assert.equal(await command.ended, status);
    assert.equal(command.out.all.length, out.length);
    for (const [i, pattern] of out.entries()) assert.match(command.out.all[i]!, pattern);
    if (log !== undefined) assert.match(command.log.all.join("\n"), log);
  }

  it("has the rest go on without the dead, after being told their names twice", async (t) => {
    const { agent, local, dead } = await survivor(t);
    const names = dead.map((address) => `--dead ${address}`).join(" ");
    const asked = new Blip(t, `declare-dead --at ${local} ${names}`);
    await ends(asked, 2, [/^removes .*the rest, 1 of 3, goes on/, /two meshes/], /expected --yes/);
    const few = new Blip(t, `declare-dead --at ${local} --dead ${dead[0]} --yes`);
    await ends(few, 1, [], /the other 2 of 3 are a majority/);
    const stranger = new Blip(t, `declare-dead --at ${local} --dead ${local} --yes`);
    await ends(stranger, 2, [], new RegExp(`--dead ${local}: expected one of the other members: `));
    await ends(new Blip(t, `declare-dead --at ${local} ${names} --yes`), 0, [new RegExp(`^${local} `)]);
    await agent.out.cut(({ members, kicked }) => members.length === 1 && kicked.length > 0);
    assert.match(await agent.log.line(/an operator declared dead/), /warn/);
    const joiner = new Blip(t, `agent --listen 127.0.0.1:0 --json --seed ${local}`);
    await joiner.out.cut(({ members }) => members.length === 2);
  });

  it("has one member found a new mesh, to which the others come back", async (t) => {
    const { agent, local, dead } = await survivor(t);
    const few = new Blip(t, `force-new --at ${local} --abandon ${dead[0]} --yes`);
    await ends(few, 2, [], /--abandon: expected all other members: /);
    const names = dead.map((address) => `--abandon ${address}`).join(" ");
    await ends(new Blip(t, `force-new --at ${local} ${names} --yes`), 0, [new RegExp(`^${local} `)]);
    const { kicked } = await agent.out.cut((cut) => cut.kicked.length > 0);
    // A reader that missed a cut is told of this member too, which is another one now.
    assert.deepEqual(
      kicked.filter((address) => address !== local),
      [...dead].sort(),
    );
    const back = new Blip(t, `agent --listen ${dead[0]} --json --seed ${local}`);
    await back.out.cut(({ members }) => members.length === 2);
  });
});
