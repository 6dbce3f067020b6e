import * as pulumi from "@pulumi/pulumi";

import type { CloudName } from "../bigbluebutton/capacity";
import type { Settings } from "../settings";
import { canonicalAddress } from "../settings/formats/addresses";
import type { Cloud } from "./cloud";
import { manualDns, type Dns } from "./dns";
import type { Host, HostArgs, LookUpOptions, OperatorKey } from "./host";
import { waitForLookUps, refuseProblems } from "./lookUps";
import { named } from "./names";
import type { MadeStorageBox } from "./storageBox";
import { warnOfDeletedRecords } from "./ownRecords";
import type * as StorageBoxes from "./hetzner/storageBox";

/** Interface of a deployment to the clouds that it runs on. */
export interface Clouds {
  readonly dns: Dns;
  /**
   * Makes the hosts, each at the settings' place.
   *
   * @param hooks Hooks of every server.
   */
  hosts(operatorKey: OperatorKey, hooks: pulumi.ResourceHookBinding): Hosts;
  /** Makes the Storage Box for backups. @default there is none to make */
  readonly storageBox?: () => MadeStorageBox;
}

/** Hosts of a deployment by their names: bbb and turn, without a TURN host if another's is used; or those of a pool. */
export type Hosts = Readonly<Record<string, Host>>;

/** Hosts of a single server. */
export function pairOf({ bbb, turn }: Hosts): { readonly bbb: Host; readonly turn?: Host } {
  return { bbb: bbb!, ...(turn && { turn }) };
}

const dnsClouds = { hetzner: "hetzner", route53: "aws" } as const;

/**
 * Chooses the clouds, as the only place that does; a cloud's package is loaded only if the settings use it.
 *
 * @param args Hosts to be made.
 * @param opts Options of their resources and of the look-ups.
 * @throws SettingsError with everything that the clouds lack, before anything is made
 */
export async function lookUpClouds(
  settings: Settings,
  args: readonly HostArgs[],
  opts: LookUpOptions,
): Promise<Clouds> {
  const { dns, domain, labels } = settings;
  const box = settings.backup?.box;
  const cloud = once((name: CloudName) => loadCloud(name, settings, args, opts));
  const findHosts = once((name: CloudName) =>
    cloud(name).findHosts(args.filter((host) => host.cloud === name)),
  );
  const used = [
    ...new Set([...(dns === "manual" ? [] : [dnsClouds[dns]]), ...args.map((host) => host.cloud)]),
  ];
  const ownAddresses = async () => {
    const found = await waitForLookUps(used.map((name) => cloud(name).findAddresses()));
    return new Set(found.flat().map(canonicalAddress));
  };
  const byHand = async () => {
    await warnOfDeletedRecords(settings);
    return manualDns;
  };
  // A package that is missing is told before anything is asked.
  for (const name of used) cloud(name);
  const storageBoxes = box && loadStorageBoxes();

  const [zone, storageBox, ...found] = await refuseProblems(
    waitForLookUps([
      dns === "manual" ? byHand() : cloud(dnsClouds[dns]).findZone({ domain, hosts: args, ownAddresses }),
      box && storageBoxes ? storageBoxes.findStorageBox(box, labels, opts) : Promise.resolve(undefined),
      ...args.map((host) => findHosts(host.cloud)),
    ]),
    settings,
  );
  return {
    dns: zone,
    storageBox,
    hosts(operatorKey, hooks) {
      const maker = once((makers: (typeof found)[number]) => makers(operatorKey));
      return Object.fromEntries(
        args.map((host, i) => [
          host.name,
          maker(found[i]!)(named(`${host.name}-host`, settings.labels), { ...host, hooks }),
        ]),
      );
    },
  };
}

/* eslint-disable @typescript-eslint/no-require-imports -- an import at the top would load every cloud's package */

function loadCloud(
  name: CloudName,
  settings: Settings,
  hosts: readonly HostArgs[],
  opts: LookUpOptions,
): Cloud {
  return loaded(name, () => {
    switch (name) {
      case "hetzner":
        return (require("./hetzner") as typeof import("./hetzner")).hetznerCloud(settings, opts);
      case "aws":
        return (require("./aws") as typeof import("./aws")).awsCloud(settings, hosts, opts);
    }
  });
}

function loadStorageBoxes(): typeof StorageBoxes {
  return loaded("hetzner", () => require("./hetzner/storageBox") as typeof StorageBoxes);
}

/** Loads what belongs to a cloud. @throws RunError if its package is missing */
function loaded<T>(name: CloudName, load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (!isMissing(error)) throw error;
    const reason = /Cannot find module( '[^']*')?/.exec(error.message)?.[0] ?? error.message;
    throw new pulumi.RunError(
      `The settings use ${name}, whose package is not installed: ${reason}. Run npm ci without --omit=optional.`,
    );
  }
}

/** True for the error about a missing package, in the words of Node or of ts-node, which checks the types before. */
function isMissing(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { code, diagnosticCodes } = error as { code?: unknown; diagnosticCodes?: readonly unknown[] };
  return code === "MODULE_NOT_FOUND" || diagnosticCodes?.includes(2307) === true;
}

/** Memoizes `make`. */
function once<K, V>(make: (key: K) => V): (key: K) => V {
  const made = new Map<K, V>();
  return (key) => {
    if (!made.has(key)) made.set(key, make(key));
    return made.get(key) as V;
  };
}
