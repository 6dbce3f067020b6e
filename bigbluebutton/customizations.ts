/** What operators of earlier releases changed by hand, and what does it now. */
export interface Customization {
  readonly what: string;
  /** Settings that do it, e.g. "meetings.welcome" for an option of a group. */
  readonly settings?: readonly string[];
  /** Reason why no setting is needed, and what is in its place; or what a setting leaves open. */
  readonly note?: string;
}

/** Customizations of the guides of 2.0 and 2.2, in their order. */
export const customizations: readonly Customization[] = [
  { what: "remove the API demos", note: "They are in no release since 2.6." },
  {
    what: "the client's self-check, /check",
    note: "It went with Flash; the verification and `scripts/check` ask more.",
  },
  {
    what: "landing page",
    settings: ["branding.landingPage", "greenlight"],
    note: "A page of your own in `/var/www/bigbluebutton-default/assets/index.html` is overwritten by upgrades.",
  },
  { what: "show the shared secret", note: "`pulumi stack output sharedSecret --show-secrets`" },
  { what: "set or rotate the shared secret", settings: ["rotateSharedSecret"] },
  { what: "name of the server", settings: ["hostname", "domain"] },
  { what: "HTTPS", settings: ["acmeServer", "certificateFile"], note: "Always on." },
  { what: "default presentation", settings: ["branding.presentation"] },
  { what: "welcome text", settings: ["meetings.welcome", "meetings.welcomeFooter"] },
  {
    what: "dial-in number and its firewall",
    settings: ["dialIn"],
    note: "The cloud's firewall opens 5060/udp for the provider's networks alone.",
  },
  {
    what: "music for one person alone",
    note: "It is in FreeSWITCH's own files, which have no override file; LiveKit, 4.0's, has none.",
  },
  { what: "comfort noise", note: "Off in all releases of today." },
  { what: 'the sound "you are now muted"', settings: ["meetings.muteSounds"], note: "From 4.0 on." },
  {
    what: "size of uploads",
    settings: ["meetings.uploadMb"],
    note: "bbb-web, the client and nginx, whose limit is above it.",
  },
  { what: "pages of a presentation", settings: ["meetings.uploadPages"] },
  { what: "muted on start", settings: ["meetings.muteOnStart"] },
  {
    what: "always record",
    settings: ["meetings.recording", "meetings.recordWholeMeeting", "meetings.recordBreakoutRooms"],
  },
  {
    what: "camera of the presenter alone",
    settings: ["meetings.locked", "meetings.viewersSeeOnlyModeratorsCameras"],
    note: "There is no such rule for presenters any more; these are for viewers, and moderators keep theirs.",
  },
  { what: "quality of cameras", settings: ["meetings.cameraQuality"] },
  { what: "default layout", settings: ["meetings.layout"] },
  {
    what: "default language",
    note: "The browser's. A front end sets another for a person, with userdata-bbb_override_default_locale.",
  },
  {
    what: "path of the client",
    note: "nginx, bbb-web and the client must agree on it, so it stays /html5client.",
  },
  {
    what: "hours in which recordings are processed",
    settings: ["recordings.hours"],
    note: "The timer of the guides is in no release since 2.3.",
  },
  { what: "workers of recordings", settings: ["recordings.workers"] },
  { what: "more formats of recordings", settings: ["recordings.formats"] },
  {
    what: "webhooks",
    note: "`apt install bbb-webhooks` on the server; the deployment gives it the shared secret.",
  },
  { what: "delete old recordings", settings: ["recordings.publishedDays", "recordings.rawDays"] },
  { what: "transfer recordings", settings: ["recordingsVolumeId"], note: "The volume moves whole." },
  { what: "small disk for the system", settings: ["recordingsGb"] },
  {
    what: "FreeSWITCH elsewhere, or an Asterisk in front of it",
    settings: ["dialIn"],
    note: "An Asterisk is a trunk by address: docs/dial-in.md has the example. FreeSWITCH elsewhere is no layout that BigBlueButton supports any more.",
  },
  { what: "Greenlight", settings: ["greenlight"] },
  {
    what: "another web application on the server",
    note: "The installer owns nginx's site. Give it a server of its own.",
  },
];
