/**
 * Encryption of secrets in a checkpoint, in the form of Pulumi's passphrase provider: AES-256-GCM, key by PBKDF2-SHA256
 * with 1,000,000 rounds (source: sdk/go/common/resource/config/crypt.go, pkg/secrets/passphrase/manager.go). The same
 * passphrase reads either engine's export.
 */
import { createCipheriv, createDecipheriv, pbkdf2Sync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { isSecret, SECRET, SIGNATURE, transform, type Value } from "./wire";

const ROUNDS = 1_000_000;

/** File with the passphrase of a state directory (mode 0600), made at random when missing. */
export function passphraseFile(stateDir: string): string {
  const file = join(stateDir, "passphrase");
  if (!existsSync(file)) {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    writeFileSync(file, randomBytes(32).toString("base64url"), { mode: 0o600, flag: "wx" });
  }
  return file;
}

const derived = new Map<string, Buffer>();

/** Derives the key in half a second, once a process. */
function derivedKey(passphrase: string, salt: Buffer): Buffer {
  const name = `${salt.toString("base64")} ${passphrase}`;
  const key = derived.get(name) ?? pbkdf2Sync(passphrase, salt, ROUNDS, 32, "sha256");
  derived.set(name, key);
  return key;
}

export class Crypter {
  /** Salt, and a proof of the right passphrase, for the checkpoint. */
  readonly salt: string;
  private readonly key: Buffer;
  /** Ciphertexts of unchanged secrets, which they keep: an update that changes nothing rewrites nothing. */
  private readonly known = new Map<string, string>();

  constructor(passphrase: string, salt?: string) {
    const [, raw] = salt?.split(":") ?? [];
    const bytes = raw === undefined ? randomBytes(8) : Buffer.from(raw, "base64");
    this.key = derivedKey(passphrase, bytes);
    this.salt = salt ?? `v1:${bytes.toString("base64")}:${this.encrypt("pulumi")}`;
    const proof = this.salt.split(":").slice(2).join(":");
    if (this.decrypt(proof) !== "pulumi") throw new Error("wrong proof in the checkpoint's salt");
  }

  static fromStateDir(stateDir: string, salt?: string): Crypter {
    const file = passphraseFile(stateDir);
    try {
      return new Crypter(readFileSync(file, "utf8"), salt);
    } catch (error) {
      throw new Error(`the passphrase in ${file} does not open the checkpoint: ${String(error)}`, {
        cause: error,
      });
    }
  }

  encrypt(text: string): string {
    const known = this.known.get(text);
    if (known !== undefined) return known;
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.key, nonce);
    const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
    const result = `v1:${nonce.toString("base64")}:${sealed.toString("base64")}`;
    this.known.set(text, result);
    return result;
  }

  decrypt(sealed: string): string {
    const [, nonce = "", data = ""] = sealed.split(":");
    const bytes = Buffer.from(data, "base64");
    const cipher = createDecipheriv("aes-256-gcm", this.key, Buffer.from(nonce, "base64"));
    cipher.setAuthTag(bytes.subarray(-16));
    const text = Buffer.concat([cipher.update(bytes.subarray(0, -16)), cipher.final()]).toString("utf8");
    this.known.set(text, sealed);
    return text;
  }

  /** Returns `value` with every secret as `{signature, ciphertext}`. */
  seal(value: Value): Value {
    return transform(value, (item) =>
      isSecret(item)
        ? { [SIGNATURE]: SECRET, ciphertext: this.encrypt(JSON.stringify(item.value ?? null)) }
        : undefined,
    );
  }

  /** The reverse of `seal`. */
  open(value: Value): Value {
    return transform(value, (item) =>
      isSecret(item) && typeof item.ciphertext === "string"
        ? { [SIGNATURE]: SECRET, value: JSON.parse(this.decrypt(item.ciphertext)) as Value }
        : undefined,
    );
  }
}
