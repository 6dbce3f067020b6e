import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { apiChecksum } from "../../bigbluebutton/api";
import { FakeHost, run, SCRIPTS } from "./scripts";

const SECRET = "639259d4-9dd8-4b25-bf01-95f9567eaf4b";
const PYTHON = ["/usr/bin/python3", join(SCRIPTS, "api_check.py")];

let host: FakeHost;
let api: Server;
let base: string;
let meetings = "";

beforeAll(async () => {
  host = new FakeHost();
  host.put("bbb-web.properties", `a=1\nsecuritySalt=old\nsecuritySalt=${SECRET}\n`);
  api = createServer((request, response) => {
    const { searchParams } = new URL(request.url!, "http://localhost");
    const good = searchParams.get("checksum") === apiChecksum("getMeetings", "", SECRET);
    response.end(
      good
        ? `<response><returncode>SUCCESS</returncode><meetings>${meetings}</meetings></response>`
        : "<response><returncode>FAILED</returncode><messageKey>checksumError</messageKey></response>",
    );
  });
  await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(api.address() as AddressInfo).port}/bigbluebutton/api`;
});

afterAll(() => {
  api.close();
  host.remove();
});

const count = (url = base) =>
  run([...PYTHON, "meetings", "--properties", join(host.root, "bbb-web.properties"), "--base", url]);

test("meetings are counted, but for those that were ended; the secret is the file's last", async () => {
  meetings = "";
  expect(await count()).toEqual({ code: 0, output: "0\n" });
  meetings = ["false", "true", "false"]
    .map((ended) => `<meeting><hasBeenForciblyEnded>${ended}</hasBeenForciblyEnded></meeting>`)
    .join("");
  expect(await count()).toEqual({ code: 0, output: "2\n" });
});

test("an API that does not answer is told apart from one without meetings", async () => {
  expect(await count("http://127.0.0.1:9/bigbluebutton/api")).toEqual({ code: 3, output: "" });
});

test("a signed call succeeds with the right secret only, and shows none", async () => {
  const signed = (secret: string) => run([...PYTHON, "signed", "--base", base], `${secret}\n`);
  expect(await signed(SECRET)).toEqual({ code: 0, output: "" });
  expect(await signed("another")).toEqual({ code: 1, output: "" });
});

test("a deployment that can't be reached fails, with what to do", async () => {
  const { code, output } = await run(
    [...PYTHON, "deployment", "--hostname", "absent.invalid", "--wait", "0"],
    SECRET,
  );
  expect(code).toBe(1);
  expect(output).toMatch(/^FAIL {2}certificate of absent\.invalid — .* — \d+\.\d s\n {6}to do: .*nginx -t/);
  expect(output).toMatch(/\nFAIL {2}API over HTTPS — .*\n {6}to do: .*bbb-web/);
  expect(output).not.toContain(SECRET);
});
