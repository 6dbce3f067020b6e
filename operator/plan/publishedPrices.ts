/**
 * Published prices, for a plan without an account. They change: a plan names their day and their source.
 *
 * Net, without traffic beyond what is included, a month of 730 hours.
 */
import type { CloudName } from "../../bigbluebutton/capacity";

/** Price list of a cloud. */
export interface PublishedPrices {
  /** Day from which they hold, or on which they were read, as YYYY-MM-DD. */
  readonly day: string;
  readonly sources: readonly string[];
  readonly currency: "EUR" | "USD";
  /** Places where they hold, in words. */
  readonly holds: string;
  /** Locations or regions where they hold; undefined where they are an estimate everywhere. */
  readonly places?: readonly string[];
  /** Price of a server a month, by its type. */
  readonly servers: Readonly<Record<string, number>>;
  /** Price of a public IPv4 address a month; IPv6 is free. */
  readonly ipv4: number;
  /** Price of a gigabyte of a volume a month; at EC2 of a root disk, too. */
  readonly gigabyte: number;
  /** Prices of Storage Boxes a month, by their types; undefined at a cloud without any. */
  readonly storageBoxes?: { readonly source: string; readonly prices: Readonly<Record<string, number>> };
  /** Price of a gigabyte of a server's snapshot a month; undefined where a server is stopped in place of that. */
  readonly snapshotGigabyte?: number;
  /** Share of a server's price for its backups, in percent; undefined where snapshots are billed by what changes. */
  readonly backupPercent?: number;
}

/** Hours that a month has in bills. */
const HOURS = 730;

export const publishedPrices: Readonly<Record<CloudName, PublishedPrices>> = {
  hetzner: {
    day: "2026-06-15",
    sources: ["https://www.hetzner.com/cloud"],
    currency: "EUR",
    holds: "for new orders in Germany and Finland",
    places: ["fsn1", "nbg1", "hel1"],
    servers: {
      ...{ cx23: 5.99, cx33: 8.99, cx43: 16.49, cx53: 29.99 },
      ...{
        cpx02: 6.49,
        cpx12: 11.99,
        cpx22: 19.99,
        cpx32: 35.99,
        cpx42: 69.99,
        cpx52: 100.99,
        cpx62: 130.49,
      },
      ...{ ccx13: 43.49, ccx23: 86.49, ccx33: 138.99, ccx43: 276.49, ccx53: 533.99, ccx63: 853.99 },
    },
    ipv4: 0.5,
    gigabyte: 0.0572,
    // Read on 2026-07-30.
    storageBoxes: { source: "https://www.hetzner.com/storage/storage-box", prices: { bx11: 3.2 } },
    snapshotGigabyte: 0.0143,
    backupPercent: 20,
  },
  aws: {
    day: "2026-10-08",
    sources: ["https://aws.amazon.com/ec2/pricing/on-demand/", "https://aws.amazon.com/ebs/pricing/"],
    currency: "USD",
    holds: "in us-east-1, on demand; other regions ask up to a quarter more",
    servers: {
      "c7a.large": 0.10264 * HOURS,
      "c7a.xlarge": 0.20528 * HOURS,
      "c7a.2xlarge": 0.41056 * HOURS,
      "c7a.4xlarge": 0.82112 * HOURS,
      "c7a.8xlarge": 1.64224 * HOURS,
    },
    ipv4: 0.005 * HOURS,
    gigabyte: 0.08,
  },
};
