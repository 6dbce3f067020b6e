/**
 * Treatment of a problem by scripts/host/bbb_conf_check.py: looked at a second time (FAIL or warn), a warning, or
 * ignored.
 */
export type ProblemKind = "looked at" | "warn" | "info" | "nothing";

/**
 * Problems that `bbb-conf --check` is known to report below its header, by their first words. `…` stands for a value.
 */
export const bbbConfProblems: readonly (readonly [begins: string, kind: ProblemKind])[] = [
  ["Error: Could not connect to the configured hostname", "warn"],
  ["Not running:", "warn"],
  ["Error: Detected some processes have not started correctly", "warn"],
  ["Error: Unable to connect to the FreeSWITCH Event Socket Layer on port 8021", "looked at"],
  ["Error: Found text in freeswitch.log", "warn"],
  ["Error: FreeSWITCH failed to start with SETSCHEDULER error", "warn"],
  ["Error: Detected that /etc/bigbluebutton/bbb-apps-akka.conf has the default", "warn"],
  ["Error: Unable to reach default URL for presentation", "warn"],
  ["Error: File not found", "warn"],
  ["Nginx: BigBlueButton appears to be disabled", "warn"],
  ["Warning: Detected you have the default shared secret", "warn"],
  ["Warning: Webhooks API Shared Secret mismatch", "warn"],
  ["Warning: Webhooks port mismatch", "warn"],
  ["Warning: Detected the directory", "looked at"],
  ["Warning: The directory", "looked at"],
  ["Warning: The file", "looked at"],
  ["Warning: Detected FreeSWITCH is using default stun.freeswitch.org server", "warn"],
  ["Warning: No firewall detected", "nothing"],
  ["Warning: The setting of … for local_ip_v4 in", "info"],
  ["Warning: The setting of … for proxy_pass in", "info"],
  ["Warning: You have this server defined for https, but in", "info"],
  ["Warning: Failed to verify STUN server at", "warn"],
  ["Warning: The installed ffmpeg version … is not recommended", "info"],
  ["Warning: No ffmpeg version was found", "looked at"],
  ["Warning: You are running BigBlueButton on a server with less than", "warn"],
  ["Warning: found only", "warn"],
  ["Warning: Detected that systemctl does not define a UTF-8 language", "warn"],
  ["Warning: nginx is not serving BigBlueButton's web application", "warn"],
  ["Warning: found 'Nil' message in recording processing logs", "warn"],
  ["Warning: The API demos are installed and accessible from", "warn"],
];
