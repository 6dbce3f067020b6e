import { diskGb, type CloudName } from "../../bigbluebutton/capacity";
import type { Settings } from "../../settings";
import { publishedPrices } from "../plan/publishedPrices";

/** Size in GB of the snapshot of a BigBlueButton server that is assumed: what is used of its disk. */
const SNAPSHOT_GB = 10;

/** Cost of the BigBlueButton server of a month in which it runs, and of one in which it is parked. */
export interface Savings {
  readonly cloud: CloudName;
  readonly currency: string;
  /** Net, as decimal text with two digits: server and its backups. */
  readonly running: string;
  /** Net: what is kept of its disk. Addresses and volumes cost the same in both. */
  readonly parked: string;
  /** Name of what is kept. */
  readonly kept: string;
  /** Day of the prices, as YYYY-MM-DD. */
  readonly day: string;
}

/** Savings by published prices; null for a type or place without one. */
export function savingsOf({
  bbb: { cloud, serverType, location },
  backups,
}: Pick<Settings, "bbb" | "backups">): Savings | null {
  const {
    day,
    currency,
    servers,
    places,
    backupPercent = 0,
    gigabyte,
    snapshotGigabyte,
  } = publishedPrices[cloud];
  const price = places === undefined || places.includes(location) ? servers[serverType] : undefined;
  if (price === undefined) return null;
  // A stopped instance keeps its disk; elsewhere the disk is deleted with the server.
  const [kept, parked] =
    snapshotGigabyte === undefined
      ? [`its disk of ${diskGb.bbb} GB`, diskGb.bbb * gigabyte]
      : [`a snapshot of ${SNAPSHOT_GB} GB`, SNAPSHOT_GB * snapshotGigabyte];
  const disk = snapshotGigabyte === undefined ? parked : 0;
  const running = price + disk + (backups ? (price * backupPercent) / 100 : 0);
  return { cloud, currency, running: running.toFixed(2), parked: parked.toFixed(2), kept, day };
}

/** Savings in a sentence, for the plan and for whoever is asked. */
export function savingsText({ currency, running, parked, kept, day }: Savings): string {
  return (
    `Running, the BigBlueButton server costs about ${currency} ${running} a month; parked, about ${currency} ${parked}, for ${kept} ` +
    `(net, published prices of ${day}). Addresses and volumes cost the same in both.`
  );
}
