/** Files and keys of BigBlueButton's source that our scripts read or write. */
import { optionGroups } from "../../bigbluebutton/optionGroups";
import { linesOf, type Options } from "../../bigbluebutton/options";
import type { OverrideName } from "../../bigbluebutton/overrideFiles";
import type { Release } from "../../bigbluebutton/releases";
import { worst, Wrong } from "../check/finding";

interface Expected {
  readonly path: string;
  /** Texts that the file must contain. */
  readonly keys: readonly string[];
  /** Script that relies on them. */
  readonly script: string;
}

const MEDIA = "scripts/host/media_addresses.py";
const DIAL_IN = "bigbluebutton/dialIn.ts";
const FREESWITCH = "bbb-voice-conference/config/freeswitch/conf";

const everyLine: readonly Expected[] = [
  {
    path: "bigbluebutton-web/grails-app/conf/bigbluebutton.properties",
    keys: ["securitySalt=", "bigbluebutton.web.serverURL=", "supportedChecksumAlgorithms="],
    script: "scripts/host/wire_files.py",
  },
  {
    path: "akka-bbb-apps/src/universal/conf/application.conf",
    keys: ["services", "sharedSecret"],
    script: "scripts/host/wire_files.py",
  },
  {
    path: "record-and-playback/core/scripts/bigbluebutton.yml",
    keys: ["playback_host:", "playback_protocol:"],
    script: "scripts/host/playback.py",
  },
  {
    path: "bbb-voice-conference/config/freeswitch/conf/vars.xml",
    keys: ["local_ip_v4=", "external_rtp_ip=", "external_sip_ip="],
    script: MEDIA,
  },
  {
    path: "bbb-voice-conference/config/freeswitch/conf/sip_profiles/external.xml",
    keys: ['name="ext-rtp-ip"', 'name="ext-sip-ip"', 'name="ws-binding"'],
    script: MEDIA,
  },
  {
    path: "bigbluebutton-web/grails-app/conf/bigbluebutton.properties",
    keys: ["defaultDialAccessNumber=", "defaultNumDigitsForTelVoice="],
    script: DIAL_IN,
  },
  {
    path: `${FREESWITCH}/sip_profiles/external.xml`,
    keys: ['data="external/*.xml"', 'name="context" value="public"'],
    script: DIAL_IN,
  },
  { path: `${FREESWITCH}/dialplan/public.xml`, keys: ['data="public/*.xml"'], script: DIAL_IN },
  {
    path: `${FREESWITCH}/dialplan/default/bbb_conference.xml`,
    keys: ["${bbb_authorized}", 'field="destination_number"', "{5,11}"],
    script: DIAL_IN,
  },
];

/** Files of a line with the keys that our scripts and settings rely on. */
export function expectedKeys({ version }: Pick<Release, "version">): readonly Expected[] {
  const options = Object.values<Options>(optionGroups)
    .flatMap((group) => Object.values(group))
    .filter((option) => linesOf(option).some((line) => line === version));
  const places = options.flatMap(({ at }) => at);
  const keysIn = (file: OverrideName, form: (key: string) => string) =>
    places.flatMap((place) => (place.file === file ? [form(place.key)] : []));
  return [
    ...everyLine,
    {
      path: "bigbluebutton-web/grails-app/conf/bigbluebutton.properties",
      keys: keysIn("web", (key) => `${key}=`),
      script: "bigbluebutton/*Options.ts",
    },
    {
      path: "bigbluebutton-html5/private/config/settings.yml",
      keys: keysIn("html5", (key) => `${key.split(".").at(-1)!}:`),
      script: "bigbluebutton/*Options.ts",
    },
  ];
}

/** Checks a file for its keys. @throws Wrong with the missing keys */
export function inspectKeys(text: string, { keys, script }: Expected): string {
  const gone = keys.filter((key) => !text.includes(key));
  return worst(
    gone.length > 0
      ? [new Wrong(`has no ${gone.join(", ")} any more`, `look what took its place, and adapt ${script}`)]
      : [keys.length > 5 ? `has all ${keys.length} keys of ${script}` : `has ${keys.join(", ")}`],
  );
}
