import { bill, hetznerPrice, itemsOf, type Item, type PriceList } from "../../../operator/plan/hetznerPrices";
import type { PlannedResource } from "../../../operator/plan/program";
import { token, useProject } from "../../sandbox/hetzner/harness";

const amount = (net: number) => ({ net: net.toFixed(10), gross: (net * 1.19).toFixed(10) });
const at = (location: string, net: number) => ({ location, price_monthly: amount(net) });

const list: PriceList = {
  currency: "EUR",
  vat_rate: "19.00",
  primary_ips: [
    { type: "ipv4", prices: [at("fsn1", 0.5)] },
    { type: "ipv6", prices: [at("fsn1", 0)] },
  ],
  server_backup: { percentage: "20.0000" },
  server_types: [
    { name: "ccx33", prices: [at("nbg1", 1), at("fsn1", 138.99)] },
    { name: "cpx22", prices: [at("fsn1", 19.99)] },
  ],
  volume: { price_per_gb_month: amount(0.0572) },
};

const server: Item = {
  ...{ of: "BigBlueButton", kind: "server" },
  ...{ type: "ccx33", location: "fsn1", backups: true },
};
const turn: Item = { of: "TURN", kind: "server", type: "cpx22", location: "fsn1", backups: false };

test("a bill has every position to the cent, and their sum", () => {
  const address = (type: string): Item => ({ of: "TURN", kind: "address", type, location: "fsn1" });
  const volume: Item = { of: "BigBlueButton", kind: "volume", gb: 200 };
  expect(bill([server, turn, address("ipv4"), address("ipv6"), volume], list, [])).toEqual({
    positions: [
      { what: "BigBlueButton server, ccx33 in fsn1", net: "138.99", gross: "165.40" },
      { what: "BigBlueButton backups, 20 % of its server", net: "27.80", gross: "33.08" },
      { what: "TURN server, cpx22 in fsn1", net: "19.99", gross: "23.79" },
      { what: "TURN IPv4 address", net: "0.50", gross: "0.60" },
      { what: "BigBlueButton volume, 200 GB", net: "11.44", gross: "13.61" },
    ],
    sum: { net: "198.72", gross: "236.48" },
    remarks: [],
  });
});

test("what the list does not have, and what is sold out, is told", () => {
  const elsewhere: Item = { ...turn, location: "hel1" };
  const offers = [{ name: "ccx33", locations: [{ name: "fsn1", available: false }] }];
  const { positions, remarks } = bill([server, elsewhere], list, offers);
  expect(remarks).toEqual([
    "BigBlueButton server, ccx33 in fsn1: sold out there at this moment",
    "TURN server, cpx22 in hel1: not in the price list, so not offered there",
  ]);
  expect(positions).toHaveLength(2);
});

function resource(type: string, name: string, inputs: PlannedResource["inputs"]): PlannedResource {
  return { urn: name, type, name, inputs, protect: false, dependsOn: [] };
}

const resources = [
  resource("hcloud:index/volume:Volume", "bbb-host-volume", { size: 10, location: "fsn1" }),
  resource("hcloud:index/firewall:Firewall", "bbb-host-firewall", {}),
  resource("hcloud:index/primaryIp:PrimaryIp", "bbb-host-ipv4", { type: "ipv4", location: "fsn1" }),
  resource("hcloud:index/server:Server", "bbb-host-server", {
    ...{ serverType: "ccx33", location: "fsn1", backups: true },
  }),
];

test("servers, addresses and volumes cost something", () => {
  expect(itemsOf(resources)).toEqual([
    server,
    { of: "BigBlueButton", kind: "address", type: "ipv4", location: "fsn1" },
    { of: "BigBlueButton", kind: "volume", gb: 10 },
  ]);
});

const now = new Date("2026-11-21T08:00:00Z");

describe("a Storage Box", () => {
  const box = { storageBoxType: "bx11", location: "hel1" };
  const withBox = [...resources, resource("hcloud:index/storageBox:StorageBox", "bbb-backup-box", box)];
  const what = "BigBlueButton backups, storage box bx11 in hel1";

  test("costs what is published, or what Hetzner's other API says", async () => {
    expect(await hetznerPrice({ resources: withBox, now })).toMatchObject({
      estimate: {
        sources: ["https://www.hetzner.com/cloud", "https://www.hetzner.com/storage/storage-box"],
        positions: expect.arrayContaining([{ what, net: "3.20" }]) as object,
      },
    });
    const boxes = [{ name: "bx11", prices: [at("hel1", 4.1)] }];
    const { positions, remarks } = bill(itemsOf(withBox), list, [], boxes);
    expect([positions.at(-1), remarks]).toEqual([{ what, net: "4.10", gross: "4.88" }, []]);
    expect(bill(itemsOf(withBox), list, []).remarks).toEqual([
      `${what}: not in the price list, so not offered there`,
    ]);
  });

  test("of another type is named without a price", async () => {
    const large = resource("hcloud:index/storageBox:StorageBox", "bbb-backup-box", {
      ...box,
      storageBoxType: "bx41",
    });
    expect(await hetznerPrice({ resources: [large], now })).toMatchObject({
      estimate: { sum: "0.00", missing: ["BigBlueButton backups, storage box bx41 in hel1"] },
    });
  });
});

test("without a token nothing is asked, and what would cost something is listed", async () => {
  expect(await hetznerPrice({ resources, adoptedVolume: "4711", now })).toEqual({
    ...{ cloud: "hetzner", asked: false, failed: false, why: "not asked (no HCLOUD_TOKEN)" },
    positions: [
      "BigBlueButton server, ccx33 in fsn1, with backups",
      "BigBlueButton IPv4 address",
      "BigBlueButton volume, 10 GB",
      "the volume 4711, which exists",
    ],
    estimate: {
      ...{ day: "2026-06-15", sources: ["https://www.hetzner.com/cloud"], currency: "EUR" },
      holds: "for new orders in Germany and Finland",
      positions: [
        { what: "BigBlueButton server, ccx33 in fsn1", net: "138.99" },
        { what: "BigBlueButton backups, 20 % of its server", net: "27.80" },
        { what: "BigBlueButton IPv4 address", net: "0.50" },
        { what: "BigBlueButton volume, 10 GB", net: "0.57" },
      ],
      sum: "167.86",
      missing: ["the volume 4711, which exists"],
    },
  });
});

test("a type or a place without a published price is named, and is not in the sum", async () => {
  const elsewhere = (inputs: PlannedResource["inputs"]) => [
    resource("hcloud:index/server:Server", "bbb-host-server", inputs),
  ];
  for (const inputs of [
    { serverType: "ccx33", location: "ash", backups: true },
    { serverType: "ccx99", location: "fsn1", backups: false },
  ])
    expect(await hetznerPrice({ resources: elsewhere(inputs), now })).toMatchObject({
      estimate: {
        ...{ positions: [], sum: "0.00" },
        missing: [`BigBlueButton server, ${inputs.serverType} in ${inputs.location}`],
      },
    });
});

test("where nothing is at Hetzner there is no price", async () => {
  expect(await hetznerPrice({ resources: [], access: { token: "x" }, now })).toBeUndefined();
});

describe("asked of the API", () => {
  const project = useProject();
  const access = async (given = token) => {
    const endpoint = `${await project().url()}/v1`;
    return { token: given, endpoint, boxEndpoint: endpoint };
  };

  test("the price list's own prices, with its currency and the time", async () => {
    const { body } = await project().call("GET", "/pricing");
    const { net } = body.pricing.server_types
      .find(({ name }: { name: string }) => name === "ccx33")
      .prices.find(({ location }: { location: string }) => location === "fsn1").price_monthly;
    const price = await hetznerPrice({ resources, access: await access(), now });
    expect(price).toMatchObject({
      ...{ asked: true, at: "2026-11-21T08:00:00.000Z", currency: "EUR", vatPercent: "19.00", remarks: [] },
      positions: [
        { what: "BigBlueButton server, ccx33 in fsn1", net: Number(net).toFixed(2) },
        { what: "BigBlueButton backups, 20 % of its server", net: (Number(net) * 0.2).toFixed(2) },
        { what: "BigBlueButton IPv4 address" },
        { what: "BigBlueButton volume, 10 GB" },
      ],
    });
  });

  test("a Storage Box costs what the other API says", async () => {
    const box = resource("hcloud:index/storageBox:StorageBox", "bbb-backup-box", {
      ...{ storageBoxType: "bx11", location: "hel1" },
    });
    expect(await hetznerPrice({ resources: [box], access: await access(), now })).toMatchObject({
      ...{ asked: true, remarks: [], sum: { net: "3.20" } },
    });
  });

  test("a volume that exists costs what its size costs", async () => {
    const { volume } = await project().done("POST", "/volumes", { name: "v", size: 40, location: "fsn1" });
    const price = await hetznerPrice({
      ...{ resources: resources.slice(1), adoptedVolume: String(volume.id), access: await access(), now },
    });
    expect(price).toMatchObject({ asked: true, remarks: [] });
    expect(price?.positions.at(-1)).toMatchObject({ what: "existing volume, 40 GB" });
  });

  test("a volume that the project does not have is told", async () => {
    const request = { resources, adoptedVolume: "4711", access: await access(), now };
    expect(await hetznerPrice(request)).toMatchObject({
      remarks: ["volume 4711: the project has none of that id"],
    });
  });

  test("a token that is not valid is told", async () => {
    expect(await hetznerPrice({ resources, access: await access("wrong"), now })).toMatchObject({
      ...{ asked: false, failed: true, why: expect.stringMatching(/token/) as string },
    });
  });
});
