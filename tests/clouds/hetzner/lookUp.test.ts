import { setTimeout as sleep } from "node:timers/promises";

import { atAws, runProgram, settings } from "../../support/program";

const problem = (text: string) =>
  `1 problem in the settings of the stack "staging"; nothing was changed.\n\n  ${text}`;

/** Messages of terraform-provider-hcloud and of Pulumi's bridge, and of Hetzner's API for an unknown token. */
test.each([
  "Missing Hetzner Cloud API token",
  "Provider is missing a required configuration key, try `pulumi config set hcloud:token`: The Hetzner Cloud API token",
  "entered token is invalid (must be exactly 64 characters long)",
  "unable to authenticate (unauthorized, 4711)",
])("%s: one problem, that of the token, with its remedy", async (hetznerRefuses) => {
  for (const dns of ["hetzner", "manual"] as const) {
    const run = runProgram({ settings: { dns }, hetznerRefuses });
    await expect(run).rejects.toThrow(
      problem(
        `hcloud:token is missing or not accepted: ${hetznerRefuses}\n    → pulumi config set --secret hcloud:token`,
      ),
    );
  }
});

test.each([
  [
    "unable to authenticate (unauthorized, 4711)",
    "unauthorized",
    401,
    "hcloud:token is missing or not accepted: ",
  ],
  ["Unavailable (unavailable, 4711)", "unavailable", 503, "  "],
])("of the provider's paragraphs only Hetzner's words are told: %s", async (words, code, status, before) => {
  const hetznerRefuses =
    "invocation of hcloud:index/getZoneRrsets:getZoneRrsets returned an error: API request failed: An unexpected error " +
    `was encountered during an API request.\n\n${words}\n\nError code: ${code}\nStatus code: ${status}\n`;
  await expect(runProgram({ hetznerRefuses })).rejects.toThrow(`${before}${words}\n    → `);
});

/** Messages of hcloud-go and of Go's network code. */
test.each([
  "server responded with status code 503",
  "server responded with status code 429",
  "rate limit exceeded (rate_limit_exceeded, 4711)",
  'Get "https://api.hetzner.cloud/v1/zones/example.org": dial tcp: lookup api.hetzner.cloud: no such host',
  'Get "https://api.hetzner.cloud/v1/locations?name=fsn1": EOF',
  "read tcp 10.0.0.2:4711->213.239.246.73:443: read: connection reset by peer",
  "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
  "Unavailable (unavailable, 4711)",
])("%s: an outage, which blames no setting and offers to change none", async (hetznerRefuses) => {
  for (const dns of ["hetzner", "manual"] as const) {
    const run = runProgram({ settings: { dns }, hetznerRefuses });
    await expect(run).rejects.toThrow(/^Hetzner Cloud did not answer; nothing was changed/);
    const told = await run.then(
      () => "",
      (error: Error) => error.message,
    );
    expect(told.split(hetznerRefuses)).toHaveLength(2);
    expect(told).toContain("→ try again in some minutes");
    expect(told).not.toMatch(/bigbluebutton:|config set|dns/);
  }
});

test("a refusal that is neither is told as it is, without a setting to change", async () => {
  const hetznerRefuses = "the token is read-only (forbidden, 4711)";
  await expect(runProgram({ settings: { dns: "manual" }, hetznerRefuses })).rejects.toThrow(
    /bigbluebutton:location could not be checked at Hetzner Cloud: the token is read-only[^]*→ look what the token may do/,
  );
});

test("nothing is asked of Hetzner where nothing is to be made there", async () => {
  const { lookUps } = await runProgram({
    settings: { ...atAws, dns: "route53" },
    hetznerRefuses: "Missing Hetzner Cloud API token",
  });
  expect(lookUps.filter(({ token }) => token.startsWith("hcloud:"))).toEqual([]);
});

test("a location that both servers are in is asked for once, two locations once each", async () => {
  const locations = async (turn: string) => {
    const { lookUps } = await runProgram({ settings: { turn: { ...settings.turn, location: turn } } });
    return lookUps.filter(({ token }) => token.endsWith("getLocation")).length;
  };
  expect(await locations("fsn1")).toBe(1);
  expect(await locations("nbg1")).toBe(2);
});

test("after a refusal of the token nothing more is asked", async () => {
  const asked: string[] = [];
  const run = runProgram({
    hetznerRefuses: "unable to authenticate (unauthorized, 4711)",
    onLookUp: (token) => void asked.push(token),
  });
  await expect(run).rejects.toThrow("hcloud:token is missing or not accepted");
  expect(asked.filter((token) => token.startsWith("hcloud:"))).toHaveLength(1);
});

test("server types are asked for beside the locations, not after them", async () => {
  let typesAsked!: () => void;
  const asked = new Promise<string>((resolve) => (typesAsked = () => resolve("asked")));
  const seen: string[] = [];
  await runProgram({
    async onLookUp(token) {
      if (token.endsWith("getServerType")) typesAsked();
      if (token.endsWith("getLocation")) seen.push(await Promise.race([asked, sleep(2000, "not asked")]));
    },
  });
  expect(seen).toEqual(["asked"]);
});

test("of a location that there is not, nothing is said of what it offers", async () => {
  const { bbb, turn } = settings;
  const placed = { bbb: { ...bbb, location: "mars" }, turn: { ...turn, serverType: "unheard-of" } };
  const told = await runProgram({ settings: placed }).catch((error: Error) => error.message);
  expect(told).toMatch(
    /^2 problems [^]*:location is mars, [^]*:turnServerType could not be checked[^]*unheard-of/,
  );
});
