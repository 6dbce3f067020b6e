import type { types } from "@pulumi/command";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

import { diskGb } from "../../bigbluebutton/capacity";
import { awsFirewall, type AwsFirewall } from "./firewall";
import type { AwsPlacement } from "./placement";
import { dailySnapshots } from "./snapshots";
import { awsTags, snapshotTag } from "./tags";
import type { Host, HostArgs, HostMaker, OperatorKey, Role, Standing } from "../host";
import { hostAccess } from "../access";
import { named, ownerName } from "../names";
import { spreadGroups } from "../spread";
import { valueOf } from "../valueOf";

/**
 * Most running instances of a spread placement group in an availability zone, which a deployment has one of
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/limitations-placement-groups.html).
 */
const INSTANCES_IN_GROUP = 7;

/** Arguments of an {@link AwsHost}. */
export interface AwsHostArgs extends HostArgs {
  readonly operatorKey: OperatorKey;
  /** Key of the operator in EC2, and its name there. */
  readonly keyPair: aws.ec2.KeyPair;
  readonly keyName: string;
  readonly placement: AwsPlacement;
  /** Group whose instances run on different racks. @default none */
  readonly placementGroup?: aws.ec2.PlacementGroup;
  readonly provider: aws.Provider;
}

/**
 * Host at AWS: an EC2 instance with an Elastic IP, a network interface, a security group and, if asked for, an EBS
 * volume.
 *
 * Address, interface and volume outlive the instance. A replacement keeps its records, its private and its IPv6 address
 * and its recordings. Behind the Elastic IP's translation the host itself has only the private address.
 */
class AwsHost extends pulumi.ComponentResource implements Host {
  readonly role: Role;
  readonly fqdn: string;
  /** Default user of Canonical's images, which allow no log-in as root. */
  readonly user = "ubuntu";
  readonly ipv4: pulumi.Output<string>;
  readonly ipv6?: pulumi.Output<string>;
  readonly privateIpv4: pulumi.Output<string>;
  readonly authorizedKeys: pulumi.Output<string[]>;
  readonly connection: pulumi.Output<types.input.remote.ConnectionArgs>;
  readonly server: aws.ec2.Instance;
  readonly standing: () => Promise<Standing>;
  readonly dataDevice?: pulumi.Output<string>;
  readonly dependsOn: readonly pulumi.Resource[];

  constructor(name: string, args: AwsHostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bbb:index:AwsHost", name, {}, opts);
    const { fqdn, labels, provider, placement } = args;
    const mine = { parent: this as pulumi.Resource, provider };
    const kept = { ...mine, protect: args.protected };
    this.role = args.role;
    this.fqdn = fqdn;

    const elasticIp = new aws.ec2.Eip(`${name}-ipv4`, { domain: "vpc", tags: tags() }, kept);
    const firewall = awsFirewall(`${name}-firewall`, { ...args, vpcId: placement.subnet.vpcId }, mine);
    const networkInterface = createInterface(firewall);
    const address = associate();
    this.ipv4 = elasticIp.publicIp;
    this.privateIpv4 = networkInterface.privateIp;
    this.ipv6 = placement.subnet.ipv6
      ? networkInterface.ipv6Addresses.apply(([first]) => first ?? "")
      : undefined;

    const access = hostAccess(name, { ...args, user: this.user }, this);
    this.authorizedKeys = access.authorizedKeys;
    this.server = createServer();
    this.connection = access.connect(this.ipv4);
    this.standing = async () => {
      const filters = [{ name: "instance-id", values: [await valueOf(this.server.id)] }];
      const isIn = async (...instanceStateNames: string[]) =>
        (await aws.ec2.getInstances({ filters, instanceStateNames }, mine)).ids.length > 0;
      if (await isIn("pending", "running")) return "there";
      return (await isIn("stopping", "stopped")) ? "off" : "gone";
    };

    const volume = createVolume();
    this.dataDevice = volume?.id.apply(deviceOf);
    const attached = volume ? [attach(volume, this.server)] : [];
    this.dependsOn = [this.server, address, ...firewall.rules, ...attached];

    this.registerOutputs({ ipv4: this.ipv4, ipv6: this.ipv6, privateIpv4: this.privateIpv4 });

    function tags(what?: string): Record<string, string> {
      return awsTags({ name: what ? `${fqdn} ${what}` : fqdn, labels });
    }

    function createInterface({ group }: AwsFirewall): aws.ec2.NetworkInterface {
      return new aws.ec2.NetworkInterface(
        `${name}-interface`,
        {
          subnetId: placement.subnet.id,
          securityGroups: [group.id],
          ipv6AddressCount: placement.subnet.ipv6 ? 1 : undefined,
          description: fqdn,
          tags: tags(),
        },
        // A host stays in its subnet, even where a new one would go elsewhere.
        { ...kept, ignoreChanges: ["subnetId"] },
      );
    }

    function associate(): aws.ec2.EipAssociation {
      return new aws.ec2.EipAssociation(
        `${name}-address`,
        { allocationId: elasticIp.allocationId, networkInterfaceId: networkInterface.id },
        // An address leads to one interface at a time.
        { ...kept, deleteBeforeReplace: true },
      );
    }

    function createServer(): aws.ec2.Instance {
      return new aws.ec2.Instance(
        `${name}-server`,
        {
          ami: placement.images.get(args.role),
          instanceType: args.serverType,
          keyName: args.keyName,
          placementGroup: args.placementGroup?.name,
          primaryNetworkInterface: { networkInterfaceId: networkInterface.id },
          metadataOptions: {
            httpEndpoint: "enabled",
            // IMDSv2 only, and no container's network is near enough.
            httpTokens: "required",
            httpPutResponseHopLimit: 1,
          },
          rootBlockDevice: {
            volumeType: "gp3",
            volumeSize: diskGb[args.role],
            encrypted: true,
            deleteOnTermination: true,
            tags: { ...tags("disk"), ...(args.backups ? snapshotTag(labels) : {}) },
          },
          userData: access.userData,
          userDataReplaceOnChange: false,
          disableApiTermination: args.protected,
          tags: tags(),
        },
        {
          ...kept,
          hooks: args.hooks,
          // For the key's name, which must not make the instance follow when the key is replaced.
          dependsOn: [args.keyPair],
          // An interface is in one instance at a time.
          deleteBeforeReplace: true,
          // User data would stop the server, the others would replace it; what may change in them, a step brings to the
          // host.
          ignoreChanges: ["ami", "userData", "keyName", ...(args.placementGroup ? ["placementGroup"] : [])],
        },
      );
    }

    function createVolume(): { readonly id: pulumi.Output<string>; readonly protect: boolean } | undefined {
      if (!args.volume) return undefined;
      const { volume } = args;
      if (volume.kind === "adopted") return { id: pulumi.output(volume.id), protect: false };
      const { sizeGb, protected: protect } = volume;
      const subnet = aws.ec2.getSubnetOutput({ id: networkInterface.subnetId }, mine);
      const { id } = new aws.ebs.Volume(
        `${name}-volume`,
        {
          availabilityZone: subnet.availabilityZone,
          size: sizeGb,
          type: "gp3",
          encrypted: true,
          tags: { ...tags(args.role === "turn" ? "data" : "recordings"), ...snapshotTag(labels) },
        },
        { ...mine, protect, ignoreChanges: ["availabilityZone"] },
      );
      return { id, protect };
    }

    function attach(
      volume: NonNullable<ReturnType<typeof createVolume>>,
      server: aws.ec2.Instance,
    ): aws.ec2.VolumeAttachment {
      return new aws.ec2.VolumeAttachment(
        `${name}-volume-attachment`,
        {
          deviceName: "/dev/sdf",
          volumeId: volume.id,
          instanceId: server.id,
          // A file system that is in use would keep the volume busy; a stopped server has written everything.
          stopInstanceBeforeDetaching: true,
        },
        // Where both stay, so does what is between them: a server that runs must not lose a disk that is in use.
        { ...mine, deleteBeforeReplace: true, protect: args.protected && volume.protect },
      );
    }
  }
}

/** Arguments of {@link awsHosts}. */
export interface AwsHostsArgs {
  /** Labels of the deployment, without a role. */
  readonly labels: Readonly<Record<string, string>>;
  /** All hosts that will be made. */
  readonly hosts: readonly HostArgs[];
  readonly placement: AwsPlacement;
  readonly operatorKey: OperatorKey;
  readonly provider: aws.Provider;
  readonly parent?: pulumi.Resource;
}

/** Returns a maker of hosts at AWS that share the operator's key and the schedule of snapshots. */
export function awsHosts(args: AwsHostsArgs): HostMaker {
  const { labels, hosts, placement, operatorKey, provider, parent } = args;
  const keyName = ownerName(labels);
  const keyPair = new aws.ec2.KeyPair(
    named("operator", labels),
    {
      keyName,
      publicKey: operatorKey.publicKey,
      tags: awsTags({ name: keyName, labels: { ...labels, role: "operator" } }),
    },
    // A replacement has the same name.
    { parent, provider, deleteBeforeReplace: true },
  );
  const days = Math.max(
    0,
    ...hosts.filter(({ volume, backups }) => volume || backups).map(({ snapshotDays }) => snapshotDays),
  );
  if (days > 0) dailySnapshots({ days, labels }, { parent, provider });
  const groupOf = spreadGroups(INSTANCES_IN_GROUP, (number) => {
    const name = `${keyName}-spread-${number}`;
    return new aws.ec2.PlacementGroup(
      named(`spread-${number}`, labels),
      { name, strategy: "spread", tags: awsTags({ name, labels: { ...labels, role: "bbb" } }) },
      { parent, provider },
    );
  });
  return (name, args) => {
    const placementGroup = groupOf(args.spread);
    const own = { ...args, operatorKey, keyPair, keyName, placement, placementGroup, provider };
    return new AwsHost(name, own, { parent });
  };
}

/**
 * Device of a volume on an instance of the Nitro generation under Ubuntu. Its id, without the dash, is the NVMe
 * device's serial number (https://docs.aws.amazon.com/ebs/latest/userguide/nvme-ebs-volumes.html).
 */
function deviceOf(volumeId: string): string {
  return `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volumeId.replace("-", "")}`;
}
