import { AsyncLocalStorage } from "node:async_hooks";

import * as pulumi from "@pulumi/pulumi";

import { runningMeetings } from "../../bigbluebutton/meetings";
import { MeetingsGuard } from "../../components/meetingsGuard";
import type { Settings } from "../../settings";
import { settings } from "../support/program";

jest.mock("../../bigbluebutton/meetings");
jest.mock("@pulumi/pulumi/runtime/resource", () => ({
  ...jest.requireActual<object>("@pulumi/pulumi/runtime/resource"),
  registerResourceHook: () => Promise.resolve(),
}));

beforeEach(() => {
  jest.mocked(runningMeetings).mockResolvedValue(2);
  jest.spyOn(pulumi.log, "warn").mockResolvedValue();
});
afterEach(() => jest.restoreAllMocks());

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
  const conf = (secret: string, peer = "203.0.113.1") =>
    pulumi.secret(`realm=x\nstatic-auth-secret=${secret}\nallowed-peer-ip=${peer}\n`);
  const changed = (more: Partial<Settings>, before: object, now: object) =>
    change("turnConfiguration", more, { stdin: before }, { stdin: now });
  const named = { turn: { ...settings.turn, rotateSecret: "2026 b" }, duringMeetings: "2026 b" };

  test("unchanged: nobody is asked", async () => {
    await changed({}, conf("a"), conf("a"));
    expect(runningMeetings).not.toHaveBeenCalled();
  });

  test("a new secret is allowed by the value that asks for it", async () => {
    await changed(named, conf("a"), conf("b"));
    expect(told()).toEqual([expect.stringMatching(/2 meetings run on .*, and duringMeetings allows it$/)]);
  });

  test("a new secret without that is refused, with the command that allows it", async () => {
    const refused = changed({ ...named, duringMeetings: "2025" }, conf("a"), conf("b"));
    await expect(refused).rejects.toThrow(
      "2 meetings run on bbb.example.org; nothing was changed. Wait for their end, then run pulumi up again; " +
        "or allow it: pulumi config set duringMeetings '2026 b'",
    );
    const ofComponent = changed({ ...named, component, duringMeetings: "2025" }, conf("a"), conf("b"));
    await expect(ofComponent).rejects.toThrow(/or allow it: duringMeetings: "2026 b"$/);
  });

  test.each(["upgrade", "rotateSharedSecret"])("a text that %s has, too, may be used up", async (other) => {
    const refused = changed({ ...named, [other]: "2026 b" }, conf("a"), conf("b"));
    await expect(refused).rejects.toThrow(/give rotateTurnSecret and duringMeetings the same new text$/);
  });

  test("anything else is not allowed by the value that an earlier rotation had", async () => {
    const refused = changed(named, conf("a"), conf("a", "203.0.113.9"));
    await expect(refused).rejects.toThrow(
      /or allow it: give rotateTurnSecret and duringMeetings the same new text$/,
    );
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
