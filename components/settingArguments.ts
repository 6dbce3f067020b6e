// Generated from settings/fields by scripts/generate-docs.ts.
/* eslint-disable @typescript-eslint/no-explicit-any -- other languages have no type of boolean or object */
import type * as pulumi from "@pulumi/pulumi";

import type { AlertsArgument, BackupArgument, DialInArgument, OverridesArgument } from "./argumentTypes";

/** Every setting of a deployment, by its name in Pulumi.yaml. */
export interface SettingArguments {
  // Names
  /** DNS zone of both names, e.g. example.org. It must exist already, since several stacks share it. */
  readonly domain: pulumi.Input<string>;
  /**
   * Name of the BigBlueButton server: a label in the zone, or the full name.
   *
   * @default "bbb"
   */
  readonly hostname?: pulumi.Input<string>;
  /**
   * Name of the TURN server: a label in the zone, or the full name.
   *
   * @default "turn"
   */
  readonly turnHostname?: pulumi.Input<string>;
  /**
   * Way to make the DNS records: hetzner (in the token's project), route53 (in the AWS account), or manual (the
   * update prints the records to make and waits for them). Not set: the cloud's own, hetzner or route53.
   */
  readonly dns?: pulumi.Input<string>;
  // Certificates
  /** Address of the account at the certificate authority, whose terms are accepted with it. */
  readonly email: pulumi.Input<string>;
  /**
   * The certificate authority: production or staging (Let's Encrypt's), or the https URL of another ACME directory.
   * Only production's certificates are trusted by browsers.
   *
   * @default "production"
   */
  readonly acmeServer?: pulumi.Input<string>;
  /**
   * Root certificates (PEM) of a private certificate authority; both servers come to trust them. From standard input,
   * pulumi config set acmeCa < roots.pem: as an argument it begins with dashes, and needs -- before it.
   */
  readonly acmeCa?: pulumi.Input<string>;
  /**
   * Path, on the machine that deploys, of a PEM file with a certificate of your own instead of the authority's, and
   * its intermediates. A certificate that is also for the TURN server's name, e.g. a wildcard, is used there also.
   */
  readonly certificateFile?: pulumi.Input<string>;
  /**
   * Path of the PEM file with its private key, which must not be encrypted. The key itself is in no setting; it is
   * read at each update and goes to the servers only.
   */
  readonly certificateKeyFile?: pulumi.Input<string>;
  /** Path of the TURN server's own certificate, like certificateFile. */
  readonly turnCertificateFile?: pulumi.Input<string>;
  /** Path of the TURN server's own private key, like certificateKeyFile. */
  readonly turnCertificateKeyFile?: pulumi.Input<string>;
  // Access by SSH
  /**
   * The networks that may reach SSH, in CIDR form, e.g. ["198.51.100.7/32"]. Yours must be among them, as the
   * deployment works over SSH.
   */
  readonly sshNetworks: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Public keys of people who may log in, as in authorized_keys, beside the key that the deployment generates for
   * itself.
   */
  readonly sshPublicKeys?: pulumi.Input<pulumi.Input<string>[]>;
  // Environment and protection
  /**
   * test, staging or prod: what kind of deployment this is. docs/environments.md says what follows from it. Not set:
   * test, as the preview says.
   */
  readonly environment?: pulumi.Input<string>;
  /**
   * Protect both servers and their addresses from deletion, in Pulumi and at the cloud. Not set: the environment's
   * value.
   */
  readonly protect?: pulumi.Input<boolean>;
  /**
   * Protect the recordings volume, and the Storage Box of backups, from deletion. Not set: the environment's value.
   */
  readonly protectRecordings?: pulumi.Input<boolean>;
  /** The cloud's own daily backups of the BigBlueButton server. Not set: the environment's value. */
  readonly backups?: pulumi.Input<boolean>;
  /**
   * Time from which the deployment may be removed, in seconds since 1970. scripts/test-server sets it on what it
   * makes, and reap removes that then. Not set: never.
   */
  readonly expires?: pulumi.Input<string>;
  // Clouds and servers
  /**
   * Cloud of the deployment: hetzner (Hetzner Cloud) or aws (EC2).
   *
   * @default "hetzner"
   */
  readonly cloud?: pulumi.Input<string>;
  /**
   * Location of both servers at the cloud, e.g. nbg1; on AWS a region, e.g. eu-west-1. Not set: fsn1 (Falkenstein),
   * on AWS eu-central-1 (Frankfurt).
   */
  readonly location?: pulumi.Input<string>;
  /**
   * Server type of the BigBlueButton server, x86. Not set: ccx33 in prod, ccx23 otherwise; on AWS c7a.2xlarge in
   * prod, c7a.xlarge otherwise.
   */
  readonly serverType?: pulumi.Input<string>;
  /** Cloud of the TURN server, hetzner or aws. Not set: the BigBlueButton server's. */
  readonly turnCloud?: pulumi.Input<string>;
  /**
   * Location of the TURN server; both servers' region if both are at AWS. Not set: the BigBlueButton server's, or the
   * default of turnCloud.
   */
  readonly turnLocation?: pulumi.Input<string>;
  /** Server type of the TURN server, x86. Not set: ccx13 in prod, cpx22 otherwise; on AWS c7a.large. */
  readonly turnServerType?: pulumi.Input<string>;
  /**
   * Image of the BigBlueButton server: name or id; on AWS ami-… or a name pattern of Canonical's; or baked, the
   * newest that scripts/image has made of this release, or baked-or-stock, the release's own Ubuntu where there is
   * none. Not set: the release's own Ubuntu. A running server keeps its own.
   */
  readonly image?: pulumi.Input<string>;
  /**
   * Image of the TURN server, with Ubuntu 24.04: as for the setting image. Not set: the cloud's own Ubuntu 24.04. A
   * running server keeps its own.
   */
  readonly turnImage?: pulumi.Input<string>;
  /**
   * AWS only: id of the VPC of the servers. Not set: the region's default VPC. Servers that exist stay where they
   * are.
   */
  readonly vpcId?: pulumi.Input<string>;
  /**
   * AWS only: id of the subnet of the servers, which must be public. Not set: one of the VPC's public subnets.
   * Servers that exist stay where they are.
   */
  readonly subnetId?: pulumi.Input<string>;
  /**
   * Labels at Hetzner Cloud and tags at AWS, as a map, for all resources that can have any, e.g. for a bill by cost
   * centre. The deployment's own (project, stack, role, deployment, expires, Name, snapshots) can't be set.
   */
  readonly tags?: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>;
  // A pool of servers
  /**
   * Number of BigBlueButton servers behind one balancer, 1 to 50; it may grow and shrink at any time. 0: one server
   * without a balancer. A stack stays what it is: one server, or a pool. docs/pool.md has what a pool is, and what it
   * cannot do yet.
   *
   * @default 0
   */
  readonly servers?: pulumi.Input<number>;
  /** Server type of a pool's balancer, x86. Not set: cpx32 in prod, cx33 otherwise; on AWS c7a.large. */
  readonly balancerServerType?: pulumi.Input<string>;
  /**
   * Minutes, 0 to 180, for which an update waits for the last meeting on a server that leaves the pool, for good or
   * for work on it. After that it fails. The server stays; one that was to go gets no new meetings for an hour.
   *
   * @default 30
   */
  readonly drainMinutes?: pulumi.Input<number>;
  /**
   * Number of a pool's servers, 1 to 49 and less than servers, that may be out at once for an upgrade, another server
   * type or a restart of BigBlueButton. Each waits for its turn, then up to drainMinutes for the end of its meetings.
   *
   * @default 1
   */
  readonly maxUnavailable?: pulumi.Input<number>;
  // BigBlueButton
  /**
   * The BigBlueButton release, one of those in docs/releases.md. The default is the current stable one.
   *
   * @default "jammy-30"
   */
  readonly release?: pulumi.Input<string>;
  /**
   * Allows a release that gets no security updates any more.
   *
   * @default false
   */
  readonly allowEndOfLife?: pulumi.Input<boolean>;
  /**
   * Installs Greenlight, BigBlueButton's own front end. Not needed behind Moodle or another front end. true, or an
   * object that makes its administrator and sets it up: docs/greenlight.md has the keys.
   *
   * @default false
   */
  readonly greenlight?: pulumi.Input<any>;
  /** URL of bbb-install, e.g. at a mirror, instead of the release's own. Needs installerSha256. */
  readonly installerUrl?: pulumi.Input<string>;
  /** SHA-256 of the installer. Alone, it pins the release's own installer. */
  readonly installerSha256?: pulumi.Input<string>;
  // Meetings
  /**
   * Options of meetings, as a map: welcome text, recording, guests, cameras, locks, layout, limits. docs/meetings.md
   * lists them. An option that is taken away goes back to BigBlueButton's own value.
   */
  readonly meetings?: pulumi.Input<MeetingsOptions>;
  // Branding
  /**
   * Look of the client and of the first page, as a map of options: logo, icon, title, slides, CSS, footer, first
   * page. docs/branding.md lists them. A file is a path on the machine that deploys, from the project's folder, or an
   * https URL.
   */
  readonly branding?: pulumi.Input<BrandingOptions>;
  // Recordings
  /** Options of recordings, as a map: days for which they are kept, mp4, workers. docs/recordings.md lists them. */
  readonly recordings?: pulumi.Input<RecordingsOptions>;
  /**
   * Size in GB of the volume for recordings, 10 or more. It may grow later, never shrink. 0: recordings stay on the
   * server's own disk. In a pool the volume is the balancer's.
   *
   * @default 0
   */
  readonly recordingsGb?: pulumi.Input<number>;
  /**
   * Id of an existing volume to use for recordings instead of a new one, for a deployment whose state was lost. It is
   * attached as it is, never formatted; recordingsGb is ignored then. On AWS vol-…, which also decides the
   * availability zone.
   */
  readonly recordingsVolumeId?: pulumi.Input<string>;
  /**
   * AWS only: number of daily snapshots of the recordings volume that are kept, in prod also of the server's own
   * disk. 0: none. They cost extra and outlive the deployment.
   *
   * @default 7
   */
  readonly snapshotDays?: pulumi.Input<number>;
  // Privacy
  /**
   * Options of what the server keeps of people, as a map: access log, days of logs, lists of recordings.
   * docs/privacy.md lists them.
   */
  readonly privacy?: pulumi.Input<PrivacyOptions>;
  // Dial-in
  /**
   * Lets people dial into meetings by telephone: number, networks (of the provider), gateway (host, port, register,
   * user, password), pinDigits, greeting. Its password must be a secret. docs/dial-in.md lists them. Not set: no
   * telephone, and port 5060 stays closed.
   */
  readonly dialIn?: pulumi.Input<DialInArgument>;
  // Overrides
  /**
   * Keys of BigBlueButton's own files by their own names, for all that no other setting does, as a map by file; and
   * whole files of your own, for nginx and others. docs/overrides.md lists the files, and the keys that can't be set.
   */
  readonly overrides?: pulumi.Input<OverridesArgument>;
  // Alerts
  /**
   * Tells by e-mail or webhook when something breaks on a server, and when it is well again: email (to, from, server,
   * port, user, password), webhook (url, form: slack, matrix, ntfy or json), healthcheckUrl and turnHealthcheckUrl
   * (dead man's switches). Its password must be a secret; docs/alerts.md has examples. Not set: nobody is told.
   */
  readonly alerts?: pulumi.Input<AlertsArgument>;
  // Metrics
  /**
   * Offers the servers' numbers to Prometheus over HTTPS, for whoever has the token. Among them are meetings,
   * participants, recordings, processor, disk, network, relays. true, or an object of networks (CIDRs that alone may
   * ask), rotateToken (any text; a new one makes a new token), exporterUrl and exporterSha256 (another place or
   * version of the exporter): docs/metrics.md.
   *
   * @default false
   */
  readonly metrics?: pulumi.Input<any>;
  // Backup
  /**
   * Saves overrides, Greenlight and recordings each night in a storage of your own, encrypted: to (storage-box for a
   * Hetzner Storage Box that the stack makes, or a place of restic's, s3: or sftp:), accessKeyId and secretAccessKey,
   * or sshKey and hostKey, or boxType and boxLocation; at, keep (daily, weekly, monthly), raw, password, restoreFrom.
   * Its keys must be secrets; docs/backup.md has examples. Not set: nothing is saved.
   */
  readonly backup?: pulumi.Input<BackupArgument>;
  // One TURN server for several
  /** Public addresses of BigBlueButton servers of other stacks that this stack's TURN server also serves. */
  readonly turnPeers?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Name of the stack of this project whose TURN server to use instead of making one. Its turnPeers must have this
   * BigBlueButton server's address.
   */
  readonly turnStack?: pulumi.Input<string>;
  // Upgrades and new secrets
  /** Any text, e.g. a date. A new one runs the installer again and so upgrades BigBlueButton within its release. */
  readonly upgrade?: pulumi.Input<string>;
  /**
   * Any text, e.g. a date. A new one makes a new TURN secret on both servers; the former one is taken for two days
   * more.
   */
  readonly rotateTurnSecret?: pulumi.Input<string>;
  /**
   * Any text, e.g. a date. A new one makes a new API secret, to be told to every front end. A pool takes the former
   * one for two days more.
   */
  readonly rotateSharedSecret?: pulumi.Input<string>;
  /**
   * Allows one change to interrupt running meetings: the same text as the new value of the setting that asks for the
   * change (upgrade, rotateTurnSecret, rotateSharedSecret, serverType, turnServerType), or the text that a refusal
   * names for a change of meetings or branding. It counts for that one change; to set or remove it changes nothing.
   * Not set: refused.
   */
  readonly duringMeetings?: pulumi.Input<string>;
}

/** Options of `meetings`; docs/meetings.md says what each is by default, and from which release on. */
export interface MeetingsOptions {
  /** Welcome text, simple HTML, in which placeholders are replaced. */
  readonly welcome?: pulumi.Input<string>;
  /**
   * Text below the welcome text, simple HTML, with the same placeholders. It stays where a front end brings a welcome
   * text of its own.
   */
  readonly welcomeFooter?: pulumi.Input<string>;
  /** Mutes everybody who joins. */
  readonly muteOnStart?: pulumi.Input<boolean>;
  /** Lets moderators unmute others. */
  readonly moderatorsMayUnmute?: pulumi.Input<boolean>;
  /** Asks people before a moderator unmutes them. */
  readonly askBeforeUnmuting?: pulumi.Input<boolean>;
  /** Tells people by a sound that they are muted, or no longer muted. */
  readonly muteSounds?: pulumi.Input<boolean>;
  /**
   * never: no meeting is recorded, whatever its front end asks for. onRequest: moderators start and stop it. always:
   * from beginning to end, without a button. For the last two the front end must still create the meeting with
   * record=true.
   */
  readonly recording?: pulumi.Input<string>;
  /** Keeps the media of a whole recorded meeting, not of its marked parts alone. */
  readonly recordWholeMeeting?: pulumi.Input<boolean>;
  /** Records breakout rooms of a recorded meeting. */
  readonly recordBreakoutRooms?: pulumi.Input<boolean>;
  /** Most people in a meeting. 0: no limit. */
  readonly maxUsers?: pulumi.Input<number>;
  /** Minutes after which a meeting ends. 0: no limit. */
  readonly durationMinutes?: pulumi.Input<number>;
  /** Most sessions of one person in a meeting, known by the userID of the front end. 0: no limit. */
  readonly sessionsPerUser?: pulumi.Input<number>;
  /** Treatment of guests. */
  readonly guestPolicy?: pulumi.Input<string>;
  /** Lets people share cameras at all. */
  readonly cameras?: pulumi.Input<boolean>;
  /** Lets presenters share their screen at all. */
  readonly screenSharing?: pulumi.Input<boolean>;
  /** Most cameras in a meeting. 0: no limit. */
  readonly camerasPerMeeting?: pulumi.Input<number>;
  /** Most cameras of one person. 0: no limit. */
  readonly camerasPerUser?: pulumi.Input<number>;
  /** Most cameras that can be pinned. */
  readonly pinnedCameras?: pulumi.Input<number>;
  /** Lets moderators stop others' cameras. */
  readonly moderatorsMayStopCameras?: pulumi.Input<boolean>;
  /**
   * Quality that is chosen for a camera until its owner chooses another (about 100, 200, 500, 800 kbit/s). It is
   * marked in the package's own list, which is written again after each upgrade.
   */
  readonly cameraQuality?: pulumi.Input<string>;
  /** Shows viewers the cameras of moderators alone. */
  readonly viewersSeeOnlyModeratorsCameras?: pulumi.Input<boolean>;
  /**
   * Locks of viewers from the beginning. They can't share a camera or microphone, chat in private or in public, write
   * notes, see the list of users, each other's cursors or annotations. Moderators can, and may lift it.
   */
  readonly locked?: pulumi.Input<pulumi.Input<string>[]>;
  /** Locks viewers as soon as they join. false: a moderator has to. */
  readonly lockOnJoin?: pulumi.Input<boolean>;
  /** People who may become presenter. */
  readonly presenterPolicy?: pulumi.Input<string>;
  /** Layout in which a meeting begins. */
  readonly layout?: pulumi.Input<string>;
  /** Features that meetings don't have, by BigBlueButton's own names. */
  readonly disabledFeatures?: pulumi.Input<pulumi.Input<string>[]>;
  /** Lets people in breakout rooms chat in private. */
  readonly breakoutPrivateChat?: pulumi.Input<boolean>;
  /** Fewest breakout rooms that can be made. */
  readonly breakoutRoomsAtLeast?: pulumi.Input<number>;
  /**
   * Minutes for which the learning dashboard can be opened after a meeting. 0: for ever. disabledFeatures switches it
   * off.
   */
  readonly learningDashboardMinutes?: pulumi.Input<number>;
  /** Minutes between two looks for people who do nothing. 0: nobody looks. */
  readonly inactivityCheckMinutes?: pulumi.Input<number>;
  /** Minutes without a sign after which somebody is asked to give one. */
  readonly inactiveAfterMinutes?: pulumi.Input<number>;
  /** Minutes for that sign, until the meeting goes on without that person. */
  readonly inactivityAnswerMinutes?: pulumi.Input<number>;
  /** Minutes after the end of a meeting until the client leaves its page. 0: it stays. */
  readonly logoutMinutes?: pulumi.Input<number>;
  /** Minutes after which a meeting ends that nobody joined. */
  readonly endIfNobodyJoinsMinutes?: pulumi.Input<number>;
  /** Minutes after which a meeting ends that everybody left. */
  readonly endAfterLastLeftMinutes?: pulumi.Input<number>;
  /** Ends a meeting that its last moderator left. */
  readonly endWithoutModerator?: pulumi.Input<boolean>;
  /** Minutes after which endWithoutModerator ends it. */
  readonly endWithoutModeratorMinutes?: pulumi.Input<number>;
  /**
   * Largest presentation in MB, for bbb-web and for what the client says about it. nginx of these releases lets up to
   * 1000 MB through.
   */
  readonly uploadMb?: pulumi.Input<number>;
  /** Most pages of a presentation, for bbb-web and for the client. */
  readonly uploadPages?: pulumi.Input<number>;
  /**
   * Pictures that are offered as virtual backgrounds: the whole list, by their file names in BigBlueButton's folder
   * of them. disabledFeatures switches them off.
   */
  readonly virtualBackgrounds?: pulumi.Input<pulumi.Input<string>[]>;
  /** Writes what is said, by the browser's own recognition of speech, which may send it to the browser's maker. */
  readonly liveCaptions?: pulumi.Input<boolean>;
  /** Most annotations on a slide. */
  readonly annotations?: pulumi.Input<number>;
  /** Plugins of the client, by the https URLs of their manifests. */
  readonly plugins?: pulumi.Input<pulumi.Input<string>[]>;
  /** Media server of sound. */
  readonly audioBridge?: pulumi.Input<string>;
  /** Media server of cameras. */
  readonly cameraBridge?: pulumi.Input<string>;
  /** Media server of shared screens. */
  readonly screenShareBridge?: pulumi.Input<string>;
}

/** Options of `branding`; docs/branding.md says what each is by default, and from which release on. */
export interface BrandingOptions {
  /** Logo above the list of users: SVG, PNG or JPEG, at most 1 MB. */
  readonly logo?: pulumi.Input<string>;
  /** Logo above the list of users, in the dark theme: SVG, PNG or JPEG, at most 1 MB. */
  readonly darkLogo?: pulumi.Input<string>;
  /** Icon of the browser's tab: ICO, PNG or SVG, at most 250 kB. */
  readonly favicon?: pulumi.Input<string>;
  /** Title of the browser's tab, before the meeting's name. */
  readonly title?: pulumi.Input<string>;
  /** Slides of a meeting that brings none: PDF, at most 30 MB. `false`: none. */
  readonly presentation?: pulumi.Input<string>;
  /** CSS that the client loads after its own, at most 1 MB. */
  readonly style?: pulumi.Input<string>;
  /** Text below the client's “About”, in place of BigBlueButton's copyright. */
  readonly footer?: pulumi.Input<string>;
  /**
   * First page of the server: an https URL to which it leads; a page (HTML, at most 1 MB), or a folder with
   * index.html, which is shown at /welcome/; or `greenlight`, which needs the setting greenlight.
   */
  readonly landingPage?: pulumi.Input<string>;
}

/** Options of `recordings`; docs/recordings.md says what each is by default, and from which release on. */
export interface RecordingsOptions {
  /**
   * Days after which a recording is deleted, with its raw files, by the time at which its meeting began. Left out:
   * recordings are kept for ever.
   */
  readonly publishedDays?: pulumi.Input<number>;
  /**
   * Days for which the raw files of a published recording are kept, from which it can be made anew. BigBlueButton's
   * own daily clean-up deletes them.
   */
  readonly rawDays?: pulumi.Input<number>;
  /**
   * Days for which the raw files of a meeting are kept in which nobody pressed the button. Until then a recording can
   * still be made of it.
   */
  readonly unrecordedDays?: pulumi.Input<number>;
  /**
   * Formats in which a recording is published; the list replaces the default. The packages are installed from
   * BigBlueButton's own archive. Each takes its time to process.
   */
  readonly formats?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Makes mp4 beside webm in the format presentation, for players of Apple's that know no webm. It takes about as
   * long again to process. Recordings that exist stay as they are.
   */
  readonly mp4?: pulumi.Input<boolean>;
  /**
   * Hours in which recordings are processed, e.g. `22:00-06:00 Europe/Berlin`; UTC without a time zone. They are
   * archived at any time, and what is at work at the end is finished.
   */
  readonly hours?: pulumi.Input<string>;
  /**
   * Recordings that are processed at the same time. More take cores from meetings that run. Not together with kept
   * events (defaultKeepEvents), for which more than one worker loses data.
   */
  readonly workers?: pulumi.Input<number>;
}

/** Options of `privacy`; docs/privacy.md says what each is by default, and from which release on. */
export interface PrivacyOptions {
  /**
   * Keeps nginx's log of who opened which page, with addresses, names and meetings. false: none is kept from then on;
   * logs that exist go with their days.
   */
  readonly accessLog?: pulumi.Input<boolean>;
  /**
   * Days for which BigBlueButton's own logs are kept: those of meetings, media servers and recordings, by its daily
   * clean-up.
   */
  readonly logDays?: pulumi.Input<number>;
  /** Lets a front end ask for all recordings of the server at once. false: it must name a meeting or a recording. */
  readonly listAllRecordings?: pulumi.Input<boolean>;
}
