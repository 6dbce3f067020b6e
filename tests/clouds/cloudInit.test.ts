import { parse } from "yaml";

import { cloudInit } from "../../clouds/cloudInit";

const hostKey = {
  publicKey: "ssh-ed25519 AAAAhost",
  privateKey: "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n",
};

test("sets the pinned host key, in place of the image's, and the keys that may log in", () => {
  const authorizedKeys = ["ssh-ed25519 AAAAoperator", "ssh-ed25519 AAAAown me: at home #1"];
  expect(cloudInit({ hostKey, user: "root", authorizedKeys })).toBe(`#cloud-config
ssh_deletekeys: true
ssh_keys:
  ed25519_private: |
    -----BEGIN OPENSSH PRIVATE KEY-----
    abc
    -----END OPENSSH PRIVATE KEY-----
  ed25519_public: ssh-ed25519 AAAAhost
ssh_pwauth: false
disable_root: false
ssh_authorized_keys:
  - ssh-ed25519 AAAAoperator
  - "ssh-ed25519 AAAAown me: at home #1"
`);
});

test("long keys stay on one line", () => {
  const rsa = `ssh-rsa ${"A".repeat(700)} ${"a comment ".repeat(20)}end`;
  const text = cloudInit({ hostKey, user: "root", authorizedKeys: [rsa] });
  expect(text).toContain(`  - ${rsa}\n`);
  expect(parse(text).ssh_authorized_keys).toEqual([rsa]);
});

test("root stays closed where another account is logged in to", () => {
  expect(parse(cloudInit({ hostKey, user: "ubuntu", authorizedKeys: [] })).disable_root).toBe(true);
});
