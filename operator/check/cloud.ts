import type { CloudName, CloudObject, ObjectType } from "../inventory";
import type { StackResource } from "../stacks";
import {
  expectedAttachments,
  expectedInbound,
  expectedObjects,
  inboundLines,
  type Expected,
} from "./cloudState";
import { ask, Doubtful, worst, Wrong, type Finding } from "./finding";
import type { Section } from "./report";

/** Names of the clouds' sections. */
export const CLOUD_NAMES: Readonly<Record<CloudName, string>> = { hetzner: "Hetzner Cloud", aws: "AWS" };

const BRING_BACK = "pulumi refresh, then pulumi up";

/**
 * Lists the objects at a cloud that have the project's label. @throws NotAsked with the reason why it can't be asked
 */
export type ListObjects = (cloud: CloudName, project: string) => Promise<readonly CloudObject[]>;

/** Stack's state and the lists of its clouds. Without a token nothing is asked. */
export interface CloudArgs {
  readonly project: string;
  readonly stack: string;
  readonly resources: readonly StackResource[];
}

/** Makes one section for each cloud where the stack has something. */
export function checkClouds(args: CloudArgs, list: ListObjects): Promise<Section[]> {
  const expected = expectedObjects(args.resources);
  const clouds = [...new Set(expected.map(({ cloud }) => cloud))];
  return Promise.all(
    clouds.map(async (cloud) => {
      const own = expected.filter((one) => one.cloud === cloud);
      return { place: CLOUD_NAMES[cloud], findings: await checkCloud(args, cloud, own, list) };
    }),
  );
}

async function checkCloud(
  args: CloudArgs,
  cloud: CloudName,
  expected: readonly Expected[],
  list: ListObjects,
): Promise<Finding[]> {
  let objects: readonly CloudObject[] = [];
  const asked = `${expected.length} of the state, by label`;
  const listed = await ask("resources", asked, async () => {
    objects = await list(cloud, args.project);
    return judgeExistence(args.stack, expected, objects);
  });
  // Without a list there is nothing to say of a part of it.
  if (objects.length === 0) return [listed];
  const there = new Map(objects.map((object) => [key(object.type, object.id), object]));
  const pairs = expected.flatMap((one) => {
    const object = there.get(key(one.type, one.id));
    return object ? [{ expected: one, object }] : [];
  });
  return [
    listed,
    await ask("servers", "running", () => judgeServers(pairs)),
    await ask("firewalls", "rules, attached", () => judgeFirewalls(pairs, args.resources)),
    ...(await checkVolumes(pairs, args.resources)),
  ];
}

interface Pair {
  readonly expected: Expected;
  readonly object: CloudObject;
}

function key(type: ObjectType, id: string): string {
  return `${type} ${id}`;
}

function ofType(pairs: readonly Pair[], type: ObjectType): Pair[] {
  return pairs.filter(({ object }) => object.type === type);
}

/** Checks that everything of the state exists, and that nothing else has the stack's label. */
function judgeExistence(
  stack: string,
  expected: readonly Expected[],
  objects: readonly CloudObject[],
): string {
  const there = new Set(objects.map(({ type, id }) => key(type, id)));
  const wanted = new Set(expected.map(({ type, id }) => key(type, id)));
  const missing = expected.filter(({ type, id }) => !there.has(key(type, id)));
  const types = new Set(expected.map(({ type }) => type));
  const more = objects.filter(
    ({ type, id, labels }) => labels.stack === stack && types.has(type) && !wanted.has(key(type, id)),
  );
  return worst([
    ...missing.map(
      ({ name, type, id }) =>
        new Wrong(`${name} (${type} ${id}) is not there`, `${BRING_BACK}, which makes it anew`),
    ),
    ...more.map(
      ({ name, type, id }) =>
        new Doubtful(
          `${type} ${name} (${id}) is not in the state`,
          "somebody made it with the stack's labels, or an update was cut off: if nobody needs it, remove it in the console",
        ),
    ),
    `${expected.length - missing.length} there`,
  ]);
}

function judgeServers(pairs: readonly Pair[]): string {
  return worst(
    ofType(pairs, "server").map(({ expected: { name }, object: { status = "unknown" } }) =>
      status === "running"
        ? `${name} is running`
        : new Wrong(`${name} is ${status}`, "start it in the cloud's console, or find out who stopped it"),
    ),
  );
}

function judgeFirewalls(pairs: readonly Pair[], resources: readonly StackResource[]): string {
  const servers = ofType(pairs, "server");
  return worst(ofType(pairs, "firewall").flatMap((pair) => judgeFirewall(pair, servers, resources)));
}

function judgeFirewall(
  { expected, object }: Pair,
  servers: readonly Pair[],
  resources: readonly StackResource[],
): (string | Wrong)[] {
  const { name } = expected;
  const [wanted, found] = [expectedInbound(expected, resources), inboundLines(object.inbound ?? [])];
  const missing = wanted.filter((line) => !found.includes(line));
  const more = found.filter((line) => !wanted.includes(line));
  // A host and its firewall have the same name but for its end.
  const server = servers.find((one) => one.expected.name === name.replace(/-firewall$/, "-server"));
  const attached = !server || object.appliedTo === undefined || object.appliedTo.includes(server.object.id);
  const wrong = [
    ...(attached ? [] : [new Wrong(`${name} is not attached to its server`, BRING_BACK)]),
    ...(missing.length > 0 ? [new Wrong(`${name} lacks ${missing.join(", ")}`, BRING_BACK)] : []),
    ...(more.length > 0 ? [new Wrong(`${name} lets in more: ${more.join(", ")}`, BRING_BACK)] : []),
  ];
  return wrong.length > 0 ? wrong : [`${name} as deployed, ${wanted.length} rules`];
}

async function checkVolumes(pairs: readonly Pair[], resources: readonly StackResource[]): Promise<Finding[]> {
  const volumes = ofType(pairs, "volume");
  if (volumes.length === 0) return [];
  const attachments = expectedAttachments(resources);
  const finding = await ask("volume", "attached", () =>
    worst(
      volumes.map(({ expected: { name, id }, object }) => {
        const server = attachments.get(id);
        return server === undefined || object.server === server
          ? `${name} is attached`
          : new Wrong(
              `${name} is attached to ${object.server === undefined ? "no server" : `server ${object.server}`}`,
              `${BRING_BACK}, and restart the server outside of meetings, which mounts it anew; till then recordings have no place: stop BigBlueButton (bbb-conf --stop)`,
            );
      }),
    ),
  );
  return [finding];
}
