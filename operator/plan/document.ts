import { defaultLocations } from "../../bigbluebutton/capacity";
import { hostRoles } from "../../clouds/hostArgs";
import type { Settings } from "../../settings";
import type { Problem } from "../../settings/problems";
import { FAILED, FINE } from "../../cli/mistake";
import type { HetznerAccess } from "../inventory/hetznerApi";
import type { StackSettings } from "../stacks";
import { awsPrice } from "./awsPrices";
import { bases } from "./durations";
import {
  backupDays,
  certificateFacts,
  downloads,
  environmentFacts,
  recordingsFacts,
  type CertificateFacts,
  type Download,
  type EnvironmentFacts,
  type RecordingsFacts,
} from "./facts";
import type { Given } from "./given";
import { limitsOf } from "./limits";
import { hetznerPrice } from "./hetznerPrices";
import { plannedHost, type PlannedHost } from "./hosts";
import type { Price } from "./price";
import { planProgram } from "./program";
import { groupResources, type ResourceGroup } from "./resources";
import { assess, type StandIn } from "./settings";
import { longestChain, stepsOf, type PlannedStep } from "./steps";

/** The whole plan; `--json` prints it as it is. */
export interface Plan {
  readonly project: string;
  readonly stack: string;
  /** What would stop the update, all at once. */
  readonly problems: readonly Problem[];
  /** What stops no update, and may be meant otherwise. */
  readonly warnings: readonly string[];
  /** Where the plan was made with other values than were given. */
  readonly standIns: readonly StandIn[];
  /** Null where no plan can be made of the settings. */
  readonly deployment: Deployment | null;
}

/** What the update would make. */
export interface Deployment {
  readonly release: string;
  readonly version: string;
  readonly environment: EnvironmentFacts;
  /** What was taken for granted of the clouds, none of which was asked for it. */
  readonly assumptions: readonly string[];
  readonly hosts: readonly PlannedHost[];
  readonly dns: Settings["dns"];
  readonly urls: { readonly url: string; readonly api: string; readonly turn: readonly string[] };
  readonly certificates: CertificateFacts;
  readonly recordings: RecordingsFacts;
  /** How many daily copies of the BigBlueButton server's disk are kept, which the volume is not on; 0: none. */
  readonly backupDays: number;
  /** How many `pulumi up` counts, the stack itself and components included. */
  readonly resourceCount: number;
  readonly resources: readonly ResourceGroup[];
  readonly steps: readonly PlannedStep[];
  readonly duration: {
    /** The longest chain of steps, from … to. */
    readonly seconds: readonly [number, number];
    /** What the figures are worth, by `basis`. */
    readonly bases: Readonly<Record<string, string>>;
  };
  readonly downloads: readonly Download[];
  /** What each cloud's account must be allowed to have. */
  readonly limits: readonly string[];
  /** By cloud. */
  readonly prices: readonly Price[];
}

export interface PlanOptions {
  /** People who are expected in all meetings together. */
  readonly users?: number;
  /** Where Hetzner's price list is asked; undefined: it is not. */
  readonly hetzner?: HetznerAccess;
  readonly now: Date;
}

/** What the settings would make, and what is wrong with them. */
export async function makePlan(given: Given, options: PlanOptions): Promise<Plan> {
  const { project, stack, warnings } = given;
  const { problems, standIns, plannable } = assess(given);
  const deployment = plannable ? await planDeployment(plannable, options) : null;
  return { project, stack, problems, warnings, standIns, deployment };
}

async function planDeployment(
  { raw, settings }: { readonly raw: StackSettings; readonly settings: Settings },
  { users, hetzner, now }: PlanOptions,
): Promise<Deployment> {
  const { project, stack, release, placement, recordings } = settings;
  const roles = hostRoles(settings);
  const region =
    roles.map((role) => placement[role]).find(({ cloud }) => cloud === "aws")?.location ??
    defaultLocations.aws;
  const { resources, assumptions, outputs } = await planProgram(raw, { project, stack, region });
  const { url, apiUrl, turnUrls, addresses } = outputs as unknown as Outputs;
  const ipv6 = addresses.turn?.ipv6 !== undefined;
  const adoptedVolume = placement.bbb.cloud === "hetzner" ? recordings?.adoptId : undefined;
  const prices = [
    await hetznerPrice({ resources, adoptedVolume, access: hetzner, now }),
    awsPrice(resources, region),
  ];
  const hosts = roles.map((role) => plannedHost(settings, role, { ipv6, users }));
  return {
    release: release.name,
    version: release.version,
    environment: environmentFacts(settings),
    assumptions,
    hosts,
    limits: limitsOf(hosts, resources),
    dns: settings.dns,
    urls: { url, api: apiUrl, turn: turnUrls },
    certificates: certificateFacts(settings),
    recordings: recordingsFacts(settings, resources),
    backupDays: backupDays(settings, resources),
    resourceCount: resources.length + 1,
    resources: groupResources(resources),
    steps: stepsOf(resources),
    duration: { seconds: longestChain(resources), bases },
    downloads: downloads(settings, resources),
    prices: prices.filter((price) => price !== undefined),
  };
}

/** Those of index.ts that a plan looks at. */
interface Outputs {
  readonly url: string;
  readonly apiUrl: string;
  readonly turnUrls: readonly string[];
  readonly addresses: { readonly turn?: { readonly ipv6?: string } };
}

/** Whether anything would stop the update or would not do. */
export function exitCode({ problems, deployment }: Plan): number {
  if (problems.length > 0 || !deployment) return FAILED;
  const tooSmall = deployment.hosts.some(({ fit }) => fit.verdict === "too small");
  const unpriced = deployment.prices.some((price) => (price.asked ? price.remarks.length > 0 : price.failed));
  return tooSmall || unpriced ? FAILED : FINE;
}
