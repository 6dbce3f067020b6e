import { check } from "../../../operator/check/deployment";
import { NotAsked } from "../../../operator/check/finding";
import { listObjects } from "../../../operator/check/listObjects";
import { Mistake } from "../../../cli/mistake";
import { StackNotFound, type Stacks } from "../../../operator/stacks";

function stacks(outputs: Readonly<Record<string, object>>): Stacks {
  const find = (stack: string) =>
    outputs[stack] ? Promise.resolve(outputs[stack] as never) : Promise.reject(new StackNotFound(stack));
  const read: Partial<Stacks> = {
    project: "bigbluebutton",
    list: () => Promise.resolve(Object.keys(outputs).map((name) => ({ name, updating: false }))),
    settings: () => Promise.resolve({}),
    outputs: find,
    resources: () => Promise.resolve([]),
  };
  // Whatever else there is changes something, which a check must not.
  return read as Stacks;
}

const never = () => Promise.reject(new Error("nothing of a cloud is needed for this"));
const run = (all: Stacks, stack: string) => check(all, never, { stack, meeting: false });

test("an unknown stack is a mistake that names those that there are", async () => {
  const unknown = run(stacks({ prod: {}, staging: {} }), "test");
  await expect(unknown).rejects.toThrow("there is no stack test: there are prod, staging");
  await expect(unknown).rejects.toBeInstanceOf(Mistake);
  await expect(run(stacks({}), "test")).rejects.toThrow("there is no stack test: there is none at all");
});

test("a stack in which nothing is deployed is a mistake", async () => {
  await expect(run(stacks({ prod: {} }), "prod")).rejects.toThrow("nothing is deployed in stack prod");
});

describe("what there is at a cloud", () => {
  test("is not asked without a token", async () => {
    const list = listObjects(() => Promise.resolve({ cloud: "hetzner" }), {});
    await expect(list("hetzner", "bigbluebutton")).rejects.toBeInstanceOf(NotAsked);
    await expect(list("hetzner", "bigbluebutton")).rejects.toThrow(/^no HCLOUD_TOKEN/);
  });

  test("is asked with the environment's token or the settings', at the endpoint of the environment", async () => {
    const tokens: (string | undefined)[] = [];
    const { createServer } = await import("node:http");
    const server = createServer((request, response) => {
      tokens.push(request.headers.authorization);
      const [key] = request.url!.slice(1).split(/[/?]/);
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ [key!]: [], meta: { pagination: { next_page: null } } }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const HCLOUD_ENDPOINT = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    const settings = () => Promise.resolve({ cloud: "hetzner", "hcloud:token": "of-the-settings" });
    const ask = (environment: object) =>
      listObjects(settings, { HCLOUD_ENDPOINT, HETZNER_ENDPOINT: HCLOUD_ENDPOINT, ...environment })(
        "hetzner",
        "bigbluebutton",
      );
    expect(await ask({})).toEqual([]);
    expect(new Set(tokens.splice(0))).toEqual(new Set(["Bearer of-the-settings"]));
    expect(await ask({ HCLOUD_TOKEN: "of-the-environment" })).toEqual([]);
    expect(new Set(tokens)).toEqual(new Set(["Bearer of-the-environment"]));
    await new Promise((resolve) => server.close(resolve));
  });
});
