import type { Settings } from "../config";
import { manualDns, type Dns } from "./dns";
import type { Host, OperatorKey, Role } from "./host";
import { hostArgs } from "./hostArgs";

/** What a deployment asks of the cloud that it runs on. */
export interface Cloud {
  /** Make the host of a role. */
  host(role: Role): Host;
  readonly dns: Dns;
}

/** The one place where a cloud is chosen; a cloud's package is loaded only where it is. */
export function openCloud(settings: Settings, operatorKey: OperatorKey): Cloud {
  const makeHost = hostMaker(settings, operatorKey);
  return {
    host: (role) => makeHost(`${role}-host`, hostArgs(settings, role)),
    dns: chooseDns(settings),
  };
}

/* eslint-disable @typescript-eslint/no-require-imports -- an import at the top would load every cloud's package */

function hostMaker({ placement, project, stack }: Settings, operatorKey: OperatorKey) {
  switch (placement.bbb.cloud) {
    case "hetzner": {
      const { hetznerHosts } = require("./hetznerHost") as typeof import("./hetznerHost");
      return hetznerHosts({ project, stack }, operatorKey);
    }
    case "aws":
      throw new Error("cloud: aws can't be deployed to yet; set it to hetzner");
  }
}

function chooseDns({ dns, domain }: Settings): Dns {
  switch (dns) {
    case "hetzner": {
      const { hetznerDns } = require("./hetznerDns") as typeof import("./hetznerDns");
      return hetznerDns(domain);
    }
    case "route53":
      throw new Error("dns: route53 can't be deployed to yet");
    case "manual":
      return manualDns;
  }
}
