import { utils } from "ssh2";

import { password, random } from "../../../sandbox/engine/drivers/random";
import { privateKey } from "../../../sandbox/engine/drivers/tls";
import type { Context } from "../../../sandbox/engine/driver";

const context = {} as Context;

describe("tls.PrivateKey", () => {
  test("both formats hold the same key", () => {
    const { outputs, id } = privateKey({ algorithm: "ED25519" });
    const text = (key: string) => String(outputs[key]);
    expect(text("publicKeyOpenssh")).toMatch(/^ssh-ed25519 AAAA\S+\n$/);
    expect(id).toMatch(/^[0-9a-f]{40}$/);
    const parsed = utils.parseKey(text("privateKeyOpenssh"));
    if (parsed instanceof Error) throw parsed;
    expect(parsed.getPublicSSH().toString("base64")).toBe(text("publicKeyOpenssh").trim().split(" ")[1]);
    const signature = parsed.sign(Buffer.from("data"));
    if (signature instanceof Error) throw signature;
    const verifier = utils.parseKey(text("publicKeyOpenssh").trim());
    if (verifier instanceof Error) throw verifier;
    expect(verifier.verify(Buffer.from("data"), signature)).toBe(true);
  });

  test("every key can be read, those with leading zeros too", () => {
    for (let round = 0; round < 1500; round++) {
      const { privateKeyOpenssh } = privateKey({ algorithm: "ED25519" }).outputs;
      expect(utils.parseKey(String(privateKeyOpenssh))).not.toBeInstanceOf(Error);
    }
  });

  test("another algorithm is named", () => {
    expect(() => privateKey({ algorithm: "RSA" })).toThrow('algorithm "RSA" is not ED25519');
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
});
