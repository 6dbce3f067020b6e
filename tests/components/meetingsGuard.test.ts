import { AsyncLocalStorage } from "node:async_hooks";

import * as pulumi from "@pulumi/pulumi";

import { runningMeetings } from "../../bigbluebutton/meetings";
import { MeetingsGuard } from "../../components/meetingsGuard";
import { leavePool } from "../../components/poolLease";
import type { Settings } from "../../settings";
import { settings } from "../support/program";

jest.mock("../../bigbluebutton/meetings");
jest.mock("../../components/poolLease");
jest.mock("@pulumi/pulumi/runtime/resource", () => ({
  ...jest.requireActual<object>("@pulumi/pulumi/runtime/resource"),
  registerResourceHook: () => Promise.resolve(),
}));

beforeEach(() => {
  jest.mocked(runningMeetings).mockResolvedValue(2);
  jest.spyOn(pulumi.log, "warn").mockResolvedValue();
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.clearAllMocks();
});

const told = () => jest.mocked(pulumi.log.warn).mock.calls.map(([message]) => message);

const guardWith = (more: Partial<Settings>) => {
  const server = { fqdn: "bbb.example.org", sharedSecret: pulumi.output("secret"), trust: {} };
  return new MeetingsGuard({ ...settings, ...more }, () => Promise.resolve([server]));
};

type Hook = "server" | "turnConfiguration";

/** Answer of a guard's hook to a change of a resource. */
const answer = async (guard: MeetingsGuard, hook: Hook, before: object, now: object) =>
  guard[hook].callback({
    ...{ urn: "urn:x", id: "1", name: "it", type: "x:y:Z" },
    oldInputs: before,
    newInputs: now,
  });

/** Answer of a hook to a change of a resource, while two meetings run. */
const change = (hook: Hook, more: Partial<Settings>, before: object, now: object) =>
  answer(guardWith(more), hook, before, now);

const component = { type: "BigBlueButton", name: "school-a" };

describe("coturn's configuration", () => {
  const changed = (more: Partial<Settings>, before: string, now: string) =>
    change("turnConfiguration", more, { stdin: before }, { stdin: pulumi.output(now) });
  /** Text of the refusal, while two meetings run. */
  const refusal = async (before: string, now: string, more: Partial<Settings> = {}) => {
    const refused = await changed(more, before, now).catch((error: unknown) => error);
    return (refused as Error).message;
  };

  test("unchanged: nobody is asked", async () => {
    await changed({}, "realm=a", "realm=a");
    expect(runningMeetings).not.toHaveBeenCalled();
  });

  test("changed: refused, with the command that allows it", async () => {
    expect(await refusal("realm=a", "realm=b")).toMatch(
      /2 meetings run on bbb\.example\.org; nothing was changed\. Wait for their end, then run pulumi up again; or allow it: pulumi config set duringMeetings coturn-[0-9a-f]{12}$/,
    );
    expect(await refusal("realm=a", "realm=b", { component })).toMatch(
      /or allow it: duringMeetings: "coturn-[0-9a-f]{12}"$/,
    );
  });

  test("allowed by the text that the refusal names, and no other change is", async () => {
    const [duringMeetings] = /coturn-\w+/.exec(await refusal("realm=a", "realm=b"))!;
    await changed({ duringMeetings }, "realm=a", "realm=b");
    expect(told()).toEqual([expect.stringMatching(/2 meetings run on .*, and duringMeetings allows it$/)]);
    expect(await refusal("realm=b", "realm=c", { duringMeetings })).toContain("nothing was changed");
  });
});

describe("a server", () => {
  test("is given another type where duringMeetings names it", async () => {
    await change("server", { duringMeetings: "ccx33" }, { serverType: "ccx23" }, { serverType: "ccx33" });
    expect(told()).toHaveLength(1);
    const refused = change("server", {}, { serverType: "ccx23" }, { serverType: "ccx33" });
    await expect(refused).rejects.toThrow(/or allow it: pulumi config set duringMeetings ccx33$/);
  });

  test("warns as the component that is made, though the engine calls outside of it", async () => {
    const making = new AsyncLocalStorage<string>();
    const warned: unknown[] = [];
    jest.mocked(pulumi.log.warn).mockImplementation(async () => void warned.push(making.getStore()));
    const guard = making.run("school-a", () => guardWith({ duringMeetings: "ccx33" }));
    await answer(guard, "server", { serverType: "ccx23" }, { serverType: "ccx33" });
    expect(warned).toEqual(["school-a"]);
  });

  test("other networks are named by no text", async () => {
    const networks = (ipv4: number) => ({ publicNets: [{ ipv4 }] });
    const refused = change("server", { duringMeetings: "[object Object]" }, networks(1), networks(2));
    await expect(refused).rejects.toThrow(/run pulumi up again; duringMeetings can't allow it$/);
  });
});

describe("a server of a pool", () => {
  const guardOf = (more: Partial<Settings>) =>
    new MeetingsGuard({ ...settings, ...more }, () =>
      Promise.resolve(
        [1, 2].map((number) => ({
          ...{ name: `bbb-${number}`, fqdn: `bbb-${number}.example.org`, balancer: "bbb.example.org" },
          ...{ sharedSecret: pulumi.output(`secret ${number}`), trust: {} },
        })),
      ),
    );
  const larger = (more: Partial<Settings>, name: string) =>
    guardOf(more).server.callback({
      ...{ urn: "urn:x", id: "1", name, type: "x:y:Z" },
      oldInputs: { serverType: "ccx23" },
      newInputs: { serverType: "ccx33" },
    });

  test("leaves the pool before it is powered off, with its own secret, and no other is asked", async () => {
    await larger({}, "bbb-2-host-server");
    expect(jest.mocked(leavePool).mock.calls.map(([server, leaving]) => [server, leaving])).toEqual([
      [
        { fqdn: "bbb-2.example.org", balancer: "bbb.example.org", secret: "secret 2", trust: {} },
        {
          what: "changing serverType of bbb-2-host-server powers it off",
          anyway: false,
          orAllow: "; or allow it: pulumi config set duringMeetings ccx33",
        },
      ],
    ]);
    expect(runningMeetings).not.toHaveBeenCalled();
  });

  test("does not wait for its meetings where duringMeetings names the type", async () => {
    await larger({ duringMeetings: "ccx33" }, "bbb-1-host-server");
    expect(jest.mocked(leavePool).mock.calls.at(-1)![1]).toMatchObject({ anyway: true });
  });

  test("is asked for its meetings, with all others, before the TURN server is powered off", async () => {
    await expect(larger({}, "turn-host-server")).rejects.toThrow("2 meetings run on bbb-1.example.org");
    expect(leavePool).not.toHaveBeenCalled();
  });
});
