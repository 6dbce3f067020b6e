/** Options about what the server keeps of people. */
import type { Option, Options } from "./options";

/** The table: one row per option. */
export const privacyOptions = {
  accessLog: {
    type: { kind: "flag" },
    description:
      "Keeps nginx's log of who opened which page, with addresses, names and meetings. false: none is kept from then on; logs that exist go with their days.",
    example: false,
    default: "true",
    at: [
      {
        file: "site",
        key: "",
        // It cancels every access_log of the server's block, the site's own among them.
        as: (value) => (value === false ? "access_log off;\n" : undefined),
      },
    ],
    source: "nginx: ngx_http_log_module",
  },
  logDays: {
    type: { kind: "integer", unit: "days", least: 1, most: 3650 },
    description:
      "Days for which BigBlueButton's own logs are kept: those of meetings, media servers and recordings, by its daily clean-up.",
    example: 7,
    default: "28",
    at: [{ file: "cron", key: "log_history" }],
    source: "packaged cron.daily/bigbluebutton",
  },
  listAllRecordings: {
    type: { kind: "flag" },
    description:
      "Lets a front end ask for all recordings of the server at once. false: it must name a meeting or a recording.",
    example: false,
    default: "true",
    at: [{ file: "web", key: "allowFetchAllRecordings" }],
    source: "packaged bigbluebutton.properties",
  },
} as const satisfies Readonly<Record<string, Option>> as Options;
