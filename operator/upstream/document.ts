/** All questions of scripts/upstream, as the sections of a report. */
import { type Release, releases, upstreamLists } from "../../bigbluebutton/releases";
import { ask, type Finding } from "../check/finding";
import type { Report, Section } from "../check/report";
import { inspectBbbConf } from "./bbbConf";
import type { ReadFile } from "./files";
import { inspectInstaller } from "./installer";
import { expectedKeys, inspectKeys } from "./keys";
import { newest, newLines, supported, ubuntuEnd, versionsOf } from "./versions";

/** Time limit in seconds of three attempts, with pauses. */
const LIMIT_SECONDS = 90;

const fileName = (url: string): string => url.slice(url.lastIndexOf("/") + 1);

/** Reads upstream's files of these releases and reports assumptions that no longer hold. */
export async function inspectUpstream(
  names: readonly Release["name"][],
  read: ReadFile,
  now: Date,
): Promise<Report> {
  const began = performance.now();
  const rows = names.map((name) => releases[name]);
  const sections = await Promise.all([
    ...rows.map(async (release) => ({
      place: `${release.name} (${release.version})`,
      findings: await ofRelease(release, read, now),
    })),
    ofAll(read),
  ]);
  return {
    stack: "upstream",
    checkedAt: now,
    seconds: (performance.now() - began) / 1000,
    sections: sections.filter(({ findings }) => findings.length > 0),
  };
}

function ofRelease(release: Release, read: ReadFile, now: Date): Promise<Finding[]> {
  const { installer, upstream, status, ubuntu } = release;
  const one = (name: string, asked: string, check: () => Promise<string>) =>
    ask(name, asked, check, LIMIT_SECONDS);
  const findings: Promise<Finding>[] = [];
  if (installer) {
    findings.push(
      one("installer", fileName(installer.url), async () =>
        inspectInstaller(await read(installer.url), { ...release, installer }),
      ),
    );
  }
  if (upstream) {
    findings.push(
      one("bbb-conf", "problems, services", async () =>
        inspectBbbConf(await read(`${upstream.source}/bigbluebutton-config/bin/bbb-conf`), upstream.units),
      ),
      ...expectedKeys(release).map((expected) =>
        one("keys", fileName(expected.path), async () =>
          inspectKeys(await read(`${upstream.source}/${expected.path}`), expected),
        ),
      ),
    );
  }
  if (status !== "end-of-life") {
    findings.push(
      one("version", "tags", async () => newest(versionsOf(await read(upstreamLists.tags)), release)),
      one("support", "SECURITY.md", async () => supported(await read(upstreamLists.support), release)),
      one("Ubuntu", ubuntu, async () => ubuntuEnd(await read(upstreamLists.ubuntu), ubuntu, now)),
    );
  }
  return Promise.all(findings);
}

async function ofAll(read: ReadFile): Promise<Section> {
  const lines = ask(
    "new lines",
    "tags",
    async () => newLines(versionsOf(await read(upstreamLists.tags)), Object.values(releases)),
    LIMIT_SECONDS,
  );
  return { place: "BigBlueButton", findings: [await lines] };
}
