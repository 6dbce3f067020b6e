import {
  compare,
  differences,
  renderRows,
  type Found,
  type Night,
} from "../../../operator/backup/drillReport";

const FILE = "/var/bigbluebutton/published/presentation/a-1/slide.svg";
const night: Night = {
  ...{ run: "run-20261129T023000Z", at: 1_796_000_000, host: "bbb.school.eu", bytes: 2e9 },
  ...{ formats: { presentation: 12, video: 3 }, formatBytes: { presentation: 1_234_567_890, video: 812 } },
  ...{ greenlight: { users: 40, rooms: 41, recordings: 12, files: 2 }, files: { [FILE]: "aa" } },
};
const found: Found = {
  ...{ formats: night.formats, formatBytes: night.formatBytes!, greenlight: night.greenlight },
  files: night.files,
  health: { ok: true, told: "success" },
  page: { ok: true, told: "https://bbb-k3x9q2.school.eu/playback/a-1: HTTP status 200" },
};
const wrong = (more: Partial<Found>) => differences(compare(night, { ...found, ...more }));

test("a whole backup", () => {
  const rows = compare(night, found);
  expect(rows.every(({ ok }) => ok)).toBe(true);
  expect(differences(rows)).toBe("");
  expect(renderRows(rows).split("\n")).toEqual([
    expect.stringMatching(/^what +saved +restored$/) as string,
    expect.stringMatching(/^recordings: presentation +12 +12 +ok$/) as string,
    expect.stringMatching(/^recordings: video +3 +3 +ok$/) as string,
    expect.stringMatching(/^bytes: presentation +1\.235 GB +1\.235 GB +ok$/) as string,
    expect.stringMatching(/^bytes: video +812 bytes +812 bytes +ok$/) as string,
    expect.stringMatching(/^files taken at random, by SHA-256 +1 +1 +ok$/) as string,
    expect.stringMatching(/^Greenlight: users +40 +40 +ok$/) as string,
    expect.stringMatching(/^Greenlight: rooms +41 +41 +ok$/) as string,
    expect.stringMatching(/^Greenlight: recordings +12 +12 +ok$/) as string,
    expect.stringMatching(/^Greenlight: files +2 +2 +ok$/) as string,
    expect.stringMatching(/^Greenlight's \/health_check +– +success +ok$/) as string,
    expect.stringMatching(/^page of a recording +– +https:\S+: HTTP status 200 +ok$/) as string,
  ]);
});

test.each<[string, Partial<Found>, string]>([
  [
    "a recording is missing",
    { formats: { presentation: 11, video: 3 } },
    "recordings: presentation: 11 of 12",
  ],
  ["a format is missing", { formats: { presentation: 12 } }, "recordings: video: 0 of 3"],
  [
    "bytes are missing",
    { formatBytes: { presentation: 1_234_567_890, video: 811 } },
    "bytes: video: 811 bytes of 812 bytes",
  ],
  [
    "a file has another content",
    { files: { [FILE]: "bb" } },
    `files taken at random, by SHA-256: 0; has another sum: ${FILE} of 1`,
  ],
  [
    "a file is missing",
    { files: { [FILE]: null } },
    `files taken at random, by SHA-256: 0; missing: ${FILE} of 1`,
  ],
  ["a user is missing", { greenlight: { ...night.greenlight, users: 39 } }, "Greenlight: users: 39 of 40"],
  [
    "Greenlight is not well",
    { health: { ok: false, told: "Unable to connect to Database" } },
    "Greenlight's /health_check: Unable to connect to Database",
  ],
  [
    "a page is not there",
    { page: { ok: false, told: "HTTP status 404" } },
    "page of a recording: HTTP status 404",
  ],
])("%s", (_, more, sentence) => expect(wrong(more)).toBe(sentence));

test("more than was counted is no difference: it was published while the backup was made", () => {
  expect(wrong({ formats: { presentation: 13, video: 3 } })).toBe("");
});

test("no recordings, no Greenlight, and a night of an older version", () => {
  const little = { ...night, formats: {}, formatBytes: null, greenlight: null, files: {} };
  expect(
    compare(little, { ...found, formats: {}, files: {}, greenlight: null, health: null, page: null }),
  ).toEqual([{ what: "files taken at random, by SHA-256", saved: "0", restored: "0", ok: true }]);
});
