/**
 * Fields after the type in a public key's blob (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4, OpenSSH's PROTOCOL.u2f), in
 * bytes if they have one length only.
 */
const fields: Readonly<Record<string, readonly (number | undefined)[]>> = {
  "ssh-ed25519": [32],
  "ssh-rsa": [undefined, undefined],
  "ecdsa-sha2-nistp256": [8, 65],
  "ecdsa-sha2-nistp384": [8, 97],
  "ecdsa-sha2-nistp521": [8, 133],
  "sk-ssh-ed25519@openssh.com": [32, undefined],
  "sk-ecdsa-sha2-nistp256@openssh.com": [8, 65, undefined],
};

const MINIMAL_RSA_BITS = 2048;

/**
 * Problem of a line of authorized_keys, options excluded; undefined for a good one. Written here since no library on
 * npm knows the keys of security tokens ("sk-…").
 */
export function sshPublicKeyProblem(line: string): string | undefined {
  if (line.includes("PRIVATE KEY")) return "is a private key, which must never leave your machine";
  if (/[\r\n]/.test(line.trim())) return "has more than one line";
  const [type = "", base64 = ""] = line.trim().split(/\s+/);
  const expected = fields[type];
  if (!expected) {
    const known = Object.keys(fields).join(", ");
    return type === "ssh-dss"
      ? "is a DSA key, which SSH servers refuse"
      : `does not begin with the type of a public key (${known})`;
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return `has no key in base64 after ${type}`;
  const parts = splitBlob(Buffer.from(base64, "base64"));
  if (!parts || parts[0]?.toString("latin1") !== type || parts.length !== expected.length + 1) {
    return "is damaged: incomplete or changed in copying";
  }
  if (expected.some((length, i) => length !== undefined && parts[i + 1]?.length !== length)) {
    return "is damaged: incomplete or changed in copying";
  }
  const modulus = type === "ssh-rsa" ? parts[2] : undefined;
  if (modulus && bitLength(modulus) < MINIMAL_RSA_BITS) {
    return `is an RSA key of ${bitLength(modulus)} bits; SSH servers ask for ${MINIMAL_RSA_BITS} or more`;
  }
  return undefined;
}

/** Strings of an SSH wire format blob, each with its length in front; undefined if it does not add up. */
function splitBlob(blob: Buffer): Buffer[] | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; at < blob.length;) {
    if (at + 4 > blob.length) return undefined;
    const end = at + 4 + blob.readUInt32BE(at);
    if (end > blob.length) return undefined;
    parts.push(blob.subarray(at + 4, end));
    at = end;
  }
  return parts;
}

function bitLength(integer: Buffer): number {
  return integer.length === 0 ? 0 : BigInt(`0x${integer.toString("hex")}`).toString(2).length;
}
