import { join } from "node:path";

import { done, FakeHost, SCRIPTS } from "./scripts";

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
});
afterEach(() => host.remove());

/** A script that reads lib.sh in; a pause is told, and over at once. */
function lib(lines: string) {
  host.fake("sleep");
  host.put("../script.sh", `set -euo pipefail\n. "${join(SCRIPTS, "lib.sh")}"\n${lines}\n`);
  return done(host.start(["bash", join(host.directory, "script.sh")], { BBB_DEPLOY_PAUSE: undefined }));
}

describe("retry", () => {
  const pauses = () => host.called("sleep").map((call) => call.replace("sleep ", ""));

  test("pauses for longer each time, and ends as the last attempt did", async () => {
    expect((await lib("retry 4 false")).code).toBe(1);
    expect(pauses()).toEqual(["5", "15", "45"]);
  });

  test("does not pause after a success", async () => {
    const once = `try() { [[ -e ${host.directory}/tried ]] || { touch ${host.directory}/tried; return 7; }; }`;
    expect((await lib(`${once}; retry 4 try`)).code).toBe(0);
    expect(pauses()).toEqual(["5"]);
  });

  test("does not try again what will not get better", async () => {
    const full = `full() { echo "E: You don't have enough free space in /var/cache/apt/archives/."; return 100; }`;
    expect((await lib(`${full}; retry 4 full`)).code).toBe(100);
    expect(pauses()).toEqual([]);
  });
});
