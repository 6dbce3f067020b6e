/** Files and keys of BigBlueButton's source that our scripts read or write. */
import { worst, Wrong } from "../check/finding";

interface Expected {
  readonly path: string;
  /** Texts that the file must contain. */
  readonly keys: readonly string[];
  /** Script that relies on them. */
  readonly script: string;
}

const MEDIA = "scripts/host/media_addresses.py";

export const expectedKeys: readonly Expected[] = [
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
];

/** Checks a file for its keys. @throws Wrong with the missing keys */
export function inspectKeys(text: string, { keys, script }: Expected): string {
  const gone = keys.filter((key) => !text.includes(key));
  return worst(
    gone.length > 0
      ? [new Wrong(`has no ${gone.join(", ")} any more`, `look what took its place, and adapt ${script}`)]
      : [`has ${keys.join(", ")}`],
  );
}
