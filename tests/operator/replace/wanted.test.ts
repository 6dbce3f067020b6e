import { Mistake } from "../../../cli/mistake";
import { wantedOf, type Asked } from "../../../operator/replace/wanted";

const settings = {
  domain: "school.eu",
  email: "admin@school.eu",
  sshNetworks: ["198.51.100.7/32"],
  recordingsGb: 50,
  "hcloud:token": "t",
};
const asked: Asked = {
  ...{ settings, release: "jammy-30", set: {} },
  context: { project: "bigbluebutton", stack: "prod" },
};
const wanted = (more: Partial<Asked> = {}) => wantedOf({ ...asked, ...more });

test("without --set it is the same server anew", () => {
  expect(wanted()).toMatchObject({
    set: {},
    former: {},
    serverType: "ccx23",
    location: "fsn1",
    backup: false,
  });
});

test("what is set is remembered as it was, not set being one way", () => {
  const more = {
    settings: { ...settings, serverType: "ccx33" },
    set: { release: "noble-40", serverType: "ccx43" },
  };
  expect(wanted(more)).toMatchObject({
    set: { release: "noble-40", serverType: "ccx43" },
    former: { release: null, serverType: "ccx33" },
    serverType: "ccx43",
  });
});

test("a release that was set before, and refused, is the new one; the way back has the deployed one", () => {
  const set = { ...settings, release: "noble-40" };
  const expected = { set: { release: "noble-40" }, former: { release: "jammy-30" } };
  expect(wanted({ settings: set })).toMatchObject(expected);
  expect(wanted({ settings: set, set: { release: "noble-40" } })).toMatchObject(expected);
});

test("keys that need more than a new server, and values that are none, are mistakes", () => {
  expect(() => wanted({ set: { location: "hel1", domain: "x.org" } })).toThrow(Mistake);
  expect(() => wanted({ set: { location: "hel1", domain: "x.org" } })).toThrow(/^--set location, domain: /);
  expect(() => wanted({ set: { release: "noble-99" } })).toThrow(Mistake);
  expect(() => wanted({ set: { release: "noble-99" } })).toThrow(/release/);
});

test("a backup is known by its setting", () => {
  expect(
    wanted({
      settings: {
        ...settings,
        backup: { to: "s3:https://s3.school.eu/b", accessKeyId: "a", secretAccessKey: "b" },
      },
    }).backup,
  ).toBe(true);
});
