import { releases } from "../bigbluebutton/releases";
import { expiryProblems, strictProblems } from "./environments";
import { type FieldName, type FieldValues, remedyFor } from "./fields";
import { entryPath } from "./fields/field";
import { removeCommand, setCommand } from "./remedies";
import { BAKED_OR_STOCK, imageNameProblem } from "./imageName";
import { isSpecialUse, qualifyHostname } from "./formats/names";
import { cloudNameProblems } from "./cloudNames";
import { poolProblems } from "./pool";
import { sshNetworkProblems } from "./sshNetworks";
import { tagProblems } from "./tags";
import type { Problem } from "./problems";

/** Conflicts between values that are valid by themselves; invalid ones are absent. */
export function conflicts(values: Partial<FieldValues>, now: Date): Problem[] {
  return [
    ...nameProblems(values),
    ...cloudNameProblems(values),
    ...sshNetworkProblems(values),
    ...tagProblems(values),
    ...strictProblems(values),
    ...expiryProblems(values, now),
    ...sharedTurnProblems(values),
    ...releaseProblems(values),
    ...installerProblems(values),
    ...acmeProblems(values),
    ...landingPageProblems(values),
    ...metricsProblems(values),
    ...backupProblems(values),
    ...poolProblems(values),
  ];
}

function nameProblems(values: Partial<FieldValues>): Problem[] {
  const { domain, hostname, turnHostname, turnStack, acmeServer } = values;
  if (!domain) return [];
  const problems: Problem[] = [];
  const fqdns = { hostname, turnHostname };
  for (const key of ["hostname", "turnHostname"] as const) {
    const value = fqdns[key];
    if (value === undefined) continue;
    const result = qualifyHostname(value, domain);
    if ("reason" in result) {
      const remedy = result.suggestion ? setCommand(key, result.suggestion) : remedyFor(key);
      problems.push({ key, reason: `"${value}" ${result.reason}`, remedy });
    } else if (["bbb.example.com", "turn.example.com"].includes(result.fqdn)) {
      const reason = `makes ${result.fqdn}, a placeholder in BigBlueButton's docs that its installer refuses`;
      problems.push({ key, reason, remedy: setCommand("domain", "YOUR-ZONE") });
    }
    fqdns[key] = "fqdn" in result ? result.fqdn : undefined;
  }
  if (!turnStack && fqdns.hostname !== undefined && fqdns.hostname === fqdns.turnHostname) {
    problems.push({
      key: "turnHostname",
      reason: `is ${fqdns.hostname}, the BigBlueButton server's name; the two are servers of their own`,
      remedy: setCommand("turnHostname", turnNameBeside(fqdns.hostname, domain)),
    });
  }
  if (
    !values.certificateFile &&
    isSpecialUse(domain) &&
    (acmeServer === "production" || acmeServer === "staging")
  ) {
    problems.push({
      key: "domain",
      reason: `"${domain}" is a reserved name, for which Let's Encrypt issues no certificates`,
      remedy: `${setCommand("domain", "YOUR-ZONE")}, or acmeServer and acmeCa of a private authority`,
    });
  }
  return problems;
}

/**
 * Name of a TURN server beside a server: "turn.school.eu" for "meet.school.eu", "turn-turn.school.eu" for
 * "turn.school.eu".
 */
function turnNameBeside(fqdn: string, domain: string): string {
  const [label = "", ...rest] = fqdn.slice(0, -`.${domain}`.length).split(".");
  return [label === "turn" ? "turn-turn" : "turn", ...rest].join(".");
}

/** Problems of settings about a TURN server of its own, given together with another stack's. */
function sharedTurnProblems(values: Partial<FieldValues>): Problem[] {
  const { turnStack, turnPeers = [], turnHostname } = values;
  if (!turnStack) return [];
  const given: readonly (readonly [FieldName, unknown])[] = [
    ...(
      [
        "turnCloud",
        "turnLocation",
        "turnServerType",
        "turnImage",
        "rotateTurnSecret",
        "turnCertificateFile",
        "turnCertificateKeyFile",
      ] as const
    ).map((key) => [key, values[key]] as const),
    // Its default is as good as not set.
    ["turnHostname", turnHostname === "turn" ? undefined : turnHostname],
    ["turnPeers", turnPeers.length > 0 || undefined],
  ];
  const switches =
    values.alerts?.turnHealthcheckUrl === undefined
      ? []
      : [
          {
            key: "alerts.turnHealthcheckUrl",
            reason: `is set, but the TURN server is that of stack ${turnStack} (turnStack), which has alerts of its own`,
            remedy: removeCommand("--path 'alerts.turnHealthcheckUrl'"),
          },
        ];
  const refused = given
    .filter(([, value]) => value !== undefined)
    .map(([key]) => ({
      key,
      reason: `is set, but the TURN server is that of stack ${turnStack} (turnStack), which alone decides about it`,
      remedy: `${removeCommand(key)}, or ${remedyFor("turnStack")}`,
    }));
  return [...refused, ...switches];
}

function releaseProblems({ cloud, release: name, allowEndOfLife, image }: Partial<FieldValues>): Problem[] {
  if (!name) return [];
  const release = releases[name];
  const problems: Problem[] = [];
  if (release.status === "end-of-life" && allowEndOfLife === false) {
    problems.push({
      key: "release",
      reason: `is ${name}, BigBlueButton ${release.version}, which gets no security updates any more`,
      remedy: `${remedyFor("release")}, or knowingly ${remedyFor("allowEndOfLife")}`,
    });
  }
  const otherSystem = image && imageNameProblem(image, release);
  if (otherSystem) {
    const id =
      cloud && release.withdrawnFrom.includes(cloud) ? ", with the id of a snapshot of your own" : "";
    const rm = id ? "" : `${removeCommand("image")} for the release's own, or `;
    problems.push({
      key: "image",
      reason: `is ${image}, which ${otherSystem}; ${name}, BigBlueButton ${release.version}, needs Ubuntu ${release.ubuntu} on x86`,
      remedy: `${rm}${setCommand("image", "NAME-OR-ID")} of Ubuntu ${release.ubuntu}${id}`,
    });
  }
  if (cloud && release.withdrawnFrom.includes(cloud) && (!image || image === BAKED_OR_STOCK)) {
    problems.push({
      key: "image",
      reason: `is ${image ?? "not set"}, and ${cloud} no longer offers ${release.images[cloud]}, which ${name} needs`,
      remedy: `${setCommand("image", "ID")}, with the id of a snapshot of your own with Ubuntu ${release.ubuntu}`,
    });
  }
  return problems;
}

function installerProblems({
  release: name,
  installerUrl,
  installerSha256,
}: Partial<FieldValues>): Problem[] {
  const problems: Problem[] = [];
  if (installerUrl && !installerSha256) {
    problems.push({
      key: "installerSha256",
      reason: "is not set, though installerUrl is: what runs as root must be known",
      remedy: remedyFor("installerSha256"),
    });
  }
  const release = name && releases[name];
  if (release && !release.installer && !installerUrl) {
    problems.push({
      key: "release",
      reason: `is ${name}, for which the installer is missing. ${release.note ?? ""}`.trimEnd(),
      remedy: `${remedyFor("release")}, or ${setCommand("installerUrl", "URL")} and installerSha256`,
    });
  }
  return problems;
}

function acmeProblems(values: Partial<FieldValues>): Problem[] {
  const { acmeServer, acmeCa, email, certificateFile, turnCertificateFile } = values;
  const letsEncrypt = acmeServer === "production" || acmeServer === "staging";
  const problems: Problem[] = [];
  if (letsEncrypt && acmeCa && !certificateFile && !turnCertificateFile) {
    problems.push({
      key: "acmeCa",
      reason: `is set, but acmeServer is ${acmeServer}, whose roots need not be given`,
      remedy: `${removeCommand("acmeCa")}, or set acmeServer to the private authority's directory, or certificateFile to a certificate of its`,
    });
  }
  const mailDomain = email?.split("@")[1]?.toLowerCase() ?? "";
  if (letsEncrypt && (/^example\.(com|net|org)$/.test(mailDomain) || isSpecialUse(mailDomain))) {
    problems.push({
      key: "email",
      reason: `"${email}" is in a domain for examples, which Let's Encrypt refuses`,
      remedy: remedyFor("email"),
    });
  }
  return problems;
}

/** restic of Ubuntu 20.04 and older lacks what the backups need. */
function backupProblems({ backup, release }: Partial<FieldValues>): Problem[] {
  if (backup === undefined || release === undefined || Number(releases[release].ubuntu) >= 22) return [];
  return [
    {
      key: "backup",
      reason: `is set, but ${release} runs on Ubuntu ${releases[release].ubuntu}, whose restic is too old for it`,
      remedy: `choose a release on Ubuntu 22.04 or newer, or ${removeCommand("backup")} and save its files yourself`,
    },
  ];
}

/** The first page is either Greenlight's or another. */
function landingPageProblems({ branding = {}, greenlight }: Partial<FieldValues>): Problem[] {
  const { landingPage: page } = branding;
  const path = entryPath("branding", "landingPage");
  if (page === undefined || (page === "greenlight") === (greenlight !== undefined)) return [];
  return page === "greenlight"
    ? [
        {
          key: "branding.landingPage",
          reason: "is greenlight, but the setting greenlight is not set",
          remedy: `${setCommand("greenlight", "true")}, or ${removeCommand(path)}`,
        },
      ]
    : [
        {
          key: "branding.landingPage",
          reason: "is set, but with the setting greenlight the first page is Greenlight's",
          remedy: `${removeCommand(path)}, or ${removeCommand("greenlight")}`,
        },
      ];
}

/** The exporter needs libraries that the packages of older systems are too old for. */
function metricsProblems({ metrics, release: name }: Partial<FieldValues>): Problem[] {
  if (!metrics || !name || releases[name].ubuntu >= "20.04") return [];
  const { ubuntu, version } = releases[name];
  return [
    {
      key: "metrics",
      reason: `is set, but BigBlueButton ${version} runs on Ubuntu ${ubuntu}, whose libraries are too old for the exporter`,
      remedy: `${removeCommand("metrics")}, or ${remedyFor("release")}`,
    },
  ];
}
