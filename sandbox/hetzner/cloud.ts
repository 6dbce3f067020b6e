import type { CloudRuntime } from "../runtime";
import type { Actions } from "./actions";
import { Lanes } from "./lanes";
import { addressesOf, inboundRulesOf, zoneRecordsOf } from "./published";
import type { Store } from "./store";

/** Things that every endpoint works with. */
export interface Cloud {
  readonly store: Store;
  readonly runtime: CloudRuntime;
  readonly actions: Actions;
  readonly publish: Publisher;
  readonly clock: () => Date;
  /** Name servers to which zones are to be delegated, absolute with a final dot. */
  readonly nameServers: readonly string[];
}

/** Brings the runtime to the present state; each call is repeatable. */
export class Publisher {
  readonly #lanes = new Lanes();

  constructor(
    private readonly store: Store,
    private readonly runtime: CloudRuntime,
  ) {}

  /** Publishes the merged rules of a server's firewalls; does nothing while its host does not exist. */
  firewall(server: number): Promise<void> {
    return this.#lanes.run(`firewall ${server}`, async () => {
      const { state } = this.store;
      if (!state.servers[server]?.hostExists) return;
      await this.runtime.setFirewall(String(server), inboundRulesOf(state, server));
    });
  }

  async firewalls(servers: Iterable<number>): Promise<void> {
    await Promise.all([...new Set(servers)].map((server) => this.firewall(server)));
  }

  addresses(server: number): Promise<void> {
    return this.#lanes.run(`addresses ${server}`, async () => {
      const { state } = this.store;
      if (!state.servers[server]?.hostExists) return;
      await this.runtime.setAddresses(String(server), addressesOf(state, server));
    });
  }

  /** Publishes all records of a zone, or its removal. */
  zone(name: string): Promise<void> {
    return this.#lanes.run(`zone ${name}`, async () => {
      const zone = Object.values(this.store.state.zones).find((other) => other.name === name);
      if (zone) await this.runtime.setZone(name, zoneRecordsOf(zone));
      else await this.runtime.deleteZone(name);
    });
  }
}
