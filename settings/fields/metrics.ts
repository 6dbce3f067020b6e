import { z } from "zod";

import { removeCommand, setCommand } from "../remedies";
import { isUrl, must, text, textThat, type Fields } from "./field";
import { group, passOn } from "./group";
import { networks } from "./networks";

/** Number of networks that leaves room for those of SSH in every cloud's firewall. */
const MOST_NETWORKS = 20;

const advice = (path: string, example: string) => setCommand(`--path 'metrics.${path}'`, example);

const settings = group("metrics", {
  networks: networks("metrics.networks")
    .superRefine(
      must((given) =>
        given.length > MOST_NETWORKS
          ? {
              reason: `has ${given.length}; there is room for ${MOST_NETWORKS}`,
              remedy: "name the addresses of the monitoring only",
            }
          : undefined,
      ),
    )
    .default([]),
  rotateToken: textThat((value) =>
    /^[\x20-\x7e]{1,100}$/.test(value)
      ? undefined
      : { reason: "must be at most 100 ASCII characters", remedy: advice("rotateToken", "2026-12-01") },
  ).default(""),
  exporterUrl: textThat((value) =>
    isUrl(value, "https:", "http:")
      ? undefined
      : {
          reason: `"${value}" is not an http or https URL`,
          remedy: removeCommand("--path 'metrics.exporterUrl'"),
        },
  ).optional(),
  exporterSha256: text
    .transform((value) => value.toLowerCase())
    .superRefine(
      must((value) =>
        /^[0-9a-f]{64}$/.test(value)
          ? undefined
          : {
              reason: "must be the 64 hexadecimal digits of a SHA-256",
              remedy: removeCommand("--path 'metrics.exporterSha256'"),
            },
      ),
    )
    .optional(),
});

/** Settings of the metrics. */
export type MetricsSettings = z.output<typeof settings>;

export const metrics = {
  metrics: {
    type: "boolean or object",
    default: false,
    example: "true",
    description:
      "Offers the servers' numbers to Prometheus over HTTPS, for whoever has the token. Among them are meetings, participants, recordings, processor, disk, network, relays. true, or an object of networks (CIDRs that alone may ask), rotateToken (any text; a new one makes a new token), exporterUrl and exporterSha256 (another place or version of the exporter): docs/metrics.md.",
    schema: z.unknown().transform((value, context): MetricsSettings | undefined => {
      if (value === false) return undefined;
      if (value !== true && (typeof value !== "object" || Array.isArray(value))) {
        context.addIssue({ code: "custom", message: "must be true or false, or an object" });
        return z.NEVER;
      }
      const result = settings.safeParse(value === true ? {} : value);
      if (result.success) return result.data;
      for (const issue of result.error.issues) passOn(issue, context);
      return z.NEVER;
    }),
    remedy: `${setCommand("metrics", "true")}, or ${advice("networks[0]", "YOUR-ADDRESS/32")}, or ${removeCommand("metrics")}`,
  },
} as const satisfies Fields;
