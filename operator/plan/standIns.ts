/** Providers' answers about new resources, as far as the program's other resources need them. */
import type { MockResourceArgs } from "@pulumi/pulumi/runtime";

/** Outputs of another stack that the program reads. */
export const STACK_REFERENCE = "pulumi:pulumi:StackReference";

/** Id of a new resource: a number at Hetzner, text elsewhere. */
export function idOf({ type, name }: MockResourceArgs): string {
  return type.startsWith("hcloud:") ? "1" : `${name}-id`;
}

/** Outputs of a new resource: addresses for documentation (RFC 5737, RFC 3849), and invalid secrets and keys. */
export function computed({ type, name, inputs }: MockResourceArgs): Readonly<Record<string, unknown>> {
  switch (type) {
    case "hcloud:index/primaryIp:PrimaryIp":
      return { ipAddress: (inputs as { type?: string }).type === "ipv6" ? "2001:db8::" : "192.0.2.1" };
    case "hcloud:index/storageBox:StorageBox":
      return { server: "u1.your-storagebox.de", username: "u1" };
    case STACK_REFERENCE:
      return {
        outputs: { turnHost: "the-other-stacks-turn-server", turnSecret: "0".repeat(64) },
        secretOutputNames: ["turnSecret"],
      };
    case "random:index/randomPassword:RandomPassword":
      return { result: "0".repeat(64) };
    case "tls:index/privateKey:PrivateKey":
      return { publicKeyOpenssh: "ssh-ed25519 AAAA\n", privateKeyOpenssh: "a private key\n" };
    case "aws:ec2/eip:Eip":
      return { publicIp: "192.0.2.1", allocationId: `${name}-id` };
    case "aws:ec2/networkInterface:NetworkInterface":
      return { privateIp: "172.31.0.1", ipv6Addresses: [] };
    case "aws:iam/role:Role":
      return { name, arn: `arn:aws:iam::123456789012:role/${name}` };
    default:
      return {};
  }
}
