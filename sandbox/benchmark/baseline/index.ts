/** Smallest program that loads what the deployment loads and registers as many resources. */
import "fastest-levenshtein";
import "ipaddr.js";
import "shell-quote";
import "tldts";
import "xmlbuilder2";
import "yaml";
import "zod";

import * as command from "@pulumi/command";
import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";

// Pulumi's packages load a class when it is first used: those that the deployment uses.
export const loaded = [
  command.remote.Command,
  ...[hcloud.Firewall, hcloud.PrimaryIp, hcloud.Rdns, hcloud.Server, hcloud.SshKey],
  ...[hcloud.Volume, hcloud.VolumeAttachment, hcloud.ZoneRrset, hcloud.getLocation, hcloud.getZone],
  random.RandomPassword,
  tls.PrivateKey,
].length;

const config = new pulumi.Config();
for (let n = 0; n < config.requireNumber("components"); n++) {
  new pulumi.ComponentResource("benchmark:index:Component", `component-${n}`);
}
for (let n = 0; n < config.requireNumber("custom"); n++) new random.RandomUuid(`custom-${n}`);
