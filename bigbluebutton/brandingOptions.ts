/** Options of branding: how the client and the first page look. */
import type { Option, Options, Place } from "./options";

const CUSTOMIZE = "docs: customize";
const CLIENT = "packaged settings.yml";

/** File that is given by a path or an https URL. Its value, once it is read, is the URL at which the server has it. */
const file = { kind: "file" } as const;

function logo(setting: string, dark: "" | "Dark", more: readonly Place[] = []): Option {
  return {
    type: file,
    description: `Logo above the list of users${dark && ", in the dark theme"}: SVG, PNG or JPEG, at most 1 MB.`,
    example: `branding/${setting}.svg`,
    default: "BigBlueButton's",
    at: [
      { file: "web", key: `useDefault${dark}Logo`, as: () => "true" },
      { file: "web", key: `default${dark}LogoURL` },
      ...more,
    ],
    source: CUSTOMIZE,
  };
}

export const brandingOptions: Options = {
  logo: logo("logo", "", [{ file: "html5", key: "public.app.branding.displayBrandingArea", as: () => true }]),
  darkLogo: logo("dark-logo", "Dark"),
  favicon: {
    type: file,
    description: "Icon of the browser's tab: ICO, PNG or SVG, at most 250 kB.",
    example: "branding/favicon.ico",
    default: "BigBlueButton's",
    at: [],
    source: CUSTOMIZE,
  },
  title: {
    type: { kind: "text", longest: 100 },
    description: "Title of the browser's tab, before the meeting's name.",
    example: "Musterschule",
    default: "BigBlueButton",
    at: [{ file: "html5", key: "public.app.clientTitle" }],
    source: CUSTOMIZE,
  },
  presentation: {
    type: file,
    description: "Slides of a meeting that brings none: PDF, at most 30 MB. `false`: none.",
    example: "branding/welcome.pdf",
    default: "BigBlueButton's",
    at: [
      {
        file: "web",
        key: "beans.presentationService.defaultUploadedPresentation",
        as: (value) => (value === "false" ? "null" : String(value)),
      },
    ],
    source: CUSTOMIZE,
  },
  style: {
    type: file,
    description: "CSS that the client loads after its own, at most 1 MB.",
    example: "branding/style.css",
    default: "none",
    at: [{ file: "html5", key: "public.app.customStyleUrl" }],
    source: CUSTOMIZE,
  },
  footer: {
    type: { kind: "text", longest: 200 },
    description: "Text below the client's “About”, in place of BigBlueButton's copyright.",
    example: "Musterschule, Bereich IT",
    default: "BigBlueButton's",
    at: [{ file: "html5", key: "public.app.copyright" }],
    source: CLIENT,
  },
  landingPage: {
    type: file,
    description:
      "First page of the server: an https URL to which it leads; a page (HTML, at most 1 MB), or a folder with index.html, which is shown at /welcome/; or `greenlight`, which needs the setting greenlight.",
    example: "https://school.example/meetings",
    default: "Greenlight's, or BigBlueButton's without it",
    at: [],
    source: CUSTOMIZE,
  },
};
