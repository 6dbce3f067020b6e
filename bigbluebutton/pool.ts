/** Names of a pool's nodes: BigBlueButton servers behind one balancer, which has the pool's own name. */

/** Most nodes of a pool: each is a certificate, of which Let's Encrypt issues 50 a week for a domain. */
export const MAX_NODES = 50;

/** Name of a node in the deployment, e.g. "bbb-2". @param number From 1 on; it is the node's for good. */
export function nodeName(number: number): string {
  return `bbb-${number}`;
}

/** Full name of a node, e.g. "meet-2.example.org" for the pool "meet.example.org". */
export function nodeFqdn(poolFqdn: string, number: number): string {
  const [label = "", ...rest] = poolFqdn.split(".");
  return [`${label}-${number}`, ...rest].join(".");
}

/** Numbers of the nodes of a pool. */
export function nodeNumbers(nodes: number): readonly number[] {
  return Array.from({ length: nodes }, (_, i) => i + 1);
}
