import { AsyncResource } from "node:async_hooks";

import * as pulumi from "@pulumi/pulumi";

import type { Host } from "../clouds/host";
import { named } from "../clouds/names";
import type { Settings } from "../settings";
import { giveCertificate, keepCertificate } from "../steps/keptCertificate";

/**
 * Copies of the certificates of a pool's servers, which the balancer keeps: a server that goes and comes back gets its former
 * one, and no new order. Without a copy it gets another from the authority.
 */
export class NodeCertificates {
  private readonly tell = AsyncResource.bind((text: string) => pulumi.log.warn(text));

  constructor(
    private readonly balancer: Host,
    private readonly settings: Pick<Settings, "labels" | "bbb">,
  ) {}

  /** Hook that copies the certificate of a server, which has been proven to work. */
  keep(name: string, node: Host): pulumi.ResourceHook {
    return this.hook(`keeps-the-certificate-of-${name}`, async () => {
      await keepCertificate(node, this.balancer).catch((error: unknown) =>
        this.tell(
          `no copy of the certificate of ${node.fqdn} is kept on the balancer (${reasonOf(error)}): if the server is made anew, it needs a new one`,
        ),
      );
    });
  }

  /** Hook that gives a new server the certificate that was kept for its name. */
  give(name: string, node: Host): pulumi.ResourceHook {
    return this.hook(`gives-its-certificate-to-${name}`, async ({ oldInputs }) => {
      if (oldInputs !== undefined) return;
      await giveCertificate(this.balancer, node).catch((error: unknown) =>
        this.tell(
          `whether the balancer has a certificate for ${node.fqdn} could not be asked (${reasonOf(error)}): the server gets a new one`,
        ),
      );
    });
  }

  private hook(
    name: string,
    callback: (args: pulumi.ResourceHookArgs) => Promise<void>,
  ): pulumi.ResourceHook {
    const { labels, bbb } = this.settings;
    const own = bbb.certificate.kind === "own";
    return new pulumi.ResourceHook(named(name, labels), (args) => (own ? undefined : callback(args)));
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
