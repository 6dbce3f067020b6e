import type * as Face from "../../package";
import { reveal, runComponents, secretOf, stepsIn, turnPeersIn, type Run } from "../support/program";

const common = {
  domain: "example.org",
  email: "admin@school.eu",
  environment: "test",
  sshNetworks: ["198.51.100.7/32"],
};

async function values(outputs: object, ...names: string[]): Promise<unknown> {
  const found = outputs as Readonly<Record<string, unknown>>;
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await reveal(found[name])])));
}

describe("one", () => {
  let run: Run;
  let school: Face.BigBlueButton;
  beforeAll(async () => {
    run = await runComponents(({ BigBlueButton }) => ({
      school: (school = new BigBlueButton("school-a", common)),
    }));
  });

  test("all that it makes has its name before its own, and belongs to it", () => {
    const made = run.resources.filter(({ type }) => type !== "pulumi:pulumi:Stack");
    expect(made.filter(({ name }) => !/^school-a(-|$)/.test(name))).toEqual([]);
    const host = run.resources.find(({ type, name }) => /Host$/.test(type) && name === "school-a-bbb-host");
    expect(host?.parent).toBe("school-a");
    expect(run.get("school-a-operator").parent).toBe("school-a");
  });

  test("labels and the key's name at the cloud tell it from others of the stack", () => {
    const labels = { project: "bigbluebutton", stack: "staging", deployment: "school-a" };
    expect(run.get("school-a-bbb-host-server").inputs.labels).toEqual({ ...labels, role: "bbb" });
    expect(run.get("school-a-operator").inputs.name).toBe("bigbluebutton-staging-school-a");
  });

  test("its state keeps no argument in clear that may hold a secret, whether the program says so or not", async () => {
    const { ofType } = await runComponents(({ BigBlueButton }) => ({
      school: new BigBlueButton("school-a", {
        ...common,
        alerts: { webhook: { url: "https://hooks.school.eu/secret", form: "slack" } },
        backup: {
          ...{ to: "s3:https://storage.eu/bucket", accessKeyId: "id", secretAccessKey: "the-secret-key" },
        },
        dialIn: {
          number: "+49 30 123456",
          networks: ["192.0.2.0/24"],
          gateway: { host: "sip.provider.example", user: "4930", password: "Zq3vT8mW" },
        },
        greenlight: {
          smtp: { server: "mail.school.eu", sender: "a@school.eu", user: "a", password: "Zq3vT8mW" },
        },
        overrides: { files: { "/etc/bigbluebutton/own.key": { text: "Zq3vT8mW" } } },
      }),
    }));
    const [component] = ofType("bbb:index:BigBlueButton");
    const closed = ["alerts", "backup", "dialIn", "greenlight", "overrides"];
    expect(component!.secretInputs).toEqual(expect.arrayContaining(closed));
  });

  test("outputs, each as secret as it must be", async () => {
    expect(
      await values(
        school,
        "url",
        "apiUrl",
        "sharedSecret",
        "turnHost",
        "turnSecret",
        "addresses",
        "sshCommand",
      ),
    ).toEqual({
      url: { value: "https://bbb.example.org", secret: false },
      apiUrl: { value: "https://bbb.example.org/bigbluebutton/api", secret: false },
      sharedSecret: { value: secretOf("school-a-bbb-shared-secret"), secret: true },
      turnHost: { value: "turn.example.org", secret: false },
      turnSecret: { value: secretOf("school-a-turn-secret"), secret: true },
      addresses: {
        value: {
          bbb: { ipv4: "203.0.113.11", ipv6: "2001:db8:0:11::1" },
          turn: { ipv4: "203.0.113.12", ipv6: "2001:db8:0:12::1" },
        },
        secret: false,
      },
      sshCommand: { value: "ssh root@203.0.113.11", secret: false },
    });
    for (const name of ["privateKey", "check"] as const)
      expect((await reveal(school[name])).secret).toBe(true);
  });
});

describe("two that share a TURN server", () => {
  let run: Run;
  beforeAll(async () => {
    run = await runComponents(({ BigBlueButton, SharedTurnServer }) => {
      const turn = new SharedTurnServer("relay", common);
      // In another order than that of their addresses.
      for (const name of ["school-b", "school-a"])
        new BigBlueButton(name, { ...common, hostname: name, turn });
      return {};
    });
  });

  test("there is one TURN host, whose peers are both", () => {
    const servers = run.ofType("hcloud:index/server:Server").map(({ name }) => name);
    expect(servers.sort()).toEqual([
      "relay-turn-host-server",
      "school-a-bbb-host-server",
      "school-b-bbb-host-server",
    ]);
    expect(turnPeersIn(run, "relay-turn")).toEqual([
      "203.0.113.11",
      "2001:db8:0:11::1",
      "203.0.113.21",
      "2001:db8:0:21::1",
    ]);
  });

  test("both are given its name and secret, and wait for it to be configured", () => {
    for (const name of ["school-a", "school-b"]) {
      const wire = run.get(`${name}-bbb-wire`);
      expect(wire.inputs.stdin).toContain(`value="${secretOf("relay-turn-secret")}"`);
      expect(wire.dependsOn).toContain("relay-turn-configure");
    }
    expect(
      stepsIn(run)
        .filter(({ name }) => name.endsWith("-verify"))
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["school-a-bbb-verify", "school-b-bbb-verify"]);
  });
});

test("another's own TURN server can be shared, and relays to both", async () => {
  const run = await runComponents(({ BigBlueButton }) => {
    const turn = new BigBlueButton("school-a", common);
    new BigBlueButton("school-b", { ...common, hostname: "school-b", turn });
    return {};
  });
  expect(turnPeersIn(run, "school-a-turn")).toContain("203.0.113.21");
  expect(run.ofType("hcloud:index/server:Server")).toHaveLength(3);
});

describe("an argument of another resource", () => {
  const program = (known: boolean) => (face: typeof Face, sdk: typeof import("@pulumi/pulumi")) => {
    const domain = sdk.output(Promise.resolve(known ? "example.org" : (sdk.unknown as never)));
    const school = new face.BigBlueButton("school-a", { ...common, domain });
    return { url: school.url };
  };

  test("is waited for", async () => {
    const run = await runComponents(program(true));
    expect((await reveal(run.outputs.url)).value).toBe("https://bbb.example.org");
  });

  test("a preview that does not know it says so, and shows the rest", async () => {
    const run = await runComponents(program(false), { preview: true });
    expect(run.warnings).toEqual([
      expect.stringMatching(
        /^domain of BigBlueButton "school-a" is not known yet: .* shows nothing of what school-a makes/,
      ),
    ]);
    expect(run.ofType("hcloud:index/server:Server")).toEqual([]);
    const { isKnown } = run.outputs.url as unknown as { isKnown: Promise<boolean> };
    expect(await isKnown).toBe(false);
  });
});
