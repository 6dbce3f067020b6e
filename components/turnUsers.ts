import * as pulumi from "@pulumi/pulumi";

import type { Host } from "../clouds/host";
import type { MeetingServer } from "./meetingsGuard";
import { peerOf, type Peer } from "./turnServer";

/** Deployment that uses a TURN server which another component of its program makes. */
export interface TurnUser {
  readonly host: Host;
  readonly meetings: MeetingServer;
}

/**
 * Deployments of one program that use a TURN server, beside the one that makes it, if any does.
 *
 * They are known at the end of the turn of the event loop in which the TURN server's component was made: its peers must
 * be known before it is configured.
 */
export class TurnUsers {
  private readonly users: Promise<TurnUser | undefined>[] = [];
  private closed = false;
  private readonly settled: Promise<void>;
  private readonly all: Promise<readonly (TurnUser | undefined)[]>;

  /** @param owner Component that makes the TURN server, e.g. `SharedTurnServer "turn"`, for the message. */
  constructor(private readonly owner: string) {
    this.settled = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.closed = true;
    });
    this.all = this.settled.then(() => Promise.all(this.users));
    // Who waits for it is told.
    this.all.catch(() => undefined);
  }

  /**
   * Makes the TURN server relay to a deployment.
   *
   * @param user Deployment; undefined in a preview that does not know it yet.
   * @throws RunError when it comes too late
   */
  add(user: Promise<TurnUser | undefined>, title: string): void {
    if (this.closed) {
      throw new pulumi.RunError(
        `${title} comes too late for the TURN server of ${this.owner}, whose peers are settled by then: something is awaited ` +
          "between the two. Make all that share a TURN server one after the other, and await before the first of them",
      );
    }
    user.catch(() => undefined);
    this.users.push(user);
  }

  /** True when there are any; known before their resources, which wait for the TURN server. */
  get any(): Promise<boolean> {
    return this.settled.then(() => this.users.length > 0);
  }

  /** Addresses of the deployments, sorted: another order in the program is no new configuration. */
  get peers(): pulumi.Output<readonly Peer[]> {
    return pulumi
      .output(
        this.all.then((users) => users.map((user) => (user ? peerOf(user.host) : (pulumi.unknown as never)))),
      )
      .apply((peers) => [...peers].sort((a, b) => Number(a.ipv4 > b.ipv4) - Number(a.ipv4 < b.ipv4)));
  }

  /** Servers whose meetings go through the TURN server. */
  get servers(): Promise<readonly MeetingServer[]> {
    return this.all.then((users) => users.flatMap((user) => (user ? [user.meetings] : [])));
  }
}
