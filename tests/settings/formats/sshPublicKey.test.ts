import { sshPublicKeyProblem } from "../../../settings/formats/sshPublicKey";
import { ecdsaKey, ed25519Key, rsaKey, weakRsaKey } from "../fixtures";

/** A public key line of any type, from its fields. */
function keyLine(type: string, ...fields: Buffer[]): string {
  const strings = [Buffer.from(type), ...fields].flatMap((field) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(field.length);
    return [length, field];
  });
  return `${type} ${Buffer.concat(strings).toString("base64")} somebody`;
}

test.each([
  ["ed25519", ed25519Key],
  ["RSA of 2048 bits", rsaKey],
  ["ECDSA", ecdsaKey],
  ["without a comment", ed25519Key.split(" ").slice(0, 2).join(" ")],
  ["of a security token", keyLine("sk-ssh-ed25519@openssh.com", Buffer.alloc(32, 7), Buffer.from("ssh:"))],
])("a good key: %s", (_name, line) => {
  expect(sshPublicKeyProblem(line)).toBeUndefined();
});

test.each([
  ["no key at all", "me@example.org", "does not begin with the type of a public key"],
  ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----", "is a private key"],
  ["a file of several", `${ed25519Key}\n${rsaKey}`, "has more than one line"],
  ["the type alone", "ssh-ed25519", "has no key in base64"],
  ["an ellipsis", "ssh-ed25519 AAAA… me", "has no key in base64"],
  ["cut off", ed25519Key.slice(0, 60), "is damaged"],
  ["another type in front", ed25519Key.replace("ssh-ed25519", "ssh-rsa"), "is damaged"],
  ["a field too many", keyLine("ssh-ed25519", Buffer.alloc(32), Buffer.alloc(1)), "is damaged"],
  ["a key too short", keyLine("ssh-ed25519", Buffer.alloc(31)), "is damaged"],
  ["RSA of 1024 bits", weakRsaKey, "is an RSA key of 1024 bits"],
  ["DSA", "ssh-dss AAAAB3NzaC1kc3M= me", "is a DSA key"],
])("a bad key: %s", (_name, line, reason) => {
  expect(sshPublicKeyProblem(line)).toContain(reason);
});
