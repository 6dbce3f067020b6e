import { createHash } from "node:crypto";

import type * as pulumi from "@pulumi/pulumi";
import type { MockResourceArgs } from "@pulumi/pulumi/runtime";
import type { MockMonitor } from "@pulumi/pulumi/runtime/mocks";

import { releases } from "../../bigbluebutton/releases";
import type { ScriptFile } from "../../steps/bundle";
import type * as Clouds from "../../clouds";
import type { Host } from "../../clouds/host";
import type * as Face from "../../package";
import type { HostSettings, OwnTurn, Settings } from "../../settings";
import { commonScripts, stepTable, type HostScript } from "../../steps/table";
import { awsAnswer, awsComputed, awsIdOf, world, type AwsWorld } from "./awsWorld";

/** Resource as registered with the engine. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  readonly parent: string;
  /** Name of an explicit provider. */
  readonly provider: string;
  /** Inputs with secrets unwrapped; the secrets' top-level names are in `secretInputs`. */
  readonly inputs: Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any
  readonly secretInputs: readonly string[];
  /** Names of resources: those that the program says, and those that its inputs imply. */
  readonly dependsOn: readonly string[];
  readonly protect: boolean;
  readonly deleteBeforeReplace: boolean;
  readonly ignoreChanges: readonly string[];
  readonly additionalSecretOutputs: readonly string[];
  readonly deletedWith: string;
  readonly replaceWith: readonly string[];
  readonly replacementTrigger: unknown;
  readonly createTimeout: string;
  /** Names of the hooks that are called before its creation, and before its updates. */
  readonly beforeCreate: readonly string[];
  readonly beforeUpdate: readonly string[];
}

/** A question to a cloud. */
export interface LookUp {
  readonly token: string;
  /** Name of an explicit provider, see {@link Registered.provider}. */
  readonly provider: string;
  /** Number of resources registered before. */
  readonly resourcesBefore: number;
}

/** Record of a program's run. */
export interface Run {
  readonly outputs: Record<string, pulumi.Output<unknown>>;
  readonly resources: readonly Registered[];
  readonly messages: readonly string[];
  readonly warnings: readonly string[];
  readonly lookUps: readonly LookUp[];
  /** @throws Error unless there is exactly one. */
  get(name: string): Registered;
  ofType(type: string): Registered[];
}

/** Settings of an ordinary staging deployment. */
export const settings: Settings & { readonly turn: OwnTurn } = {
  project: "bigbluebutton",
  stack: "staging",
  labels: { project: "bigbluebutton", stack: "staging" },
  environment: "staging",
  domain: "example.org",
  email: "admin@example.org",
  release: releases["jammy-30"],
  bbb: {
    fqdn: "bbb.example.org",
    ...{ cloud: "hetzner", location: "fsn1", serverType: "ccx23", image: "ubuntu-22.04" },
    certificate: { kind: "authority", trustedByBrowsers: true },
  },
  turn: {
    kind: "own",
    fqdn: "turn.example.org",
    ...{ cloud: "hetzner", location: "fsn1", serverType: "cpx22", image: "ubuntu-24.04" },
    certificate: { kind: "authority", trustedByBrowsers: true },
    peers: [],
    rotateSecret: "",
  },
  network: {},
  sshNetworks: ["198.51.100.0/24", "2001:db8:1::/48"],
  sshPublicKeys: ["ssh-ed25519 AAAAOWN admin@laptop"],
  dns: "hetzner",
  acme: { server: "https://acme.example.org/dir", caUrls: [], trustedByBrowsers: true },
  groups: {},
  recordings: { kind: "new", sizeGb: 50, protected: true },
  snapshotDays: 7,
  installer: { url: "https://example.org/bbb-install.sh", version: "jammy-300" },
  upgrade: "",
  duringMeetings: "",
  rotateSharedSecret: "",
  protected: false,
  backups: false,
};

/** Hosts at AWS, in the account of {@link world}. */
export const atAws: { readonly bbb: HostSettings; readonly turn: OwnTurn } = {
  bbb: {
    ...settings.bbb,
    cloud: "aws",
    location: "eu-central-1",
    serverType: "c7a.xlarge",
    image: releases["jammy-30"].images.aws,
  },
  turn: {
    ...settings.turn,
    cloud: "aws",
    location: "eu-central-1",
    serverType: "c7a.large",
    image: releases["noble-40"].images.aws,
  },
};

/** Stand-ins for scripts/host, so that a test's expectation does not change with each of their lines. */
export const scripts: readonly ScriptFile[] = [
  ...new Set([
    ...Object.keys(stepTable),
    ...Object.values<HostScript>(stepTable).flatMap(({ needs }) => needs),
    ...commonScripts,
  ]),
].map((name) => ({ name, content: `# ${name}\n` }));

/** Steps on the hosts, without those that run there before something is deleted. */
export function stepsIn(run: Run): Registered[] {
  return run.ofType("command:remote:Command").filter(({ inputs }) => inputs.create !== undefined);
}

/** Addresses that a run's TURN server relays to. @param name Prefix of its resources. */
export function turnPeersIn(run: Run, name = "turn"): string[] {
  return (JSON.parse(String(run.get(`${name}-access`).inputs.stdin)) as { peers: string[] }).peers;
}

/** Names of the resources that are new or have other inputs in a later run, sorted. */
export function changed(before: Run, after: Run): string[] {
  const inputsOf = (run: Run, urn: string) =>
    JSON.stringify(run.resources.find((resource) => resource.urn === urn)?.inputs);
  return after.resources
    .filter(({ urn }) => inputsOf(before, urn) !== inputsOf(after, urn))
    .map(({ name }) => name)
    .sort();
}

/** Numeric id that the mocked cloud gives to a resource. */
export function idOf(name: string): number {
  return parseInt(createHash("sha256").update(name).digest("hex").slice(0, 8), 16);
}

/** Secret that the mocked providers make for a resource. */
export function secretOf(name: string, rotate = ""): string {
  return createHash("sha256").update(`secret of ${name} ${rotate}`).digest("hex");
}

/** Differences from an ordinary run. */
export interface Variation {
  readonly settings?: Partial<Settings>;
  readonly scripts?: readonly ScriptFile[];
  /** Replaces parts of a host, as on another cloud. */
  readonly host?: (host: Host, sdk: typeof pulumi) => Partial<Host>;
  /** Differences of the account at AWS. */
  readonly aws?: Partial<AwsWorld>;
  /** Outputs of other stacks, by their whole names. */
  readonly stacks?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /**
   * Resources of the stack's own state, with their types and outputs; undefined for an engine that does not tell them.
   */
  readonly state?: readonly { readonly type: string; readonly outputs: object; readonly urn?: string }[];
  /** Outputs of the stack's last update. */
  readonly outputs?: object;
  /** Answer to every question to Hetzner. */
  readonly hetznerRefuses?: string;
  /** Called for each question to a cloud, which is answered once it is done. */
  readonly onLookUp?: (token: string) => unknown;
  /** Sold-out types at Hetzner, and the stack's objects there. */
  readonly hetznerHas?: {
    readonly soldOut?: readonly string[];
    readonly servers?: readonly object[];
    readonly primaryIps?: readonly object[];
    /** Baked images, with the selector that finds each, newest first. */
    readonly images?: readonly {
      readonly id: number;
      readonly selector: string;
      readonly labels: Readonly<Record<string, string>>;
    }[];
    /** GB of the disk of every server type. */
    readonly disk?: number;
    /** Record sets of its zone example.org. */
    readonly rrsets?: readonly object[];
  };
}

/** Runs index.ts like `pulumi up`, with mocked providers; records everything it registers. */
export function runProgram(variation: Variation = {}): Promise<Run> {
  return run((sdk) => {
    const loadSettings = () => ({ ...settings, ...variation.settings });
    jest.doMock("../../settings/configuration", () => ({ loadSettings }));
    jest.doMock("../../steps/hostScripts", () => ({ readScripts: () => variation.scripts ?? scripts }));
    const clouds = jest.requireActual<typeof Clouds>("../../clouds");
    jest.doMock("../../clouds", () => ({
      ...clouds,
      async lookUpClouds(...args: Parameters<typeof clouds.lookUpClouds>) {
        const opened = await clouds.lookUpClouds(...args);
        const vary = (host: Host) => Object.assign(host, variation.host?.(host, sdk));
        return {
          ...opened,
          hosts(...args: Parameters<typeof opened.hosts>) {
            const made = Object.entries(opened.hosts(...args));
            return Object.fromEntries(made.map(([name, host]) => [name, vary(host)]));
          },
        };
      },
    }));
    const program = require("../../index") as () => Promise<Run["outputs"]>; // eslint-disable-line @typescript-eslint/no-require-imports
    return program();
  }, variation);
}

/** A program that imports the package, as {@link runProgram} runs index.ts. */
export function runComponents(
  program: (face: typeof Face, sdk: typeof pulumi) => Record<string, unknown>,
  variation: Omit<Variation, "settings" | "host"> & { readonly preview?: boolean } = {},
): Promise<Run> {
  return run(async (sdk) => {
    jest.doMock("../../steps/hostScripts", () => ({ readScripts: () => variation.scripts ?? scripts }));
    const face = require("../../package") as typeof Face; // eslint-disable-line @typescript-eslint/no-require-imports
    const outputs = program(face, sdk) as Run["outputs"];
    // As the engine has it, the program lasts until its event loop is empty.
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    return outputs;
  }, variation);
}

function readStack({ id, inputs }: MockResourceArgs, stacks: Variation["stacks"] = {}) {
  const outputs = stacks[String(inputs.name)];
  if (!outputs) throw new Error(`unknown stack "${String(inputs.name)}"`);
  return { id: id!, state: { ...inputs, outputs, secretOutputNames: ["turnSecret"] } };
}

/** Function of the engine that tells a stack's resources. */
const STATE = "pulumi:pulumi:readStackResourceOutputs";

function ownState({ stackName }: MockResourceArgs["inputs"], state: Variation["state"]) {
  if (stackName !== "organization/bigbluebutton/staging" || !state)
    throw new Error("unrecognized function name");
  return {
    name: stackName,
    outputs: Object.fromEntries(state.map((resource, i) => [resource.urn ?? `urn ${i}`, resource])),
  };
}

function hetznerAnswer(
  token: string,
  { name, zone, withSelector }: Readonly<Record<string, unknown>>,
  { hetznerRefuses, hetznerHas = {} }: Variation,
): object {
  const refused = (details: string) => Object.assign(new Error(), { details });
  if (hetznerRefuses) throw refused(hetznerRefuses);
  const { soldOut = [], servers = [], primaryIps = [], rrsets = [], images = [], disk } = hetznerHas;
  switch (token) {
    case "hcloud:index/getServerType:getServerType":
      if (name === "unheard-of") throw refused(`no server type ${name}`);
      return {
        name,
        ...(disk === undefined ? {} : { disk }),
        locations: ["fsn1", "nbg1"].map((location) => ({
          name: location,
          available: !soldOut.includes(`${String(name)} in ${location}`),
          isDeprecated: name === "old",
        })),
      };
    case "hcloud:index/getStorageBoxType:getStorageBoxType":
      if (name === "bx99") throw refused(`Resource (storage box type) was not found: name=${name}`);
      return { id: 1, name };
    case "hcloud:index/getImages:getImages":
      return { images: images.filter(({ selector }) => selector === withSelector) };
    case "hcloud:index/getServers:getServers":
      return { servers };
    case "hcloud:index/getPrimaryIps:getPrimaryIps":
      return { primaryIps };
    case "hcloud:index/getZoneRrsets:getZoneRrsets":
      if (zone !== "example.org") throw refused(`zone ${String(zone)} not found`);
      return { rrsets };
    case "hcloud:index/getZone:getZone":
      if (name !== "example.org") throw refused(`zone ${String(name)} not found`);
      return { id: 7, name, ttl: 3600, mode: "primary" };
    case "hcloud:index/getLocation:getLocation":
      if (name !== "fsn1" && name !== "nbg1") throw refused(`location ${String(name)} not found`);
      return { id: 1, name };
    default:
      throw new Error(`unexpected call of ${token}`);
  }
}

async function run(
  program: (sdk: typeof pulumi) => Promise<Run["outputs"]>,
  variation: Variation & { readonly preview?: boolean } = {},
): Promise<Run> {
  jest.resetModules();
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const sdk = require("@pulumi/pulumi") as typeof pulumi;
  const resources: Registered[] = [];
  const messages: string[] = [];
  const warnings: string[] = [];
  const lookUps: LookUp[] = [];
  const inputs = new Map<string, MockResourceArgs>();
  jest.spyOn(sdk.log, "info").mockImplementation((message) => {
    messages.push(message);
    return Promise.resolve();
  });
  jest.spyOn(sdk.log, "warn").mockImplementation((message) => {
    warnings.push(message);
    return Promise.resolve();
  });
  await sdk.runtime.setMocks(
    {
      newResource(args) {
        inputs.set(`${args.type} ${args.name}`, args);
        if (args.type === "pulumi:pulumi:StackReference") return readStack(args, variation.stacks);
        const id = args.type.startsWith("aws:") ? awsIdOf(args.type, args.name) : String(idOf(args.name));
        return { id, state: { ...args.inputs, ...computed(args) } };
      },
      async call({ token, inputs, provider }) {
        if (token === STATE) return ownState(inputs, variation.state);
        if (token === "pulumi:pulumi:readStackOutputs") {
          await variation.onLookUp?.(token);
          return { outputs: variation.outputs ?? {} };
        }
        lookUps.push({ token, provider: providerOf(provider), resourcesBefore: resources.length });
        await variation.onLookUp?.(token);
        if (token.startsWith("aws:")) return awsAnswer({ ...world, ...variation.aws }, token, inputs);
        return hetznerAnswer(token, inputs, variation);
      },
    },
    "bigbluebutton",
    "staging",
    variation.preview ?? false,
    "organization",
  );
  const { isRpcSecret, unwrapRpcSecret } = sdk.runtime;
  const monitor = sdk.runtime.getMonitor() as unknown as MockMonitor;
  // The SDK's mocks know of no resource hooks, which nothing calls here.
  Object.assign(monitor, {
    registerResourceHook: (_: unknown, registered: (error: null) => void) => registered(null),
  });
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) =>
    register(request, (error, response) => {
      if (!error) {
        const raw = inputs.get(`${request.getType()} ${request.getName()}`)!.inputs;
        resources.push({
          type: request.getType(),
          name: request.getName(),
          urn: response.getUrn(),
          parent: nameOf(request.getParent()),
          provider: providerOf(request.getProvider()),
          inputs: Object.fromEntries(
            Object.entries(raw).map(([key, value]) => [key, unwrapRpcSecret(value)]),
          ),
          secretInputs: Object.keys(raw).filter((key) => isRpcSecret(raw[key])),
          dependsOn: request.getDependenciesList().map(nameOf),
          protect: request.getProtect() ?? false,
          deleteBeforeReplace: request.getDeletebeforereplace(),
          ignoreChanges: request.getIgnorechangesList(),
          additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
          deletedWith: nameOf(request.getDeletedwith()),
          replaceWith: request.getReplaceWithList().map(nameOf),
          replacementTrigger: request.getReplacementTrigger()?.toJavaScript(),
          createTimeout: request.getCustomtimeouts()?.getCreate() ?? "",
          beforeCreate: request.getHooks()?.getBeforeCreateList() ?? [],
          beforeUpdate: request.getHooks()?.getBeforeUpdateList() ?? [],
        });
      }
      callback(error, response);
    });
  const outputs = await program(sdk);
  await sdk.runtime.disconnect();
  return {
    outputs,
    resources,
    messages,
    warnings,
    lookUps,
    ofType: (type) => resources.filter((resource) => resource.type === type),
    get(name) {
      const found = resources.filter(
        (resource) => resource.name === name && !resource.type.startsWith("bbb:"),
      );
      if (found.length !== 1) throw new Error(`${found.length} resources are named ${name}`);
      return found[0]!;
    },
  };
}

function computed({ type, name, inputs }: MockResourceArgs): Record<string, unknown> {
  switch (type) {
    case "hcloud:index/primaryIp:PrimaryIp":
      return { ipAddress: addressOf(name) };
    case "hcloud:index/storageBox:StorageBox":
      return { server: "u1001.your-storagebox.de", username: "u1001" };
    case "random:index/randomPassword:RandomPassword":
      return { result: secretOf(name, inputs.keepers?.rotate) };
    case "tls:index/privateKey:PrivateKey":
      return {
        publicKeyOpenssh: `ssh-ed25519 AAAA${name}\n`,
        privateKeyOpenssh: `-----BEGIN ${secretOf(name)}-----\n`,
      };
    default:
      return awsComputed(type, name, inputs) ?? {};
  }
}

/** Address of a primary IP; for IPv6 Hetzner's provider gives the network's base. */
function addressOf(name: string): string {
  // Of a component "school-a" the tenth and eleventh.
  const [, component = "", role] = /^(?:(.*)-)?(bbb|turn)-host/.exec(name) ?? [];
  const host =
    (component === "" ? 0 : (component.charCodeAt(component.length - 1) - 96) * 10) +
    (role === "bbb" ? 1 : 2);
  const [, node, balancer] = /(?:^|-)(?:bbb-(\d+)|(balancer))-host/.exec(name) ?? [];
  if (node !== undefined || balancer !== undefined) return inPool(Number(node ?? 0), name.endsWith("ipv4"));
  return name.endsWith("ipv4") ? `203.0.113.${host}` : `2001:db8:0:${host}::`;
}

/** Address of a server of a pool; of its balancer, number 0. */
function inPool(number: number, ipv4: boolean): string {
  return ipv4 ? `203.0.113.${100 + number}` : `2001:db8:0:${100 + number}::`;
}

/** Name of a provider, by a reference of its URN and its id. */
function providerOf(reference: string | undefined): string {
  return reference?.split("::").at(-2) ?? "";
}

function nameOf(urn: string): string {
  return urn.split("::").at(-1)!;
}

/** Value of an output, and its secrecy. */
export async function reveal(output: unknown): Promise<{ value: unknown; secret: boolean }> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const sdk = require("@pulumi/pulumi") as typeof pulumi;
  const all = sdk.output(output);
  const value = await new Promise((resolve) => (all as pulumi.Output<unknown>).apply(resolve));
  return { value, secret: await sdk.isSecret(all) };
}
