/**
 * Readable forms of a secret: itself, and its bytes in hexadecimal, base64, base64url and percent form. For a secret of
 * hexadecimal digits, also the forms of the bytes that they stand for.
 */
export function secretForms(secret: string): readonly string[] {
  const known = forms.get(secret);
  if (known) return known;
  const bytes = [Buffer.from(secret)];
  if (/^([0-9a-f]{2}){16,}$/i.test(secret)) bytes.push(Buffer.from(secret, "hex"));
  const all = [
    secret,
    encodeURIComponent(secret),
    encodeURIComponent(secret).toLowerCase(),
    ...bytes.flatMap((one) => [
      one.toString("hex"),
      one.toString("hex").toUpperCase(),
      [...one].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
      ...inBase64(one),
    ]),
  ];
  const unique = [...new Set(all)];
  forms.set(secret, unique);
  return unique;
}

const forms = new Map<string, readonly string[]>();

/**
 * Base64 of the bytes at any place in a longer text: a digit at either end that depends on their neighbours is left
 * out.
 */
function inBase64(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const shifted = Buffer.concat([Buffer.alloc(before), bytes]);
    const first = Math.ceil((before * 8) / 6);
    const end = Math.floor((shifted.length * 8) / 6);
    return (["base64", "base64url"] as const).map((alphabet) => shifted.toString(alphabet).slice(first, end));
  });
}
