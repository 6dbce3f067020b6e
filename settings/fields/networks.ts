import { parseNetwork, unreachableProblem } from "../formats/network";
import { setCommand } from "../remedies";
import { list, must } from "./field";

/** Checks a list of networks in CIDR form, and returns it canonical, each once. @param key e.g. "sshNetworks" */
export function networks(key: string) {
  return list(key, "networks in CIDR form", "YOUR-ADDRESS/32")
    .superRefine(
      must((networks) =>
        networks.map((network, i) => {
          const read = parseNetwork(network);
          const meant = "network" in read ? read.network : read.suggestion;
          const unreachable = meant === undefined ? undefined : unreachableProblem(meant);
          const result = unreachable ?? ("network" in read ? undefined : read);
          if (!result) return undefined;
          const remedy = setCommand(`--path '${key}[${i}]'`, result.suggestion ?? "YOUR-ADDRESS/32");
          return { reason: `has "${network}", which ${result.reason}`, remedy };
        }),
      ),
    )
    .transform((networks) => {
      const canonical = networks
        .map(parseNetwork)
        .flatMap((result) => ("network" in result ? [result.network] : []));
      return [...new Set(canonical)];
    });
}
