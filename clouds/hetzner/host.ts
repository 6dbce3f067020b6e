import type { types } from "@pulumi/command";
import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";

import { portRange } from "../../bigbluebutton/ports";
import type { ChildOptions, Host, HostArgs, HostMaker, OperatorKey, Role, Standing } from "../host";
import { hostAccess } from "../access";
import { firstAddress } from "./addresses";
import { hetznerLabels, hostSelector } from "./labels";
import { leftoverCheck } from "./leftovers";
import { parkedCheck } from "./parked";
import { named, ownerName } from "../names";
import { spreadGroups } from "../spread";
import { valueOf } from "../valueOf";

/** Most servers of a placement group (https://docs.hetzner.com/cloud/placement-groups/overview). */
const SERVERS_IN_GROUP = 10;

const ANYWHERE = ["0.0.0.0/0", "::/0"];

/** Arguments of a {@link HetznerHost}. */
export interface HetznerHostArgs extends HostArgs {
  readonly operatorKey: OperatorKey;
  /** Key of the operator at Hetzner; one for all hosts, since Hetzner accepts each key once a project. */
  readonly sshKey: hcloud.SshKey;
  /** Group whose servers run on different machines. @default none */
  readonly placementGroup?: hcloud.PlacementGroup;
}

/**
 * Host at Hetzner Cloud: a server with addresses of its own, a firewall, reverse DNS and, if asked for, a data volume.
 *
 * The addresses and the volume outlive the server. Its name is the host's, which is unique, being its DNS name.
 */
class HetznerHost extends pulumi.ComponentResource implements Host {
  readonly role: Role;
  readonly fqdn: string;
  readonly user = "root";
  readonly ipv4: pulumi.Output<string>;
  readonly ipv6: pulumi.Output<string>;
  readonly authorizedKeys: pulumi.Output<string[]>;
  readonly connection: pulumi.Output<types.input.remote.ConnectionArgs>;
  readonly server: hcloud.Server;
  readonly standing: () => Promise<Standing>;
  readonly dataDevice?: pulumi.Output<string>;
  readonly attachVolume: (after: pulumi.Resource) => pulumi.Resource | undefined;
  readonly dependsOn: readonly pulumi.Resource[];

  constructor(name: string, args: HetznerHostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bbb:index:HetznerHost", name, {}, opts);
    const parent = this as pulumi.Resource;
    const labels = hetznerLabels(args.labels);
    const beforeCreate = [leftoverCheck(args.labels, { parent })];
    this.role = args.role;
    this.fqdn = args.fqdn;

    const primaryIpv4 = createPrimaryIp("ipv4");
    const primaryIpv6 = createPrimaryIp("ipv6");
    this.ipv4 = primaryIpv4.ipAddress;
    this.ipv6 = primaryIpv6.ipAddress.apply(firstAddress);
    const reverseDns = [
      createReverseDns("ipv4", primaryIpv4, this.ipv4),
      createReverseDns("ipv6", primaryIpv6, this.ipv6),
    ];

    const access = hostAccess(name, { ...args, user: this.user }, parent);
    this.authorizedKeys = access.authorizedKeys;
    this.server = createServer(createFirewall());
    this.connection = access.connect(this.ipv4);
    this.standing = async () => {
      const withSelector = hostSelector(args.labels);
      const { servers } = await hcloud.getServers({ withSelector }, { parent });
      const id = await valueOf(this.server.id);
      const found = servers.find((server) => String(server.id) === id);
      return found === undefined ? "gone" : found.status === "off" ? "off" : "there";
    };

    const volumeId = createVolume(this.server);
    this.dataDevice = volumeId && pulumi.interpolate`/dev/disk/by-id/scsi-0HC_Volume_${volumeId}`;
    this.attachVolume = (after) => volumeId && attach(volumeId, this.server, after);
    // Where a server's removal is refused, these stay also.
    this.dependsOn = [this.server, ...reverseDns];

    this.registerOutputs({ ipv4: this.ipv4, ipv6: this.ipv6 });

    function createPrimaryIp(type: "ipv4" | "ipv6"): hcloud.PrimaryIp {
      return new hcloud.PrimaryIp(
        `${name}-${type}`,
        {
          // Another location makes another address, ahead of the server that it is for and beside the old one.
          name: `${args.fqdn}-${type}-${args.location}`,
          type,
          location: args.location,
          autoDelete: false,
          deleteProtection: args.protected,
          labels,
        },
        // Where Hetzner refuses the new one, nothing is gone yet.
        { parent, deleteBeforeReplace: false, protect: args.protected, hooks: { beforeCreate } },
      );
    }

    function createReverseDns(
      suffix: string,
      primaryIp: hcloud.PrimaryIp,
      address: pulumi.Output<string>,
    ): hcloud.Rdns {
      return new hcloud.Rdns(
        `${name}-rdns-${suffix}`,
        { primaryIpId: numericId(primaryIp), ipAddress: address, dnsPtr: args.fqdn },
        { parent },
      );
    }

    function createFirewall(): hcloud.Firewall {
      const inbound = { direction: "in", sourceIps: ANYWHERE };
      return new hcloud.Firewall(
        `${name}-firewall`,
        {
          name: args.fqdn,
          labels,
          rules: [
            {
              ...inbound,
              protocol: "tcp",
              port: "22",
              sourceIps: [...args.sshNetworks],
              description: "SSH: the operator's networks only",
            },
            { ...inbound, protocol: "icmp", description: "ICMP: path MTU discovery, ping" },
            ...args.ports.map((rule) => ({
              ...inbound,
              protocol: rule.protocol,
              port: portRange(rule),
              ...(rule.sources && { sourceIps: [...rule.sources] }),
              description: rule.role,
            })),
          ],
        },
        { parent, hooks: { beforeCreate } },
      );
    }

    function createServer(firewall: hcloud.Firewall): hcloud.Server {
      return new hcloud.Server(
        `${name}-server`,
        {
          name: args.fqdn,
          serverType: args.serverType,
          image: args.image,
          location: args.location,
          publicNets: [
            {
              ipv4Enabled: true,
              ipv4: numericId(primaryIpv4),
              ipv6Enabled: true,
              ipv6: numericId(primaryIpv6),
            },
          ],
          firewallIds: [numericId(firewall)],
          sshKeys: [args.sshKey.id],
          placementGroupId: args.placementGroup && numericId(args.placementGroup),
          userData: access.userData,
          // A larger disk would make the way back to a smaller type impossible.
          keepDisk: true,
          // What is mounted is written out before Hetzner takes the volume from a server that is deleted.
          shutdownBeforeDeletion: args.volume ? true : undefined,
          backups: args.backups,
          deleteProtection: args.protected,
          rebuildProtection: args.protected,
          labels,
        },
        {
          parent,
          protect: args.protected,
          hooks: { ...args.hooks, beforeCreate: [...beforeCreate, parkedCheck(args, { parent })] },
          // Its name is taken as long as it is there.
          deleteBeforeReplace: true,
          // Each of them would replace the server; what may change in them, a step brings to the host. Only a server that is
          // off can join a group.
          ignoreChanges: [
            "userData",
            "sshKeys",
            "image",
            ...(args.placementGroup ? ["placementGroupId"] : []),
          ],
        },
      );
    }

    function createVolume(server: hcloud.Server): pulumi.Output<string> | undefined {
      const { volume } = args;
      if (!volume) return undefined;
      if (volume.kind === "adopted") return pulumi.output(volume.id);
      const { sizeGb, protected: protect } = volume;
      return new hcloud.Volume(
        `${name}-volume`,
        {
          name: `${args.fqdn}-${args.role === "turn" ? "data" : "recordings"}`,
          size: sizeGb,
          location: args.location,
          deleteProtection: protect,
          labels,
        },
        // In another location it is replaced, too, but not before the server that has it is gone. One that is protected is
        // never replaced, and what it depends on would stay with it at a destroy.
        { parent, protect, dependsOn: protect ? [] : [server], hooks: { beforeCreate } },
      ).id;
    }

    function attach(
      volumeId: pulumi.Output<string>,
      server: hcloud.Server,
      after: pulumi.Resource,
    ): hcloud.VolumeAttachment {
      const { volume } = args;
      return new hcloud.VolumeAttachment(
        `${name}-volume-attachment`,
        { volumeId: volumeId.apply(Number), serverId: numericId(server), automount: false },
        // Where both stay, so does what is between them: a server that runs must not lose a disk that is in use.
        {
          parent,
          dependsOn: [after],
          deleteBeforeReplace: true,
          // A volume is not taken from a server that is about to be deleted, which is shut down first, with all that is
          // mounted: by its number the attachment would go ahead of it.
          ignoreChanges: ["serverId"],
          replacementTrigger: server.id,
          protect: args.protected && volume?.kind === "new" && volume.protected,
        },
      );
    }
  }
}

/**
 * Returns a maker of hosts at Hetzner Cloud that share the operator's key.
 *
 * @param labels Labels of the deployment, without a role.
 * @param images Ids of the images for new servers, by host, where they are not the arguments' own.
 */
export function hetznerHosts(
  labels: Readonly<Record<string, string>>,
  operatorKey: OperatorKey,
  images: ReadonlyMap<Role, string | undefined>,
  { parent }: ChildOptions,
): HostMaker {
  const sshKey = new hcloud.SshKey(
    named("operator", labels),
    {
      name: ownerName(labels),
      publicKey: operatorKey.publicKey,
      labels: hetznerLabels({ ...labels, role: "operator" }),
    },
    // The provider would create a replacement first and fail on the name.
    { parent, deleteBeforeReplace: true, hooks: { beforeCreate: [leftoverCheck(labels, { parent })] } },
  );
  const groupOf = spreadGroups(
    SERVERS_IN_GROUP,
    (number) =>
      new hcloud.PlacementGroup(
        named(`spread-${number}`, labels),
        {
          name: `${ownerName(labels)}-spread-${number}`,
          type: "spread",
          labels: hetznerLabels({ ...labels, role: "bbb" }),
        },
        { parent, hooks: { beforeCreate: [leftoverCheck(labels, { parent })] } },
      ),
  );
  return (name, args) => {
    const image = images.get(args.role) ?? args.image;
    const placementGroup = groupOf(args.spread);
    return new HetznerHost(name, { ...args, image, operatorKey, sshKey, placementGroup }, { parent });
  };
}

/** Numeric id of a resource: most references between Hetzner's resources are numbers, and Pulumi's ids are text. */
function numericId(resource: pulumi.CustomResource): pulumi.Output<number> {
  return resource.id.apply(Number);
}
