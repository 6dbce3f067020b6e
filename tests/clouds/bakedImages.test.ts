import { runProgram, settings, type Run, type Variation } from "../support/program";

const DAY = 86_400;
const daysAgo = (days: number) => String(Math.floor(Date.now() / 1000) - days * DAY);
const BBB = "project==bigbluebutton,image==bbb,release==jammy-30";
const TURN = "project==bigbluebutton,image==turn,ubuntu==24.04";

const asking = (baked: "required" | "preferred"): Variation["settings"] => ({
  bbb: { ...settings.bbb, baked },
  turn: { ...settings.turn, baked },
});
const images = (labels: Readonly<Record<string, string>> = {}) =>
  [BBB, TURN].map((selector, i) => ({
    id: 4711 + i,
    selector,
    labels: { disk: "80", built: daysAgo(1), ...labels },
  }));
const has = { images: images(), disk: 80 };
const imagesOf = (run: Run) => run.ofType("hcloud:index/server:Server").map(({ inputs }) => inputs.image);
const server = { serverType: "ccx23", location: "fsn1" };

test.each(["required", "preferred"] as const)(
  "a new server is made from the baked image (%s)",
  async (baked) => {
    const run = await runProgram({ settings: asking(baked), hetznerHas: has });
    expect(imagesOf(run)).toEqual(["4711", "4712"]);
    expect(run.warnings).toEqual([]);
  },
);

test("without the settings no image is looked for", async () => {
  const run = await runProgram({ hetznerHas: has });
  expect(imagesOf(run)).toEqual(["ubuntu-22.04", "ubuntu-24.04"]);
  expect(run.lookUps.map(({ token }) => token)).not.toContain("hcloud:index/getImages:getImages");
});

describe("without an image", () => {
  test("that is required, both hosts are refused before anything is made, with the command for each", async () => {
    await expect(runProgram({ settings: asking("required") })).rejects.toThrow(
      /image is baked, and there is no image of jammy-30 for BigBlueButton at hetzner\n.*→ \.\/scripts\/image bake --release jammy-30 makes one[\s\S]*turnImage is baked, and there is no image of Ubuntu 24\.04 for TURN at hetzner\n.*→ \.\/scripts\/image bake --role turn makes one/,
    );
  });

  test("that is preferred, the server is made from the stock one, and that is said", async () => {
    const run = await runProgram({ settings: asking("preferred") });
    expect(imagesOf(run)).toEqual(["ubuntu-22.04", "ubuntu-24.04"]);
    expect(run.messages).toContainEqual(
      expect.stringContaining(
        "image: there is no image of jammy-30 for BigBlueButton, so the server is made from ubuntu-22.04",
      ),
    );
  });

  test.each(["required", "preferred"] as const)("a server that is there goes on (%s)", async (baked) => {
    const run = await runProgram({ settings: asking(baked), hetznerHas: { servers: [server] } });
    expect(imagesOf(run)).toEqual(["ubuntu-22.04", "ubuntu-24.04"]);
    expect(run.messages.join()).not.toContain("there is no image");
  });

  test("an image of another project or release is none", async () => {
    const others = [BBB.replace("bigbluebutton", "other"), BBB.replace("jammy-30", "noble-40")];
    const found = others.map((selector) => ({ id: 1, selector, labels: {} }));
    await expect(runProgram({ settings: asking("required"), hetznerHas: { images: found } })).rejects.toThrow(
      "there is no image of jammy-30",
    );
  });
});

describe("an image that does not do", () => {
  test("needs a larger disk than the type has: refused, with the remedy", async () => {
    await expect(
      runProgram({
        settings: asking("preferred"),
        hetznerHas: { images: images({ disk: "160" }), disk: 80 },
      }),
    ).rejects.toThrow(
      /image leads to the image 4711, which needs a disk of 160 GB, and ccx23 has 80 GB\n.*→ pulumi config set serverType TYPE with a larger disk, or pulumi config rm image for ubuntu-22\.04/,
    );
  });

  test("is old: a warning", async () => {
    const run = await runProgram({
      settings: asking("required"),
      hetznerHas: { ...has, images: images({ built: daysAgo(91) }) },
    });
    expect(imagesOf(run)).toEqual(["4711", "4712"]);
    expect(run.warnings).toEqual([
      expect.stringContaining("image: the image 4711 was baked 91 days ago"),
      expect.stringContaining("turnImage: the image 4712 was baked 91 days ago"),
    ]);
  });

  test("was baked with other scripts: a note", async () => {
    const run = await runProgram({
      settings: asking("required"),
      hetznerHas: { ...has, images: images({ scripts: "000000000000" }) },
    });
    expect(run.warnings).toEqual([]);
    expect(run.messages).toContainEqual(
      expect.stringContaining("was baked by another version of this project"),
    );
  });

  test("is no matter where the server is there already", async () => {
    const bad = images({ disk: "160", built: daysAgo(91), scripts: "000000000000" });
    const run = await runProgram({
      settings: asking("required"),
      hetznerHas: { images: bad, disk: 80, servers: [server] },
    });
    expect(run.warnings).toEqual([]);
    expect(run.messages.join()).not.toContain("was baked");
  });
});
