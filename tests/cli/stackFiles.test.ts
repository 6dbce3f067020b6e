import { atCloud, ENCRYPTED_ENTRY, parseStackFile } from "../../cli/stackFiles";

test("a setting with an encrypted entry counts as encrypted, and is none of the settings", () => {
  const text = `config:
  p:domain: school.eu
  p:acmeCa:
    secure: v1:abc
  p:alerts:
    email:
      server: smtp.school.eu
      password:
        secure: v1:def
  p:sshNetworks:
    - 198.51.100.7/32
`;
  expect(parseStackFile(text, "p", "Pulumi.prod.yaml")).toMatchObject({
    settings: { domain: "school.eu", sshNetworks: ["198.51.100.7/32"] },
    encrypted: ["acmeCa", "alerts"],
    partly: { alerts: { email: { server: "smtp.school.eu", password: ENCRYPTED_ENTRY } } },
  });
});

test("at another cloud, settings lose what belongs to their own: places, types, networks and images", () => {
  const settings = { domain: "school.eu", location: "fsn1", serverType: "ccx33", image: "ubuntu-22.04" };
  expect(atCloud(settings, undefined)).toEqual(settings);
  expect(atCloud(settings, "hetzner")).toEqual({ ...settings, cloud: "hetzner" });
  expect(atCloud(settings, "aws")).toEqual({ domain: "school.eu", cloud: "aws" });
  const elsewhere = { domain: "school.eu", cloud: "aws", location: "eu-central-1", subnetId: "subnet-1" };
  expect(atCloud(elsewhere, "aws")).toEqual(elsewhere);
  expect(atCloud(elsewhere, "hetzner")).toEqual({ domain: "school.eu", cloud: "hetzner" });
});
