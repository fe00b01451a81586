// Spreads the calls of a stub over the members that its resolver found, each with a connection of its own. It goes by
// what all clients of the mesh know of the members, and adds to it how the stub's calls end.

import {
  type ChannelOptions,
  experimental,
  type Metadata,
  connectivityState as State,
  status,
} from "@grpc/grpc-js";
import { ipOf, portOf } from "../core/endpoint.ts";
import type { Policy } from "../mesh/balance.ts";
import { judged } from "../mesh/bridge-failure.ts";
import type { Line, Waiting } from "../mesh/line.ts";
import type { Found } from "./resolver.ts";
import { FOUND } from "./stub-options.ts";

export const BALANCER = "blip_mesh";

type Child = experimental.LeafLoadBalancer;

class MeshBalancer implements experimental.LoadBalancer {
  readonly #helper: experimental.ChannelControlHelper;
  readonly #childHelper: experimental.ChannelControlHelper;
  #children = new Map<Line, Child>();
  #found: Found | undefined;
  #policy: Policy | undefined;
  #isUpdating = false;
  #why = "no connection to any member yet";

  constructor(helper: experimental.ChannelControlHelper) {
    this.#helper = helper;
    this.#childHelper = experimental.createChildChannelControlHelper(helper, {
      updateState: (_state, _picker, error) => {
        if (error !== null) this.#why = error;
        this.#update();
      },
      // The mesh tells by itself when others serve.
      requestReresolution: () => {},
    });
  }

  updateAddressList(
    endpoints: experimental.StatusOr<experimental.Endpoint[]>,
    _config: experimental.TypedLoadBalancingConfig,
    options: ChannelOptions,
    note: string,
  ): boolean {
    const found = options[FOUND] as Found | undefined;
    if (!endpoints.ok || found === undefined) {
      this.#clear();
      this.#why = endpoints.ok ? "expected a target blip:package.Service" : endpoints.error.details;
      this.#update();
      return true;
    }
    if (this.#found !== found) this.#policy = found.stub.makePolicy();
    this.#found = found;
    if (note !== "") this.#why = note;
    this.#isUpdating = true;
    const lines = found.candidates.subset(found.stub.mesh.cut);
    const children = new Map<Line, Child>();
    for (const line of lines) {
      const known = this.#children.get(line);
      const at = { addresses: [{ host: ipOf(line.endpoint), port: portOf(line.endpoint) }] };
      const child = known ?? new experimental.LeafLoadBalancer(at, this.#childHelper, options, note);
      children.set(line, child);
      if (known === undefined) child.startConnecting();
    }
    // Calls under way at those that are gone may end.
    for (const [line, child] of this.#children) if (!children.has(line)) child.destroy();
    this.#children = children;
    this.#isUpdating = false;
    this.#update();
    return true;
  }

  exitIdle(): void {
    for (const child of this.#children.values()) child.exitIdle();
  }

  // grpc-js connects again within two seconds.
  resetBackoff(): void {}

  destroy(): void {
    this.#clear();
  }

  getTypeName(): string {
    return BALANCER;
  }

  #clear(): void {
    for (const child of this.#children.values()) child.destroy();
    this.#children = new Map();
    this.#found = undefined;
  }

  #update(): void {
    if (this.#isUpdating) return;
    const children = [...this.#children.values()];
    const states = new Set(children.map((child) => child.getConnectivityState()));
    // A connection that was given up is wanted again: the member may be called at any moment.
    for (const child of children) if (child.getConnectivityState() === State.IDLE) child.exitIdle();
    if (this.#isUpdating) return;
    if (states.has(State.READY)) {
      this.#tell(State.READY, new MeshPicker(this.#children, this.#found!, this.#policy!));
    } else if (states.has(State.CONNECTING) || states.has(State.IDLE)) {
      this.#tell(State.CONNECTING, new experimental.QueuePicker(this));
    } else {
      const details = `no member can be called: ${this.#why}`;
      this.#tell(State.TRANSIENT_FAILURE, new experimental.UnavailablePicker({ details }), details);
    }
  }

  #tell(state: State, picker: experimental.Picker, error: string | null = null): void {
    this.#helper.updateState(state, picker, error);
  }
}

class MeshPicker implements experimental.Picker {
  readonly #ready: ReadonlyMap<Line, Child>;
  readonly #found: Found;
  readonly #policy: Policy;
  #usable: readonly Line[] = [];
  #of: readonly Line[] | undefined;

  constructor(children: ReadonlyMap<Line, Child>, found: Found, policy: Policy) {
    this.#ready = new Map([...children].filter(([, child]) => child.getConnectivityState() === State.READY));
    this.#found = found;
    this.#policy = policy;
  }

  pick(args: experimental.PickArgs): experimental.PickResult {
    const line = this.#policy.pick(this.#candidates(), [], undefined)!;
    const picked = this.#ready.get(line)!.getPicker().pick(args);
    if (picked.pickResultType !== experimental.PickResultType.COMPLETE) return picked;
    const call: Waiting = { memberIsMissing: () => {} };
    return {
      ...picked,
      onCallStarted: () => {
        line.wait(call);
        picked.onCallStarted?.();
      },
      onCallEnded: (code: status, details: string, metadata: Metadata) => {
        line.endWait(call);
        if (code === status.OK) line.answered(false);
        else judged(line, { code, details, metadata }, line.member.address, false);
        picked.onCallEnded?.(code, details, metadata);
      },
    };
  }

  /** Those who should be called now; where none of them is connected, all who are. */
  #candidates(): readonly Line[] {
    const { candidates, stub } = this.#found;
    const usable = candidates.usable(stub.mesh.cut);
    if (this.#of !== usable) {
      const connected = usable.filter((line) => this.#ready.has(line));
      this.#of = usable;
      this.#usable = connected.length > 0 ? connected : [...this.#ready.keys()];
    }
    return this.#usable;
  }
}

class MeshBalancing implements experimental.TypedLoadBalancingConfig {
  getLoadBalancerName(): string {
    return BALANCER;
  }

  toJsonObject(): object {
    return { [BALANCER]: {} };
  }

  static createFromJson(): MeshBalancing {
    return new MeshBalancing();
  }
}

experimental.registerLoadBalancerType(BALANCER, MeshBalancer, MeshBalancing);
