import * as pulumi from "@pulumi/pulumi";

import { BRANDING_STAGING } from "../bigbluebutton/brandingFiles";
import { renderBrandingDocument } from "../bigbluebutton/brandingSite";
import { renderDialInCheck, renderDialInRequest } from "../bigbluebutton/dialIn";
import { installerArguments } from "../bigbluebutton/installer";
import { ownedKeysOf, textsFor } from "../bigbluebutton/optionGroups";
import { renderOwnedKeys, type OwnedKeys } from "../bigbluebutton/ownedKeys";
import { formatsToInstall, publishedFormats } from "../bigbluebutton/recordingFormats";
import { renderTurnStunServers } from "../bigbluebutton/turnStunServers";
import type { Settings } from "../settings";
import type { Dns } from "../clouds/dns";
import type { Host } from "../clouds/host";
import { checkOf, preparationOf, type BeginningSettings } from "../steps/beginnings";
import { HostSteps, type Step } from "../steps/hostSteps";
import { dialInRequest } from "./dialIn";
import { administratorOf, greenlightRequest, hasWishes, type Administrator } from "./greenlight";
import { attachRecordings, mountRecordings } from "./recordingsVolume";
import { randomSecret } from "./secret";
import type { TurnService } from "./turnServer";

/** Arguments of a {@link BbbServer}. */
export interface BbbServerArgs {
  readonly host: Host;
  /** TURN server; only the wiring waits for it. */
  readonly turn: TurnService;
  readonly dns: Dns;
  /** Hook before the first step. */
  readonly beforeFirst?: pulumi.ResourceHook;
  readonly settings: BeginningSettings &
    Pick<
      Settings,
      | "bbb"
      | "turn"
      | "recordings"
      | "greenlight"
      | "groups"
      | "branding"
      | "dialIn"
      | "upgrade"
      | "rotateSharedSecret"
      | "pool"
    >;
}

/** BigBlueButton server, installed by its release's own installer and wired to its TURN server. */
export class BbbServer extends pulumi.ComponentResource {
  readonly host: Host;
  /** Secret with which a front end signs its API calls. */
  readonly sharedSecret: pulumi.Output<string>;
  /** Deployed turn-stun-servers.xml; secret. */
  readonly turnXml: pulumi.Output<string>;
  /** Keys of BigBlueButton's own files that the settings decide about; undefined if they decide about none. */
  readonly ownedKeys?: OwnedKeys;
  /** Check of dial-in, as verification.ts has it; undefined without dial-in. Secret. */
  readonly dialInCheck?: pulumi.Output<string>;
  /** Greenlight's administrator, if the settings name one. */
  readonly administrator?: Administrator;
  readonly steps: HostSteps;
  /** Steps that may end meetings, for which a pool's server leaves the pool. */
  readonly disturbing: readonly Step[];

  constructor(name: string, args: BbbServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bbb:index:BbbServer", name, {}, opts);
    const { host, settings, turn, dns } = args;
    this.host = host;
    this.sharedSecret = randomSecret(`${name}-shared-secret`, settings.rotateSharedSecret, this);
    const { path, form } = settings.release.turnXml;
    this.turnXml = turn.secret.apply((secret) => renderTurnStunServers({ form, host: turn.fqdn, secret }));

    const groups = settings.pool ? groupsOfNode(settings.groups) : settings.groups;
    this.ownedKeys = ownedKeysOf(groups);

    // No AAAA record: BigBlueButton's media servers are not set up for IPv6, and a client that came by IPv6 alone
    // would meet a page without sound. The records need the address only: they spread while the machine boots.
    const labels = { ...settings.labels, role: host.role };
    const records = dns.publish(name, { fqdn: host.fqdn, ipv4: host.ipv4, labels }, { parent: this });
    // What would end meetings is asked of BigBlueButton, so it is refused or allowed on its host.
    const { duringMeetings } = settings;
    const { beforeFirst } = args;
    this.steps = new HostSteps(name, { host, settings, duringMeetings, beforeFirst }, this);
    const attached = attachRecordings(this.steps, host, this);
    this.steps.run("preflight", checkOf(host, settings, dns, { records }), this);
    this.steps.run("prepare", preparationOf(host, settings, settings.bbb.certificate), this);
    // It is the setting upgrade that asks for a move of what is elsewhere.
    const more = settings.greenlight && { greenlight: true as const, upgrade: settings.upgrade || undefined };
    mountRecordings(this.steps, host, settings, attached, this, more);
    const installed = this.steps.run(
      "install",
      {
        title: `Install BigBlueButton ${settings.release.version}`,
        script: "install-bbb.sh",
        flags: installFlags(args),
        ...inPool(args).waits,
      },
      this,
    );
    const formats = this.installFormats(settings, installed);
    const branded = this.putBranding(settings, installed);
    const wired = this.steps.run(
      "wire",
      {
        script: "wire.sh",
        flags: {
          "xml-path": path,
          settings: textsFor(groups),
          "branding-files": settings.branding !== undefined,
          // The values of duringMeetings that allow it; each makes this run again anyway, by what it changes.
          "rotate-shared-secret": settings.rotateSharedSecret || undefined,
          "rotate-turn-secret": (settings.turn.kind === "own" && settings.turn.rotateSecret) || undefined,
          upgrade: settings.upgrade || undefined,
          ...inPool(args).flags,
        },
        ...inPool(args).waits,
        stdin: pulumi.interpolate`${this.sharedSecret}\n${renderOwnedKeys(this.ownedKeys)}${this.turnXml}`,
        // The installer writes its own TURN wiring and secret each time.
        rerunsWith: [installed, ...(formats ? [formats] : []), ...(branded ? [branded] : [])],
        dependsOn: [...turn.dependsOn],
      },
      this,
    );
    this.disturbing = [installed, wired];
    if (settings.pool) {
      this.steps.run(
        "node",
        {
          script: "pool-node.sh",
          flags: nodeFlags(settings),
          rerunsWith: [installed],
          dependsOn: [wired.command],
        },
        this,
      );
    }
    this.dialInCheck = this.setUpDialIn(settings, { installed, wired });
    const { greenlight } = settings;
    this.administrator = administratorOf(name, settings, this);
    if (greenlight && hasWishes(greenlight)) {
      this.steps.run(
        "greenlight",
        {
          script: "greenlight.sh",
          stdin: greenlightRequest(
            { fqdn: host.fqdn, upgrade: settings.upgrade },
            greenlight,
            this.administrator,
          ),
          // The installer starts Greenlight anew, perhaps as another version.
          rerunsWith: [installed],
          dependsOn: [wired.command],
        },
        this,
      );
    }

    this.registerOutputs({});
  }

  /** Installs what further formats of recordings need; the wiring, which puts them among the steps, comes after. */
  private installFormats({ groups }: Pick<Settings, "groups">, installed: Step): Step | undefined {
    const formats = formatsToInstall(groups.recordings?.formats as readonly string[] | undefined);
    if (formats.length === 0) return undefined;
    return this.steps.run(
      "recording-formats",
      { script: "recording-formats.sh", flags: { formats: formats.join(" ") }, rerunsWith: [installed] },
      this,
    );
  }

  /** Sends the files of the setting branding; the wiring, which names them, comes after. */
  private putBranding(
    { branding, upgrade }: Pick<Settings, "branding" | "upgrade">,
    installed: Step,
  ): Step | undefined {
    if (!branding) return undefined;
    const { user } = this.host;
    const staging = `${user === "root" ? "/root" : `/home/${user}`}/${BRANDING_STAGING}`;
    const copies = branding.files.flatMap((file) => {
      if (file.kind === "url") return [];
      const { option, kind, name, path } = file;
      const source =
        kind === "folder" ? new pulumi.asset.FileArchive(path) : new pulumi.asset.FileAsset(path);
      return [
        this.steps.copy(
          `branding-${option}`,
          { source, path: `${staging}/${name}`, triggers: [upgrade] },
          this,
        ),
      ];
    });
    return this.steps.run(
      "branding",
      {
        script: "branding.sh",
        flags: { staging },
        stdin: renderBrandingDocument(branding),
        rerunsWith: [installed],
        dependsOn: copies,
      },
      this,
    );
  }

  /** Adds the step that gives FreeSWITCH its gateway. Its removal from the program takes that away. */
  private setUpDialIn(
    settings: BbbServerArgs["settings"],
    { installed, wired }: { readonly installed: Step; readonly wired: Step },
  ): pulumi.Output<string> | undefined {
    const request = dialInRequest(settings, this.host.ipv4);
    if (!request) return undefined;
    const flags = { server: this.host.server.id };
    this.steps.run(
      "dial-in",
      {
        script: "dial-in.sh",
        flags,
        stdin: request.apply(renderDialInRequest),
        // The installer's packages bring files of FreeSWITCH anew.
        rerunsWith: [installed],
        dependsOn: [wired.command],
        removal: { ...flags, remove: true },
      },
      this,
    );
    return request.apply(renderDialInCheck);
  }
}

/** Options of a pool's server: when a recording is deleted for good, its balancer decides. */
function groupsOfNode(groups: Settings["groups"]): Settings["groups"] {
  const { publishedDays, ...recordings } = groups.recordings ?? {};
  return publishedDays === undefined ? groups : { ...groups, recordings };
}

function nodeFlags({ groups: { recordings } }: Pick<Settings, "groups">) {
  return {
    formats: publishedFormats(recordings?.formats as readonly string[] | undefined).join(" "),
    "raw-days": recordings?.rawDays as number | undefined,
    "published-days": recordings?.publishedDays as number | undefined,
  };
}

/**
 * Seconds for which a step of a pool's server may wait for the others' turns. The balancer bounds each turn; this does not depend
 * on their number, since a server more must run no step of the others again.
 */
const QUEUE_SECONDS = 86_400;

/** Names with which a pool's server asks its balancer to let it go, and the time for that. */
function inPool({ host, settings: { pool } }: BbbServerArgs) {
  return pool
    ? { flags: { balancer: pool.balancer.fqdn, node: host.fqdn }, waits: { waits: QUEUE_SECONDS } }
    : { flags: {}, waits: {} };
}

function installFlags(args: BbbServerArgs) {
  const { host, turn, settings } = args;
  const { installer, release, greenlight, upgrade } = settings;
  const { url, sha256, version } = installer;
  const names = { hostname: host.fqdn, turnHostname: turn.fqdn };
  return {
    "installer-url": url,
    "installer-sha256": sha256,
    "installer-arguments": installerArguments(release, {
      version,
      ...names,
      greenlight: greenlight !== undefined,
    }).join(" "),
    hostname: host.fqdn,
    ipv4: host.ipv4,
    "private-ipv4": host.privateIpv4,
    upgrade: upgrade || undefined,
    ...inPool(args).flags,
  };
}
