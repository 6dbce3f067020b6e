/** What a deployment costs a month, in the words that every cloud's prices are told in. */
import type { CloudName } from "../../bigbluebutton/capacity";

/** Decimal text with two digits, in the price list's currency. */
export interface Amount {
  readonly net: string;
  /** With value added tax. */
  readonly gross: string;
}

export interface Position extends Amount {
  readonly what: string;
}

export type Price =
  | {
      readonly cloud: CloudName;
      readonly asked: true;
      /** When the price list was asked, in ISO 8601. */
      readonly at: string;
      readonly currency: string;
      readonly vatPercent: string;
      readonly positions: readonly Position[];
      readonly sum: Amount;
      /** What the list does not have, or says beside prices. */
      readonly remarks: readonly string[];
    }
  | {
      readonly cloud: CloudName;
      readonly asked: false;
      readonly why: string;
      /** It was asked, but did not answer. */
      readonly failed: boolean;
      /** What costs something. */
      readonly positions: readonly string[];
    };
