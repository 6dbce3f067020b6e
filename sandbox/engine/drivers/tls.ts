/** @pulumi/tls 5.6: private keys with the same outputs, in the same formats. */
import { createHash, generateKeyPairSync, randomBytes, type KeyObject } from "node:crypto";

import type { Driver } from "../driver";
import type { Values } from "../wire";

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** Curves of the provider, by OpenSSH's name. P224, its default, has none. */
const CURVES: Readonly<Record<string, string>> = { P256: "nistp256", P384: "nistp384", P521: "nistp521" };

function generate({ algorithm, rsaBits, ecdsaCurve }: Values): KeyPair {
  switch (algorithm) {
    case "ED25519":
      return generateKeyPairSync("ed25519");
    case "RSA":
      return generateKeyPairSync("rsa", { modulusLength: Number(rsaBits ?? 2048) });
    case "ECDSA":
      if (!Object.hasOwn(CURVES, String(ecdsaCurve))) {
        throw new Error(`ecdsaCurve ${String(ecdsaCurve)} is not one of ${Object.keys(CURVES).join(", ")}`);
      }
      return generateKeyPairSync("ec", { namedCurve: String(ecdsaCurve).replace("P", "P-") });
    default:
      throw new Error(`algorithm "${String(algorithm)}" is not one of RSA, ECDSA, ED25519`);
  }
}

// --- OpenSSH's formats (RFC 4251 §5, PROTOCOL.key), which node:crypto does not write ------------------------

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function string(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** Encodes a positive number, given in the digits of a JWK. */
function mpint(base64url = ""): Buffer {
  const bytes = Buffer.from(base64url, "base64url");
  const digits = bytes.subarray(
    Math.max(
      0,
      bytes.findIndex((byte) => byte !== 0),
    ),
  );
  return string((digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), digits]) : digits);
}

interface SshKey {
  readonly type: string;
  /** Fields that follow the type in the public and in the private key. */
  readonly publicFields: readonly Buffer[];
  readonly privateFields: readonly Buffer[];
}

function sshKey({ privateKey }: KeyPair): SshKey {
  const { kty, crv, x = "", y = "", n, e, d = "", p, q, qi } = privateKey.export({ format: "jwk" });
  const bytes = (text: string) => Buffer.from(text, "base64url");
  if (kty === "OKP") {
    const publicFields = [string(bytes(x))];
    const privateFields = [...publicFields, string(Buffer.concat([bytes(d), bytes(x)]))];
    return { type: "ssh-ed25519", publicFields, privateFields };
  }
  if (kty === "EC") {
    const curve = CURVES[crv?.replace("-", "") ?? ""] ?? "";
    const publicFields = [string(curve), string(Buffer.concat([Buffer.from([4]), bytes(x), bytes(y)]))];
    return { type: `ecdsa-sha2-${curve}`, publicFields, privateFields: [...publicFields, mpint(d)] };
  }
  const privateFields = [n, e, d, qi, p, q].map(mpint);
  return { type: "ssh-rsa", publicFields: [e, n].map(mpint), privateFields };
}

function publicBlob({ type, publicFields }: SshKey): Buffer {
  return Buffer.concat([string(type), ...publicFields]);
}

function opensshPrivateKey(key: SshKey): string {
  const check = randomBytes(4);
  const body = Buffer.concat([check, check, string(key.type), ...key.privateFields, string("")]);
  const padding = Buffer.from(Array.from({ length: (8 - (body.length % 8)) % 8 }, (_, index) => index + 1));
  const file = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    ...[string("none"), string("none"), string(""), uint32(1)],
    string(publicBlob(key)),
    string(Buffer.concat([body, padding])),
  ]);
  const lines = file.toString("base64").replaceAll(/.{64}(?!$)/g, "$&\n");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

/** PEM in the traditional form of the algorithm, as the real provider gives it. */
const TRADITIONAL = { RSA: "pkcs1", ECDSA: "sec1", ED25519: "pkcs8" } as const;

export function privateKey(inputs: Values): { id: string; outputs: Values } {
  const pair = generate(inputs);
  const key = sshKey(pair);
  const blob = publicBlob(key);
  const pem = (type: string) => pair.privateKey.export({ type: type as "pkcs8", format: "pem" }).toString();
  const fingerprint = (algorithm: string) => createHash(algorithm).update(blob);
  const spki = pair.publicKey.export({ type: "spki", format: "der" });
  return {
    id: createHash("sha1").update(spki).digest("hex"),
    outputs: {
      ecdsaCurve: "P224",
      rsaBits: 2048,
      ...inputs,
      privateKeyPem: pem(TRADITIONAL[inputs.algorithm as keyof typeof TRADITIONAL]),
      privateKeyPemPkcs8: pem("pkcs8"),
      privateKeyOpenssh: opensshPrivateKey(key),
      publicKeyPem: pair.publicKey.export({ type: "spki", format: "pem" }).toString(),
      publicKeyOpenssh: `${key.type} ${blob.toString("base64")}\n`,
      publicKeyFingerprintMd5: fingerprint("md5")
        .digest("hex")
        .replaceAll(/(..)(?!$)/g, "$1:"),
      publicKeyFingerprintSha256: `SHA256:${fingerprint("sha256").digest("base64").replaceAll("=", "")}`,
    },
  };
}

export const tls: Driver = {
  version: "5.6.1",
  kinds: {
    "tls:index/privateKey:PrivateKey": {
      keys: ["algorithm", "ecdsaCurve", "rsaBits"],
      replaceKeys: ["algorithm", "ecdsaCurve", "rsaBits"],
      secretOutputs: ["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"],
      create: async (inputs) => privateKey(inputs),
    },
  },
};
