import { AsyncResource } from "node:async_hooks";
import { rootCertificates } from "node:tls";

import * as pulumi from "@pulumi/pulumi";
import { quote } from "shell-quote";

import { ANY_CERTIFICATE, runningMeetings, type Trust } from "../bigbluebutton/meetings";
import type { Settings } from "../settings";
import { named } from "../clouds/names";
import { valueOf } from "../clouds/valueOf";
import { hash } from "../steps/stepCommand";
import type * as PoolLease from "./poolLease";

/** Inputs of a server for whose change its provider powers it off. */
const POWERED_OFF_FOR = ["serverType", "publicNets", "instanceType"] as const;

/** Pause between two questions to a balancer, and the time for which it may be silent. */
const BALANCER_PATIENCE = { pauseMs: 10_000, silentMs: 180_000 } as const;

/** BigBlueButton server whose meetings count. */
export interface MeetingServer {
  /** Name in a pool, e.g. "bbb-2", with which the names of its host's resources begin. @default a single server */
  readonly name?: string;
  readonly fqdn: string;
  readonly sharedSecret: pulumi.Output<string>;
  readonly trust: Trust;
  /** Full name of the balancer whose pool it leaves before it is powered off. @default a single server */
  readonly balancer?: string;
}

/** Question whether a change may be made now. */
interface Question {
  readonly what: string;
  /** Values of duringMeetings that allow it. */
  readonly allowing: readonly string[];
  /** Advice; undefined if no value of duringMeetings could allow it. */
  readonly howTo?: string;
  /** Name of the resource that is changed; of a pool's server, only that one is asked. @default all are concerned */
  readonly of?: string;
  /** Reaction to a BigBlueButton with another secret than the state's, as after a refused rotation. */
  readonly whenSecretDiffers: "refuse" | "go on";
}

/**
 * Asks BigBlueButton whether meetings run, and refuses an update that would end them: of the server by the cloud's
 * provider, or of the TURN server. It does not see replacement and deletion of a server: `protect` is for that.
 *
 * If BigBlueButton can't be asked, it says so and lets the update go on.
 */
export class MeetingsGuard {
  /** Hook of a server. */
  readonly server: pulumi.ResourceHook;
  /** Hook of a step that restarts coturn after a change of its standard input. */
  readonly turnConfiguration: pulumi.ResourceHook;

  /**
   * Asks all servers, and warns as the component that is made now: hooks are called outside of it, where a provider of
   * components has no engine to warn by.
   */
  private readonly check = AsyncResource.bind(async (question: Question): Promise<void> => {
    const servers = await this.servers();
    const own = ownServer(servers, question.of);
    if (own?.balancer !== undefined) return this.leave(own, own.balancer, question);
    for (const server of concerned(servers, question.of)) await this.checkOne(server, question);
  });

  /**
   * @param servers Returns the servers whose meetings count; called by the hooks. The servers wait for the hooks, so
   *   these cannot be given them.
   */
  constructor(
    private readonly settings: Settings,
    private readonly servers: () => Promise<readonly MeetingServer[]>,
  ) {
    const { labels } = settings;
    this.server = new pulumi.ResourceHook(
      named("no-meetings-while-a-server-is-off", labels),
      async (change) => {
        const keys = POWERED_OFF_FOR.filter((key) =>
          differs(change.oldInputs?.[key], change.newInputs?.[key]),
        );
        if (keys.length === 0) return;
        // Networks are no text that a setting could have.
        const values = keys
          .map((key): unknown => change.newInputs?.[key])
          .filter((one) => typeof one === "string");
        await this.check({
          what: `changing ${keys.join(" and ")} of ${change.name} powers it off`,
          allowing: values,
          howTo: values[0] === undefined ? undefined : setDuringMeetings(settings, values[0]),
          of: change.name,
          whenSecretDiffers: "refuse",
        });
      },
    );
    this.turnConfiguration = new pulumi.ResourceHook(
      named("no-meetings-while-coturn-restarts", labels),
      async (change) => {
        const [before, now] = await Promise.all(
          [change.oldInputs?.stdin, change.newInputs?.stdin].map(async (one) => String(await valueOf(one))),
        );
        if (before === now) return;
        const value = `coturn-${hash([now!])}`;
        await this.check({
          what: "the new configuration of coturn ends what it relays",
          allowing: [value],
          howTo: setDuringMeetings(settings, value),
          // BigBlueButton's new secret waits for this very step: refused, it would never get there.
          whenSecretDiffers: "go on",
        });
      },
    );
  }

  private async leave(server: MeetingServer, balancer: string, question: Question): Promise<void> {
    const { fqdn, sharedSecret, trust } = server;
    const { what, howTo, allowing } = question;
    const { leavePool } = require("./poolLease") as typeof PoolLease; // eslint-disable-line @typescript-eslint/no-require-imports
    await leavePool(
      { fqdn, balancer, trust, secret: await valueOf(sharedSecret) },
      { what, anyway: this.allows(allowing), orAllow: orAllow(howTo) },
      {
        tell: (text) => pulumi.log.info(text),
        warn: (text) => pulumi.log.warn(text),
        ...BALANCER_PATIENCE,
      },
    );
  }

  private allows(values: readonly string[]): boolean {
    const { duringMeetings } = this.settings;
    return duringMeetings !== "" && values.includes(duringMeetings);
  }

  private async checkOne(server: MeetingServer, question: Question): Promise<void> {
    const { what, allowing, howTo, whenSecretDiffers } = question;
    const { fqdn, sharedSecret, trust } = server;
    const allowed = this.allows(allowing);
    let running: number;
    try {
      const secret = await valueOf(sharedSecret);
      running = await runningMeetings(`https://${fqdn}/bigbluebutton/api`, secret, trust);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!reason.includes("checksumError") || allowed || whenSecretDiffers === "go on") {
        await pulumi.log.warn(`${what}; whether meetings run, ${fqdn} does not tell (${reason}): going on`);
        return;
      }
      throw new Error(
        `${what}, and ${fqdn} does not tell whether meetings run, since it does not know the shared secret (yet). ` +
          `Run pulumi up without this change first${orAllow(howTo)}`,
        { cause: error },
      );
    }
    if (running === 0) return;
    const meetings = `${running} meeting${running === 1 ? " runs" : "s run"} on ${fqdn}`;
    if (allowed) {
      await pulumi.log.warn(`${what}; ${meetings}, and duringMeetings allows it`);
      return;
    }
    throw new Error(
      `${what}, and ${meetings}; nothing was changed. Wait for their end, then run pulumi up again${orAllow(howTo)}`,
    );
  }
}

function orAllow(howTo: string | undefined): string {
  return howTo === undefined ? "; duringMeetings can't allow it" : `; or allow it: ${howTo}`;
}

/** Servers whose meetings a change of a resource would end. Meetings of a pool go on without its balancer. */
function concerned(servers: readonly MeetingServer[], resource = ""): readonly MeetingServer[] {
  const inPool = servers.some(({ name }) => name !== undefined);
  if (!inPool) return servers;
  if (/(^|-)balancer-host-/.test(resource)) return [];
  const own = ownServer(servers, resource);
  return own ? [own] : servers;
}

/** Server of a pool to whose host a resource belongs. */
function ownServer(servers: readonly MeetingServer[], resource = ""): MeetingServer | undefined {
  return servers.find(({ name }) => name !== undefined && new RegExp(`(^|-)${name}-host-`).test(resource));
}

/** Trust of this machine in a BigBlueButton server with these settings. */
export function trustIn({ acme, bbb }: Pick<Settings, "acme" | "bbb">): Trust {
  if (bbb.certificate.trustedByBrowsers) return {};
  const { ca } = acme;
  return ca ? { ca: [...rootCertificates, ca] } : ANY_CERTIFICATE;
}

function setDuringMeetings({ component }: Pick<Settings, "component">, value: string): string {
  return component
    ? `duringMeetings: ${JSON.stringify(value)}`
    : quote(["pulumi", "config", "set", "duringMeetings", value]);
}

function differs(before: unknown, now: unknown): boolean {
  return JSON.stringify(before) !== JSON.stringify(now);
}
