import { defaultLocations } from "../../bigbluebutton/capacity";
import { hostRoles, hostSettings } from "../../clouds/hostArgs";
import type { Settings } from "../../settings";
import type { Problem } from "../../settings/problems";
import { FAILED, FINE } from "../../cli/mistake";
import type { HetznerAccess } from "../inventory/hetznerApi";
import type { StackSettings } from "../../cli/stackFiles";
import { savingsOf, type Savings } from "../park/savings";
import { awsPrice } from "./awsPrices";
import { bases } from "./durations";
import { comparison } from "./estimate";
import {
  backupDays,
  certificateFacts,
  downloads,
  environmentFacts,
  optionFacts,
  dialInFacts,
  greenlightFacts,
  metricsFacts,
  recordingsFacts,
  type CertificateFacts,
  type Download,
  type EnvironmentFacts,
  type OptionFacts,
  type DialInFacts,
  type GreenlightFacts,
  type MetricsFacts,
  type RecordingsFacts,
} from "./facts";
import type { Given } from "./given";
import { certificateLimits, limitsOf } from "./limits";
import { hetznerPrice } from "./hetznerPrices";
import { plannedHosts, type PlannedHost } from "./hosts";
import type { Price } from "./price";
import { poolFacts, type PoolFacts } from "./pool";
import { planProgram } from "./program";
import { groupResources, type ResourceGroup } from "./resources";
import { assess, type StandIn } from "./settings";
import { longestChain, stepsOf, type PlannedStep } from "./steps";

/** Whole plan, in the form that `--json` prints. */
export interface Plan {
  readonly project: string;
  readonly stack: string;
  /** Problems that would stop the update, all at once. */
  readonly problems: readonly Problem[];
  /** Warnings, which stop no update. */
  readonly warnings: readonly string[];
  /** Settings for which the plan uses other values than the given ones. */
  readonly standIns: readonly StandIn[];
  /** Planned deployment; null when the settings allow no plan. */
  readonly deployment: Deployment | null;
}

/** Results of the update. */
export interface Deployment {
  readonly release: string;
  readonly version: string;
  readonly environment: EnvironmentFacts;
  /** Assumptions about the clouds, which are not asked. */
  readonly assumptions: readonly string[];
  readonly hosts: readonly PlannedHost[];
  /** Null for a single server. */
  readonly pool: PoolFacts | null;
  readonly dns: Settings["dns"];
  readonly urls: { readonly url: string; readonly api: string; readonly turn: readonly string[] };
  readonly certificates: CertificateFacts;
  readonly recordings: RecordingsFacts;
  /** Null without Greenlight. */
  readonly greenlight: GreenlightFacts | null;
  /** Null without metrics. */
  readonly metrics: MetricsFacts | null;
  /** Null without dial-in. */
  readonly dialIn: DialInFacts | null;
  /** Options of BigBlueButton's own configuration. */
  readonly options: readonly OptionFacts[];
  /**
   * Number of daily copies of the BigBlueButton server's disk that are kept, which the volume is not on; 0 for none.
   */
  readonly backupDays: number;
  /** Number of resources that `pulumi up` counts, including the stack itself and components. */
  readonly resourceCount: number;
  readonly resources: readonly ResourceGroup[];
  readonly steps: readonly PlannedStep[];
  readonly duration: {
    /** Duration of the longest chain of steps, from … to, in seconds. */
    readonly seconds: readonly [number, number];
    /** Explanations of the figures' reliability, by `basis`. */
    readonly bases: Readonly<Record<string, string>>;
  };
  readonly downloads: readonly Download[];
  /** Limits that each cloud's account must have. */
  readonly limits: readonly string[];
  /** Prices by cloud. */
  readonly prices: readonly Price[];
  /** Savings of a parked server; null without a published price. */
  readonly parking: Savings | null;
  /** Published prices of the same at each cloud, with its default server types. */
  readonly comparison: ReturnType<typeof comparison>;
}

export interface PlanOptions {
  /** Number of people in all meetings together. */
  readonly users?: number;
  /** Access to Hetzner's price list; undefined when it is not asked. */
  readonly hetzner?: HetznerAccess;
  readonly now: Date;
}

/** Makes the plan for some settings, with their problems. */
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
  const { project, stack, release, bbb, recordings } = settings;
  const region =
    hostRoles(settings)
      .map((role) => hostSettings(settings, role))
      .find(({ cloud }) => cloud === "aws")?.location ?? defaultLocations.aws;
  const { resources, assumptions, outputs } = await planProgram(raw, { project, stack, region });
  const { url, apiUrl, turnUrls, addresses } = outputs as unknown as Outputs;
  const ipv6 = addresses.turn?.ipv6 !== undefined;
  const adoptedVolume = bbb.cloud === "hetzner" && recordings?.kind === "adopted" ? recordings.id : undefined;
  const prices = [
    await hetznerPrice({ resources, adoptedVolume, access: hetzner, now }),
    awsPrice(resources, region),
  ];
  const hosts = plannedHosts(settings, { ipv6, users });
  const copies = hosts.filter(({ baked }) => baked !== null).map(({ role }) => role);
  return {
    release: release.name,
    version: release.version,
    environment: environmentFacts(settings),
    assumptions,
    hosts,
    pool: poolFacts(settings, users),
    limits: [...limitsOf(hosts, resources), ...certificateLimits(settings, hosts)],
    dns: settings.dns,
    urls: { url, api: apiUrl, turn: turnUrls },
    certificates: certificateFacts(settings),
    recordings: recordingsFacts(settings, resources),
    greenlight: greenlightFacts(settings),
    metrics: metricsFacts(settings),
    dialIn: dialInFacts(settings),
    options: optionFacts(settings),
    backupDays: backupDays(settings, resources),
    resourceCount: resources.length + 1,
    resources: groupResources(resources),
    steps: stepsOf(resources, copies),
    duration: { seconds: longestChain(resources, copies), bases },
    downloads: downloads(settings, resources),
    prices: prices.filter((price) => price !== undefined),
    // Servers of a pool come and go by their number.
    parking: settings.pool ? null : savingsOf(settings),
    comparison: comparison(settings),
  };
}

/** Outputs of index.ts that a plan reads. */
interface Outputs {
  readonly url: string;
  readonly apiUrl: string;
  readonly turnUrls: readonly string[];
  readonly addresses: { readonly turn?: { readonly ipv6?: string } };
}

/** Exit code: that of a failure when a problem stops the update, a host is too small, or a price is missing. */
export function exitCode({ problems, deployment }: Plan): number {
  if (problems.length > 0 || !deployment) return FAILED;
  const tooSmall = deployment.hosts.some(({ fit }) => fit.verdict === "too small");
  const unpriced = deployment.prices.some((price) => (price.asked ? price.remarks.length > 0 : price.failed));
  return tooSmall || unpriced ? FAILED : FINE;
}
