/** Monthly cost by published prices, for a plan without an account. */
import { defaultServerTypes, diskGb, type CloudName } from "../../bigbluebutton/capacity";
import { environments } from "../../settings/environments";
import type { Settings } from "../../settings";
import { publishedPrices } from "./publishedPrices";

/** Something with a price. */
export type Billable = {
  /** Name in a bill. */
  readonly what: string;
} & (
  | { readonly server: string; readonly place: string; readonly backups?: string }
  | { readonly addresses: number }
  | { readonly gigabytes: number }
  | { readonly storageBox: string }
);

/** Bill of a month by published prices: net, as decimal text with two digits. */
export interface Estimate {
  /** Day of the prices, as YYYY-MM-DD. */
  readonly day: string;
  readonly sources: readonly string[];
  readonly currency: string;
  /** Places where the prices hold. */
  readonly holds: string;
  readonly positions: readonly { readonly what: string; readonly net: string }[];
  readonly sum: string;
  /** Names of things without a price here, which the sum lacks. */
  readonly missing: readonly string[];
}

/**
 * Estimates a month at a cloud.
 *
 * @param others Names of things that cost something and have no published price here.
 */
export function estimate(
  cloud: CloudName,
  billables: readonly Billable[],
  others: readonly string[] = [],
): Estimate {
  const { day, sources, currency, holds, storageBoxes } = publishedPrices[cloud];
  const ofBoxes = storageBoxes && billables.some((one) => "storageBox" in one) ? [storageBoxes.source] : [];
  const priced = billables.flatMap((one) => pricesOf(cloud, one));
  const positions = priced.flatMap(({ what, cents }) =>
    cents === undefined || cents === 0 ? [] : [{ what, net: text(cents) }],
  );
  const sum = priced.reduce((all, { cents = 0 }) => all + cents, 0);
  const missing = priced.filter(({ cents }) => cents === undefined).map(({ what }) => what);
  return {
    day,
    sources: [...sources, ...ofBoxes],
    currency,
    holds,
    positions,
    sum: text(sum),
    missing: [...missing, ...others],
  };
}

/** Prices in cents, so that the sum is that of the positions as shown. */
function pricesOf(
  cloud: CloudName,
  one: Billable,
): readonly { readonly what: string; readonly cents: number | undefined }[] {
  const { servers, ipv4, gigabyte, storageBoxes, places, backupPercent = 0 } = publishedPrices[cloud];
  const { what } = one;
  if ("addresses" in one) return [{ what, cents: cents(ipv4 * one.addresses) }];
  if ("gigabytes" in one) return [{ what, cents: cents(gigabyte * one.gigabytes) }];
  if ("storageBox" in one) {
    const price = storageBoxes?.prices[one.storageBox];
    return [{ what, cents: price === undefined ? undefined : cents(price) }];
  }
  const holds = places === undefined || places.includes(one.place);
  const price = holds ? servers[one.server] : undefined;
  const server = { what, cents: price === undefined ? undefined : cents(price) };
  if (one.backups === undefined || price === undefined) return [server];
  return [server, { what: one.backups, cents: cents((price * backupPercent) / 100) }];
}

const cents = (amount: number): number => Math.round(amount * 100);
const text = (amount: number): string => (amount / 100).toFixed(2);

/** Estimates of a month of the same deployment at each cloud, with that cloud's default server types. */
export function comparison({
  environment,
  turn,
  recordings,
  backups,
  pool,
}: Settings): readonly (Estimate & { readonly cloud: CloudName })[] {
  const roles = [
    ...Array.from({ length: pool?.nodes ?? 1 }, () => "bbb" as const),
    ...(turn.kind === "own" ? (["turn"] as const) : []),
    ...(pool ? (["balancer"] as const) : []),
  ];
  const { size } = environments[environment];
  const gigabytes = recordings?.kind === "new" ? recordings.sizeGb : 0;
  return (["hetzner", "aws"] as const).map((cloud) => {
    const place = publishedPrices[cloud].places?.[0] ?? "";
    // EC2's server types have no disk of their own.
    const disks = cloud === "aws" ? roles.reduce((sum, role) => sum + diskGb[role], 0) : 0;
    const billables: Billable[] = [
      ...roles.map((role) => ({
        what: `${role} server`,
        server: defaultServerTypes[cloud][size][role],
        place,
        ...(backups && !pool && role === "bbb" && { backups: "backups" }),
      })),
      { what: "addresses", addresses: roles.length },
      { what: "volumes", gigabytes: gigabytes + disks },
    ];
    return { cloud, ...estimate(cloud, billables) };
  });
}
