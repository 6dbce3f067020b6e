/** Monthly cost of a deployment, in the same words for every cloud. */
import type { CloudName } from "../../bigbluebutton/capacity";
import type { Estimate } from "./estimate";

/** Amount as decimal text with two digits, in the price list's currency. */
export interface Amount {
  readonly net: string;
  /** Amount with value added tax. */
  readonly gross: string;
}

export interface Position extends Amount {
  readonly what: string;
}

export type Price =
  | {
      readonly cloud: CloudName;
      readonly asked: true;
      /** Time of the price list, in ISO 8601. */
      readonly at: string;
      readonly currency: string;
      readonly vatPercent: string;
      readonly positions: readonly Position[];
      readonly sum: Amount;
      /** Gaps of the list, and its notes beside prices. */
      readonly remarks: readonly string[];
    }
  | {
      readonly cloud: CloudName;
      readonly asked: false;
      readonly why: string;
      /** True when the list was asked, but did not answer. */
      readonly failed: boolean;
      /** Items with a price. */
      readonly positions: readonly string[];
      /** Bill by published prices. */
      readonly estimate: Estimate;
    };
