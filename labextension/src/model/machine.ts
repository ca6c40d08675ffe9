import type { Client } from '../api/client';
import type { ICluster, IEnvironment, IPool, IQueue, ITrigger } from '../api/generated';
import { Polled } from './polled';

/** Seconds between two looks, when no setting says otherwise. */
export const PACE = 2;

/** What there is besides runs, asked for while it is seen. */
export class Machine {
  readonly environments: Polled<IEnvironment[]>;
  readonly pools: Polled<IPool[]>;
  readonly queues: Polled<IQueue[]>;
  readonly triggers: Polled<ITrigger[]>;
  /** The server asks them in the background, and answers with what is known. */
  readonly clusters: Polled<ICluster[]>;

  constructor(client: Client) {
    this.environments = new Polled('environments', () => client.environments(), PACE);
    this.pools = new Polled('pools', () => client.pools(), PACE);
    this.queues = new Polled('queues', () => client.queues(), PACE);
    this.triggers = new Polled('triggers', () => client.triggers(), PACE);
    this.clusters = new Polled('clusters', () => client.clusters(), PACE);
  }

  /** Seconds between two looks. */
  set pace(seconds: number) {
    const { environments, pools, queues, triggers, clusters } = this;
    for (const each of [environments, pools, queues, triggers, clusters]) {
      each.pace = seconds;
    }
  }
}
