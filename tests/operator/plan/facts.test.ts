import { downloads, optionFacts } from "../../../operator/plan/facts";
import { settings } from "../../support/program";

const branded = {
  ...settings,
  groups: { branding: { logo: "https://bbb.example.org/branding/logo-1.svg", title: "Schule" } },
  branding: {
    files: [
      { option: "logo", kind: "file", name: "logo-1.svg", path: "logo.svg", sha256: "0" },
      { option: "style", kind: "url", name: "style-1.css", url: "https://school.eu/style.css" },
    ],
  },
} as const;

test("the server fetches the files of URLs, and no others", () => {
  const before = downloads(settings, []);
  expect(downloads(branded, []).filter((one) => !before.some(({ what }) => what === one.what))).toEqual([
    { to: "bbb", what: "the file of branding.style", from: "https://school.eu/style.css" },
  ]);
});

test("options of each group are told in the docs' words, a file's by its place on the server", () => {
  expect(optionFacts(branded)).toEqual([
    {
      ...{ setting: "branding.logo", value: "https://bbb.example.org/branding/logo-1.svg" },
      ...{ what: expect.stringContaining("Logo") as string, default: "BigBlueButton's" },
    },
    expect.objectContaining({ setting: "branding.title", value: "Schule", default: "BigBlueButton" }),
  ]);
});
