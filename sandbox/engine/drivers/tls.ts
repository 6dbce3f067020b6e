/** @pulumi/tls 5.6: private keys with the same outputs, in the same formats. */
import { createHash, createPrivateKey, createPublicKey } from "node:crypto";

import { utils } from "ssh2";

import type { Driver } from "../driver";
import type { Values } from "../wire";

const CURVES: Readonly<Record<string, number>> = { P256: 256, P384: 384, P521: 521 };

function generate(inputs: Values): { private: string; public: string } {
  switch (inputs.algorithm) {
    case "ED25519":
      return utils.generateKeyPairSync("ed25519");
    case "RSA":
      return utils.generateKeyPairSync("rsa", { bits: Number(inputs.rsaBits ?? 2048) });
    case "ECDSA": {
      const curve = String(inputs.ecdsaCurve ?? "P224");
      const bits = CURVES[curve];
      if (bits === undefined)
        throw new Error(`ecdsaCurve ${curve} is not one of ${Object.keys(CURVES).join(", ")}`);
      return utils.generateKeyPairSync("ecdsa", { bits: bits as 256 });
    }
    default:
      throw new Error(`algorithm "${String(inputs.algorithm)}" is not one of RSA, ECDSA, ED25519`);
  }
}

/** PEM in the traditional form of the algorithm, as the real provider gives it. */
const TRADITIONAL = { RSA: "pkcs1", ECDSA: "sec1", ED25519: "pkcs8" } as const;

export function privateKey(inputs: Values): { id: string; outputs: Values } {
  const pair = generate(inputs);
  const parsed = utils.parseKey(pair.private);
  if (parsed instanceof Error) throw parsed;
  const key = createPrivateKey(parsed.getPrivatePEM());
  const publicKey = createPublicKey(key);
  const blob = Buffer.from(pair.public.split(" ")[1] ?? "", "base64");
  const pem = (type: "pkcs1" | "sec1" | "pkcs8") =>
    key.export({ type: type as "pkcs8", format: "pem" }).toString();
  const fingerprint = (algorithm: string) => createHash(algorithm).update(blob);
  return {
    id: createHash("sha1")
      .update(publicKey.export({ type: "spki", format: "der" }))
      .digest("hex"),
    outputs: {
      ecdsaCurve: "P224",
      rsaBits: 2048,
      ...inputs,
      privateKeyPem: pem(TRADITIONAL[inputs.algorithm as keyof typeof TRADITIONAL]),
      privateKeyPemPkcs8: pem("pkcs8"),
      privateKeyOpenssh: `${pair.private.trimEnd()}\n`,
      publicKeyPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
      publicKeyOpenssh: `${pair.public.trim()}\n`,
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
