import { createPrivateKey, createPublicKey } from "node:crypto";

import { utils } from "ssh2";

import { password, random } from "../../../sandbox/engine/drivers/random";
import { privateKey } from "../../../sandbox/engine/drivers/tls";
import type { Context } from "../../../sandbox/engine/driver";

const context = {} as Context;

describe("tls.PrivateKey", () => {
  test.each([
    [{ algorithm: "ED25519" }, /^-----BEGIN PRIVATE KEY/, /^ssh-ed25519 AAAA\S+\n$/],
    [{ algorithm: "RSA", rsaBits: 2048 }, /^-----BEGIN RSA PRIVATE KEY/, /^ssh-rsa AAAA\S+\n$/],
    [
      { algorithm: "ECDSA", ecdsaCurve: "P256" },
      /^-----BEGIN EC PRIVATE KEY/,
      /^ecdsa-sha2-nistp256 AAAA\S+\n$/,
    ],
  ])("%j: all formats hold the same key", (inputs, pem, line) => {
    const { outputs, id } = privateKey(inputs);
    const text = (key: string) => String(outputs[key]);
    expect(text("privateKeyPem")).toMatch(pem);
    expect(text("publicKeyOpenssh")).toMatch(line);
    expect(id).toMatch(/^[0-9a-f]{40}$/);
    const derived = [text("privateKeyPem"), text("privateKeyPemPkcs8")].map((key) =>
      createPublicKey(createPrivateKey(key)).export({ type: "spki", format: "pem" }),
    );
    expect(derived).toEqual([outputs.publicKeyPem, outputs.publicKeyPem]);
    const parsed = utils.parseKey(text("privateKeyOpenssh"));
    if (parsed instanceof Error) throw parsed;
    expect(parsed.getPublicSSH().toString("base64")).toBe(text("publicKeyOpenssh").trim().split(" ")[1]);
    expect(parsed.getPublicPEM().replaceAll("\n", "")).toBe(text("publicKeyPem").replaceAll("\n", ""));
    const signature = parsed.sign(Buffer.from("data"));
    if (signature instanceof Error) throw signature;
    const verifier = utils.parseKey(text("publicKeyOpenssh").trim());
    if (verifier instanceof Error) throw verifier;
    expect(verifier.verify(Buffer.from("data"), signature)).toBe(true);
    expect(outputs.publicKeyFingerprintMd5).toMatch(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
    expect(outputs.publicKeyFingerprintSha256).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
  });

  test("every key can be read, those with leading zeros too", () => {
    for (let round = 0; round < 1500; round++) {
      const { privateKeyOpenssh } = privateKey({ algorithm: "ED25519" }).outputs;
      expect(utils.parseKey(String(privateKeyOpenssh))).not.toBeInstanceOf(Error);
    }
  });

  test("an unknown algorithm or curve is named", () => {
    expect(() => privateKey({ algorithm: "DSA" })).toThrow(
      'algorithm "DSA" is not one of RSA, ECDSA, ED25519',
    );
    expect(() => privateKey({ algorithm: "ECDSA", ecdsaCurve: "P224" })).toThrow("ecdsaCurve P224");
  });
});

describe("random", () => {
  test("a password has its length, its minimums, and only the classes asked for", () => {
    const inputs = { length: 12, special: false, upper: false, minNumeric: 4 };
    const made = Array.from({ length: 50 }, () => password(inputs));
    expect(new Set(made).size).toBe(50);
    for (const text of made) {
      expect(text).toMatch(/^[a-z0-9]{12}$/);
      expect(text.replaceAll(/\D/g, "").length).toBeGreaterThanOrEqual(4);
    }
    expect(password({ length: 5, lower: false, upper: false, numeric: false, overrideSpecial: "#" })).toBe(
      "#####",
    );
    expect(() => password({ length: 1, minLower: 2 })).toThrow("less than the sum of the minimums");
  });

  test("a password has an id that does not tell it", async () => {
    const kind = random.kinds["random:index/randomPassword:RandomPassword"];
    expect(await kind?.create({ length: 8 }, context)).toMatchObject({ id: "none" });
    expect(kind?.secretOutputs).toEqual(["result", "bcryptHash"]);
  });

  test("bytes come in hex and base64, and an id in all forms", async () => {
    const bytes = await random.kinds["random:index/randomBytes:RandomBytes"]?.create({ length: 32 }, context);
    expect(Buffer.from(String(bytes?.outputs.base64), "base64").toString("hex")).toBe(bytes?.outputs.hex);
    expect(bytes?.outputs.hex).toMatch(/^[0-9a-f]{64}$/);
    expect(bytes?.id).toBe(bytes?.outputs.base64);
    const id = await random.kinds["random:index/randomId:RandomId"]?.create(
      { byteLength: 4, prefix: "p-" },
      context,
    );
    const hex = String(id?.outputs.hex).replace("p-", "");
    expect(id?.outputs).toMatchObject({ dec: `p-${parseInt(hex, 16)}` });
    expect(id?.id).toBe(Buffer.from(hex, "hex").toString("base64url"));
  });
});
