import { readFileSync } from "node:fs";

import { releases } from "../../bigbluebutton/releases";
import { askableServices } from "../../bigbluebutton/services";

/** Units of the stand-in that hold a port on the loopback interface, by line: "3.0 bbb-apps-akka 8901". */
const standIns = readFileSync("sandbox/bbb/units.tsv", "utf8")
  .split("\n")
  .filter((line) => line && !line.startsWith("#"))
  .flatMap((line) => {
    const [lines = "", , unit, , ...words] = line.split(/ +/);
    const port = /^(?:\*:)?(\d{4,5})$/.exec(words.at(-1)!)?.[1];
    return port === undefined ? [] : lines.split(",").map((one) => `${one} ${unit} ${port}`);
  });

/** Units of other kinds: nginx itself, stand-ins with settings of their own, and an optional service of 3.0. */
const OTHERS = ["nginx", "bbb-web", "freeswitch", "livekit-server"];

test.each(["focal-27", "jammy-30", "noble-40"] as const)(
  "%s: those that can be asked are there, at these ports",
  (name) => {
    const { version } = releases[name];
    const asked = askableServices(releases[name]).filter(({ unit }) => !OTHERS.includes(unit));
    expect(asked.length).toBeGreaterThan(2);
    for (const { unit, port } of asked) expect(standIns).toContain(`${version} ${unit} ${port}`);
  },
);

test("nothing is asked of lines whose services nobody has looked at", () => {
  expect(askableServices(releases["focal-26"])).toEqual([]);
});
