/** Subnets, network interfaces, Elastic IPs and security groups over the official SDK. */
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateNetworkInterfaceCommand,
  DeleteNetworkInterfaceCommand,
  DeleteSecurityGroupCommand,
  DescribeAddressesCommand,
  DescribeImagesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeVpcsCommand,
  DetachNetworkInterfaceCommand,
  DisassociateAddressCommand,
  ModifyAddressAttributeCommand,
  ModifyNetworkInterfaceAttributeCommand,
  ReleaseAddressCommand,
  type IpPermission,
} from "@aws-sdk/client-ec2";
import ipaddr from "ipaddr.js";

import { useAccount } from "./harness";
import {
  JAMMY,
  makeAddress,
  makeGroup,
  makeInstance,
  makeInterface,
  NOBLE,
  openPort,
  subnetOf,
  subnets,
} from "./setUp";

const account = useAccount();

const within = (address: string, cidr: string): boolean =>
  ipaddr.parse(address).match(ipaddr.parseCIDR(cidr));

describe("what is there before anything is deployed", () => {
  test("the default VPC has IPv6 in its first zone and a way out, but for one subnet", async () => {
    const { Vpcs } = await account().clients.ec2.send(new DescribeVpcsCommand());
    expect(Vpcs).toHaveLength(1);
    expect(Vpcs![0]).toMatchObject({ IsDefault: true, CidrBlock: "172.31.0.0/16" });
    const block = Vpcs![0]!.Ipv6CidrBlockAssociationSet![0]!.Ipv6CidrBlock!;
    expect(block).toMatch(/^2001:db8:a[0-9a-f]{3}:[0-9a-f]{2}00::\/56$/);

    const all = await subnets(account());
    const ipv6 = all.filter((subnet) => subnet.Ipv6CidrBlockAssociationSet!.length > 0);
    expect(ipv6).toMatchObject([
      {
        AvailabilityZone: "eu-central-1a",
        Ipv6CidrBlockAssociationSet: [{ Ipv6CidrBlockState: { State: "associated" } }],
      },
    ]);
    expect(
      all
        .filter(({ DefaultForAz }) => DefaultForAz)
        .map(({ AvailabilityZone }) => AvailabilityZone)
        .sort(),
    ).toEqual(["eu-central-1a", "eu-central-1b", "eu-central-1c"]);

    const { RouteTables } = await account().clients.ec2.send(new DescribeRouteTablesCommand());
    const main = RouteTables!.find(({ Associations }) => Associations!.some(({ Main }) => Main));
    const other = RouteTables!.filter((table) => table !== main);
    const out = (cidr: string): unknown =>
      main!.Routes!.find((route) =>
        [route.DestinationCidrBlock, route.DestinationIpv6CidrBlock].includes(cidr),
      );
    expect(out("0.0.0.0/0")).toMatchObject({ GatewayId: expect.stringMatching(/^igw-/) });
    expect(out("::/0")).toMatchObject({ GatewayId: expect.stringMatching(/^igw-/) });
    const inside = all.find(({ DefaultForAz }) => !DefaultForAz);
    expect(other).toMatchObject([{ Associations: [{ SubnetId: inside!.SubnetId, Main: false }] }]);
    expect(other[0]!.Routes!.some(({ GatewayId }) => GatewayId?.startsWith("igw-"))).toBe(false);
  });

  test.each([NOBLE, JAMMY])("of %s there are several, all of them for servers on x86", async (name) => {
    const { Images } = await account().clients.ec2.send(
      new DescribeImagesCommand({
        Owners: ["099720109477"],
        Filters: [
          { Name: "name", Values: [name] },
          { Name: "architecture", Values: ["x86_64"] },
          { Name: "virtualization-type", Values: ["hvm"] },
          { Name: "root-device-type", Values: ["ebs"] },
        ],
      }),
    );
    expect(Images).toHaveLength(3);
    expect(new Set(Images!.map(({ CreationDate }) => CreationDate)).size).toBe(3);
    expect(Images![0]).toMatchObject({ OwnerId: "099720109477", RootDeviceName: "/dev/sda1" });
  });

  test("there are images of the same releases that are not meant", async () => {
    const { Images } = await account().clients.ec2.send(
      new DescribeImagesCommand({ Owners: ["099720109477"] }),
    );
    const names = Images!.map(({ Name }) => Name);
    for (const kind of ["-arm64-server", "-minimal-", "-pro-server-"])
      expect(names.filter((name) => name!.includes(kind))).not.toHaveLength(0);
    const amazons = await account().clients.ec2.send(new DescribeImagesCommand({ Owners: ["amazon"] }));
    expect(amazons.Images).toEqual([]);
  });
});

describe("network interfaces", () => {
  test("they get addresses of their subnet, each its own", async () => {
    const { CidrBlock, Ipv6CidrBlockAssociationSet } = await subnetOf(account());
    const made = [await makeInterface(account(), { ipv6: 1 }), await makeInterface(account(), { ipv6: 1 })];
    for (const { PrivateIpAddress, Ipv6Addresses } of made) {
      expect(within(PrivateIpAddress!, CidrBlock!)).toBe(true);
      // The sandbox's gateway.
      expect(PrivateIpAddress).not.toBe("172.31.1.1");
      expect(within(Ipv6Addresses![0]!.Ipv6Address!, Ipv6CidrBlockAssociationSet![0]!.Ipv6CidrBlock!)).toBe(
        true,
      );
    }
    expect(made[0]!.PrivateIpAddress).not.toBe(made[1]!.PrivateIpAddress);
    expect(made[0]!.Ipv6Addresses).not.toEqual(made[1]!.Ipv6Addresses);
  });

  test("where the subnet has no IPv6, none can be asked for", async () => {
    await expect(makeInterface(account(), { zone: "eu-central-1b", ipv6: 1 })).rejects.toMatchObject({
      name: "InvalidParameterValue",
      message: expect.stringContaining("does not have an IPv6 CIDR block"),
    });
    expect(await makeInterface(account(), { zone: "eu-central-1b" })).toMatchObject({ Ipv6Addresses: [] });
  });

  test("a security group that does not exist is refused", async () => {
    await expect(makeInterface(account(), { groups: ["sg-0123456789abcdef0"] })).rejects.toMatchObject({
      name: "InvalidGroup.NotFound",
    });
  });

  test("the same client token makes one", async () => {
    const { SubnetId } = await subnetOf(account());
    const order = new CreateNetworkInterfaceCommand({ SubnetId, ClientToken: "interface" });
    const first = await account().clients.ec2.send(order);
    const second = await account().clients.ec2.send(order);
    expect(second.NetworkInterface!.NetworkInterfaceId).toBe(first.NetworkInterface!.NetworkInterfaceId);
  });

  test("one in use can be neither deleted nor taken away", async () => {
    const { interfaceId } = await makeInstance(account());
    const remove = new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: interfaceId });
    await expect(account().clients.ec2.send(remove)).rejects.toMatchObject({
      name: "InvalidParameterValue",
      message: `Network interface '${interfaceId}' is currently in use.`,
    });
    const { NetworkInterfaces } = await account().clients.ec2.send(
      new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [interfaceId] }),
    );
    const { AttachmentId } = NetworkInterfaces![0]!.Attachment!;
    await expect(
      account().clients.ec2.send(new DetachNetworkInterfaceCommand({ AttachmentId, Force: true })),
    ).rejects.toMatchObject({
      name: "OperationNotPermitted",
      message: "The network interface at device index 0 and networkCard index 0 cannot be detached.",
    });
  });

  test("one that is deleted gives its Elastic IP back", async () => {
    const { NetworkInterfaceId } = await makeInterface(account());
    const { id } = await makeAddress(account(), NetworkInterfaceId);
    await account().clients.ec2.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId }));
    const { Addresses } = await account().clients.ec2.send(
      new DescribeAddressesCommand({ AllocationIds: [id] }),
    );
    expect(Addresses![0]!.AssociationId).toBeUndefined();
    await account().clients.ec2.send(new ReleaseAddressCommand({ AllocationId: id }));
  });
});

describe("Elastic IPs", () => {
  test("they are documentation addresses, and one that was released is not the next", async () => {
    const { id, ipv4 } = await makeAddress(account());
    expect(within(ipv4, "203.0.113.0/24")).toBe(true);
    await account().clients.ec2.send(new ReleaseAddressCommand({ AllocationId: id }));
    const next = await account().clients.ec2.send(new AllocateAddressCommand({ Domain: "vpc" }));
    expect(next.PublicIp).not.toBe(ipv4);
  });

  test("one in use is not released", async () => {
    const { NetworkInterfaceId } = await makeInterface(account());
    const { id, association } = await makeAddress(account(), NetworkInterfaceId);
    const release = new ReleaseAddressCommand({ AllocationId: id });
    await expect(account().clients.ec2.send(release)).rejects.toMatchObject({
      name: "InvalidIPAddress.InUse",
    });
    await account().clients.ec2.send(new DisassociateAddressCommand({ AssociationId: association }));
    await account().clients.ec2.send(release);
  });

  test("associating goes through to the host at once, and again without an effect", async () => {
    const { interfaceId, addressId, ipv4 } = await makeInstance(account());
    const other = await makeAddress(account());
    const associate = (
      AllocationId: string,
      AllowReassociation?: boolean,
    ): Promise<{ AssociationId?: string }> =>
      account().clients.ec2.send(
        new AssociateAddressCommand({ AllocationId, NetworkInterfaceId: interfaceId, AllowReassociation }),
      );
    const calls = account().recorder.of("setAddresses").length;
    const first = await associate(addressId);
    expect((await associate(addressId)).AssociationId).toBe(first.AssociationId);
    expect(account().recorder.of("setAddresses")).toHaveLength(calls);

    await expect(associate(other.id, false)).rejects.toMatchObject({ name: "Resource.AlreadyAssociated" });
    const { AssociationId } = await associate(other.id);
    expect(account().recorder.last("setAddresses")![1]).toMatchObject({ ipv4: other.ipv4 });
    const { Addresses } = await account().clients.ec2.send(
      new DescribeAddressesCommand({ AllocationIds: [addressId] }),
    );
    expect(Addresses![0]).not.toHaveProperty("AssociationId");

    await account().clients.ec2.send(new DisassociateAddressCommand({ AssociationId }));
    expect(account().recorder.last("setAddresses")![1]).not.toHaveProperty("ipv4", expect.any(String));
    await associate(addressId);
    expect(account().recorder.last("setAddresses")![1]).toMatchObject({ ipv4 });
  });

  test("reverse DNS is left out, and said to be", async () => {
    const { id } = await makeAddress(account());
    const order = new ModifyAddressAttributeCommand({ AllocationId: id, DomainName: "bbb.example-aws.test" });
    await expect(account().clients.ec2.send(order)).rejects.toMatchObject({
      name: "UnsupportedOperation",
      message: "the sandbox's AWS has no reverse DNS of Elastic IPs",
    });
  });
});

describe("security groups", () => {
  const permit = (group: string, permission: IpPermission): Promise<unknown> =>
    account().clients.ec2.send(
      new AuthorizeSecurityGroupIngressCommand({ GroupId: group, IpPermissions: [permission] }),
    );

  test("their rules become the host's, whatever their kind", async () => {
    const { group } = await makeInstance(account());
    const everyone = { IpRanges: [{ CidrIp: "0.0.0.0/0" }] };
    await permit(group, { IpProtocol: "udp", FromPort: 16384, ToPort: 32768, ...everyone });
    expect(account().recorder.last("setFirewall")![1]).toEqual([
      { protocol: "udp", ports: "16384-32768", sources: ["0.0.0.0/0"] },
    ]);
    await permit(group, { IpProtocol: "icmp", FromPort: -1, ToPort: -1, ...everyone });
    await permit(group, {
      IpProtocol: "icmpv6",
      FromPort: -1,
      ToPort: -1,
      Ipv6Ranges: [{ CidrIpv6: "::/0" }],
    });
    expect(account().recorder.last("setFirewall")![1]).toEqual(
      expect.arrayContaining([
        { protocol: "icmp", sources: ["0.0.0.0/0"] },
        { protocol: "icmp", sources: ["::/0"] },
      ]),
    );
  });

  test("a rule for a group is one for its members' private addresses", async () => {
    const { group } = await makeInstance(account());
    const peers = await makeGroup(account());
    const { PrivateIpAddress } = await makeInterface(account(), { groups: [peers] });
    await permit(group, { IpProtocol: "-1", UserIdGroupPairs: [{ GroupId: peers }] });
    const rules = account().recorder.last("setFirewall")![1] as { protocol: string; sources: string[] }[];
    expect(rules.map(({ protocol }) => protocol)).toEqual(["tcp", "udp", "icmp", "esp", "gre"]);
    expect(rules[0]!.sources).toEqual([`${PrivateIpAddress}/32`]);
    await expect(
      account().clients.ec2.send(new DeleteSecurityGroupCommand({ GroupId: peers })),
    ).rejects.toMatchObject({ name: "DependencyViolation" });
  });

  test("another group on the interface is another firewall", async () => {
    const { interfaceId } = await makeInstance(account());
    const other = await makeGroup(account());
    await openPort(account(), other, 8443);
    await account().clients.ec2.send(
      new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId: interfaceId, Groups: [other] }),
    );
    expect(account().recorder.last("setFirewall")![1]).toEqual([
      { protocol: "tcp", ports: "8443", sources: ["0.0.0.0/0"] },
    ]);
  });

  test("one in use, and the default one, are not deleted", async () => {
    const group = await makeGroup(account());
    const { NetworkInterfaceId } = await makeInterface(account(), { groups: [group] });
    const remove = new DeleteSecurityGroupCommand({ GroupId: group });
    await expect(account().clients.ec2.send(remove)).rejects.toMatchObject({
      name: "DependencyViolation",
      message: `resource ${group} has a dependent object`,
    });
    await account().clients.ec2.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId }));
    await account().clients.ec2.send(remove);
    await expect(
      account().clients.ec2.send(new DeleteSecurityGroupCommand({ GroupName: "default" })),
    ).rejects.toMatchObject({ name: "CannotDelete" });
  });

  test("the same rule twice and nonsense are refused", async () => {
    const group = await makeGroup(account());
    await openPort(account(), group, 443);
    await expect(openPort(account(), group, 443)).rejects.toMatchObject({
      name: "InvalidPermission.Duplicate",
    });
    await expect(openPort(account(), group, 443, "300.0.0.0/0")).rejects.toMatchObject({
      name: "InvalidParameterValue",
    });
  });
});
