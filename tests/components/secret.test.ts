import { drivers } from "../../sandbox/engine/drivers";
import type { Context } from "../../sandbox/engine/driver";
import { plain, type Values } from "../../sandbox/engine/wire";
import { secretForms } from "../e2e/support/secretForms";
import { runProgram, type Registered } from "../support/program";

/** Outputs of the provider for a resource, by a driver with the provider's own ids. */
async function made({ type, name, inputs }: Registered) {
  const kind = drivers[type.split(":")[0]!]!.kinds[type]!;
  const { id, outputs } = await kind.create(inputs, { name } as Context);
  const secrets = kind.secretOutputs?.filter((key) => outputs[key] !== undefined) ?? [];
  const open = Object.fromEntries(Object.entries(outputs).filter(([key]) => !secrets.includes(key)));
  return { id, secrets: secrets.map((key) => String(outputs[key])), open: plain<Values>(open) };
}

test("what a state keeps in clear of the secrets' resources tells no secret, in whatever form", async () => {
  const { resources } = await runProgram();
  const generated = resources.filter(({ type }) => /^(random|tls):/.test(type));
  expect(generated.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["bbb-shared-secret", "turn-secret", "operator-key"]),
  );
  for (const resource of generated) {
    const { id, secrets, open } = await made(resource);
    expect([resource.name, secrets.length]).not.toEqual([resource.name, 0]);
    const clear = JSON.stringify({ id, open });
    const told = secrets.flatMap(secretForms).filter((form) => clear.includes(form));
    expect([resource.name, told]).toEqual([resource.name, []]);
  }
});

test("the secrets are letters and digits, of more than 256 bits", async () => {
  const { get } = await runProgram();
  for (const name of ["bbb-shared-secret", "turn-secret"]) {
    const { secrets } = await made(get(name));
    expect(secrets[0]).toMatch(/^[A-Za-z0-9]{64}$/);
  }
});

describe("the forms by which a secret is looked for", () => {
  const secret = "0123456789abcdef".repeat(4);

  test.each([
    ["itself", secret],
    ["the base64 of its bytes", Buffer.from(secret, "hex").toString("base64")],
    ["the base64url of its bytes", Buffer.from(secret, "hex").toString("base64url")],
    ["the base64 of its text", Buffer.from(`user:${secret}`).toString("base64")],
    ["the base64 of a longer text", Buffer.from(`key=${secret}\nmore`).toString("base64")],
    ["hexadecimal digits", Buffer.from(secret).toString("hex")],
    ["percent form", [...Buffer.from(secret)].map((byte) => `%${byte.toString(16)}`).join("")],
  ])("%s", (_, text) => {
    expect(secretForms(secret).filter((form) => text.includes(form))).not.toEqual([]);
  });

  test("another secret is none of them", () => {
    const other = "fedcba9876543210".repeat(4);
    expect(
      secretForms(secret).filter((form) => Buffer.from(other).toString("base64").includes(form)),
    ).toEqual([]);
  });

  test("a text with what URLs quote", () => {
    expect(secretForms("a+b/c=")).toContain("a%2Bb%2Fc%3D");
  });
});
