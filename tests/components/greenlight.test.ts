import { greenlightImage, greenlightPassword } from "../../bigbluebutton/greenlight";
import { password } from "../../sandbox/engine/drivers/random";
import { reveal, runProgram, secretOf, stepsIn, type Run } from "../support/program";

const admin = { name: "Ada", email: "ada@school.eu" };
const made = (greenlight: object | undefined): Promise<Run> => runProgram({ settings: { greenlight } });

const OUTPUTS = ["greenlightUrl", "greenlightAdminEmail", "greenlightAdminPassword"];
const outputsOf = (run: Run) => Object.keys(run.outputs).filter((name) => OUTPUTS.includes(name));

test("without Greenlight, and with one as its installer leaves it, there is no step and no password", async () => {
  for (const [greenlight, outputs] of [
    [undefined, []],
    [{}, ["greenlightUrl"]],
  ] as const) {
    const run = await made(greenlight);
    expect(run.resources.filter(({ name }) => name.includes("greenlight"))).toEqual([]);
    expect(outputsOf(run)).toEqual(outputs);
  }
});

test("the administrator's password is a secret output, and in the step's standard input alone", async () => {
  const run = await made({ admin, registration: "invite", defaultRole: "Teacher", roomLimit: 5 });
  const password = secretOf("bbb-greenlight-admin", undefined);
  expect(await reveal(run.outputs.greenlightAdminPassword)).toEqual({ value: password, secret: true });
  expect(await reveal(run.outputs.greenlightAdminEmail)).toEqual({ value: "ada@school.eu", secret: false });
  expect(await reveal(run.outputs.greenlightUrl)).toEqual({
    value: "https://bbb.example.org",
    secret: false,
  });

  const { inputs, secretInputs, dependsOn } = run.get("bbb-greenlight");
  expect(JSON.parse(inputs.stdin)).toEqual({
    url: "https://bbb.example.org",
    image: { ...greenlightImage, upgrade: "" },
    admin: { ...admin, password },
    env: [{ key: "SMTP_HEALTH_CHECK_DISABLED", value: "true", setting: "greenlight" }],
    settings: { RegistrationMethod: "invite", DefaultRole: "Teacher" },
    roomLimits: { Teacher: "5" },
  });
  expect(secretInputs).toContain("stdin");
  expect(dependsOn).toEqual(expect.arrayContaining(["bbb-wire", "bbb-install-resumed"]));
  for (const step of stepsIn(run)) expect(JSON.stringify(step.inputs.create)).not.toContain(password);
  expect(JSON.parse(run.get("bbb-verify").inputs.stdin)).toMatchObject({
    greenlight: true,
    greenlightAdmin: { email: "ada@school.eu", password },
  });
  expect(run.get("bbb-verify").secretInputs).toContain("stdin");
});

test("the step runs again after the installer, and no other step runs again for it", async () => {
  const [one, other] = [await made({ roomLimit: 5 }), await made({ roomLimit: 6 })];
  const changed = stepsIn(one).filter(({ name, inputs }) => {
    const now = other.get(name).inputs;
    return inputs.create !== now.create || inputs.stdin !== now.stdin;
  });
  expect(changed.map(({ name }) => name).sort()).toEqual(["bbb-greenlight", "bbb-verify", "turn-verify"]);
  const upgraded = await runProgram({ settings: { greenlight: { roomLimit: 5 }, upgrade: "second" } });
  expect(upgraded.get("bbb-greenlight").inputs.create).not.toBe(one.get("bbb-greenlight").inputs.create);
});

test("a room's limit without a role is that of the role that new accounts have at first", async () => {
  const run = await made({ roomLimit: 0 });
  expect(JSON.parse(run.get("bbb-greenlight").inputs.stdin)).toMatchObject({
    settings: {},
    roomLimits: { User: "0" },
  });
});

test("every password meets Greenlight's rules", () => {
  const rules = [/[a-z]/, /[A-Z]/, /\d/, /[-._]/, /^[\w.-]{24}$/];
  for (let i = 0; i < 200; i++) {
    const one = password(greenlightPassword);
    for (const rule of rules) expect(one).toMatch(rule);
  }
});
