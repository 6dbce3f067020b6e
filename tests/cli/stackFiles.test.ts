import { ENCRYPTED_ENTRY, parseStackFile } from "../../cli/stackFiles";

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
