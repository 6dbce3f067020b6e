/**
 * Upstream's files in the form that this project assumes, small and of our own, and a server that has them or lacks
 * them.
 */
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { bbbConfProblems } from "../../../bigbluebutton/bbbConf";
import { type Release, releases, upstreamLists } from "../../../bigbluebutton/releases";
import { expectedKeys } from "../../../operator/upstream/keys";

export const installerOf = (release: Release): string =>
  [
    "#!/bin/bash",
    `# usage: -v ${release.installVersion ?? ""} -s NAME`,
    `while getopts "${release.installer!.flags.map((flag) => ("vsecrpmxt".includes(flag) ? `${flag}:` : flag)).join("")}" option; do :; done`,
    'known_address() { if [ -n "$IP" ]; then return; fi; }',
    "own=/local/certs/fullchain.pem",
    `turn=${release.turnXml.path}`,
    "certbot certonly --webroot \\",
    '  -d "$NAME"',
    "",
  ].join("\n");

export const bbbConfOf = ({ upstream }: Release): string =>
  [
    "#!/bin/bash",
    `services="${upstream!.units.join(" ")}"`,
    'echo "# Potential problems described below"',
    ...bbbConfProblems.map(([begins]) => `  echo "# ${begins.replaceAll("…", "$VALUE")} $MORE"`),
    "",
  ].join("\n");

const support = [
  "| Version | Supported |",
  "| ------- | --------- |",
  "| 2.7.x (or earlier) | :x: |",
  "| 3.0.x | :white_check_mark: |",
].join("\n");

const tags = ["v2.7.15", "v3.0.0-rc.1", "v3.0.9", "v3.0.26", "v4.0.0-rc.2"];

export const tagList = (names: readonly string[]): string =>
  JSON.stringify(names.map((name) => ({ ref: `refs/tags/${name}` })));

const ubuntu = [
  "version,codename,series,created,release,eol,eol-server,eol-esm",
  "22.04 LTS,Jammy,jammy,2021-10-14,2022-04-21,2027-06-01,2099-06-01,2099-04-09",
  "24.04 LTS,Noble,noble,2023-10-12,2024-04-25,2029-05-31,2099-05-31,2099-04-25",
].join("\n");

/** Files by URL. Installers of the table with a hash are left out: nobody can make one of that hash. */
function upstreamFiles(): Map<string, string> {
  const files = new Map<string, string>([
    [upstreamLists.support, support],
    [upstreamLists.tags, tagList(tags)],
    [upstreamLists.ubuntu, ubuntu],
  ]);
  for (const release of Object.values(releases)) {
    if (!release.upstream) continue;
    files.set(release.installer!.url, installerOf(release));
    files.set(`${release.upstream.source}/bigbluebutton-config/bin/bbb-conf`, bbbConfOf(release));
    for (const { path, keys } of expectedKeys(release)) {
      const url = `${release.upstream.source}/${path}`;
      files.set(url, [files.get(url) ?? "", ...keys].join("\n"));
    }
  }
  return files;
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Mirror of these files. A number for a URL is the status of its answer, 0 a closed connection. */
export class Mirror {
  readonly files: Map<string, string | number> = new Map(upstreamFiles());
  readonly asked: string[] = [];
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      const url = `https:/${request.url!}`;
      this.asked.push(url);
      const found = this.files.get(url) ?? 404;
      if (found === 0) request.socket.destroy();
      else if (typeof found === "number") response.writeHead(found).end();
      else response.end(found);
    });
  }

  async url(): Promise<string> {
    if (!this.server.listening) {
      await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    }
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}
