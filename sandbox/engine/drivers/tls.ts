/** Part of @pulumi/tls 5.6 that the program uses: private keys of ED25519, in OpenSSH's formats. */
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";

import type { Driver } from "../driver";
import type { Values } from "../wire";

// --- OpenSSH's formats (RFC 4251 §5, PROTOCOL.key), which node:crypto does not write. ssh2 does, but one in two hundred
// of its keys can't be read. --------------------------------------------------------------------------------------

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function string(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

const TYPE = "ssh-ed25519";

function opensshPrivateKey(publicBlob: Buffer, publicBytes: Buffer, privateBytes: Buffer): string {
  const check = randomBytes(4);
  const key = [string(TYPE), string(publicBytes), string(Buffer.concat([privateBytes, publicBytes]))];
  const body = Buffer.concat([check, check, ...key, string("")]);
  const padding = Buffer.from(Array.from({ length: (8 - (body.length % 8)) % 8 }, (_, index) => index + 1));
  const file = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    ...[string("none"), string("none"), string(""), uint32(1)],
    string(publicBlob),
    string(Buffer.concat([body, padding])),
  ]);
  const lines = file.toString("base64").replaceAll(/.{64}(?!$)/g, "$&\n");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

export function privateKey(inputs: Values): { id: string; outputs: Values } {
  if (inputs.algorithm !== "ED25519")
    throw new Error(
      `algorithm "${String(inputs.algorithm)}" is not ED25519, the only one that the sandbox has`,
    );
  const pair = generateKeyPairSync("ed25519");
  const { x = "", d = "" } = pair.privateKey.export({ format: "jwk" });
  const [publicBytes, privateBytes] = [Buffer.from(x, "base64url"), Buffer.from(d, "base64url")];
  const blob = Buffer.concat([string(TYPE), string(publicBytes)]);
  const spki = pair.publicKey.export({ type: "spki", format: "der" });
  return {
    id: createHash("sha1").update(spki).digest("hex"),
    outputs: {
      ...inputs,
      privateKeyOpenssh: opensshPrivateKey(blob, publicBytes, privateBytes),
      publicKeyOpenssh: `${TYPE} ${blob.toString("base64")}\n`,
    },
  };
}

export const tls: Driver = {
  version: "5.6.1",
  kinds: {
    "tls:index/privateKey:PrivateKey": {
      keys: ["algorithm"],
      replaceKeys: ["algorithm"],
      secretOutputs: ["privateKeyOpenssh"],
      create: async (inputs) => privateKey(inputs),
    },
  },
};
