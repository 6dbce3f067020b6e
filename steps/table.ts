/** Table of the steps: time limits, titles, durations, and the files that each is made of. */

/** Source of a duration; `operator/plan` explains each. */
export type Basis = "sandbox" | "field" | "estimate";

/** Script that the program runs on a host. */
export interface HostScript {
  /** Title for the operator, unless the caller has a more exact one. */
  readonly title: string;
  /** Seconds after which `step` stops it. */
  readonly timeLimit: number;
  /** True for a script that only looks: the next step may end it. */
  readonly readOnly?: true;
  /**
   * True for one that runs as a unit of the host's own, which outlives the connection: for work of minutes. It may restart
   * the host; a command of its own then waits for its end.
   */
  readonly unit?: true;
  /** Files of scripts/host that it reads in or runs, and what those import; a change of one is a change of the step. */
  readonly needs: readonly string[];
  /** Seconds that it takes in an update, from … to. */
  readonly seconds: readonly [least: number, most: number];
  readonly basis: Basis;
  /** Seconds on a copy of a baked image, estimated. @default as elsewhere */
  readonly copySeconds?: readonly [least: number, most: number];
}

/** Files that every step uses, beside its own `needs`: a change of these is a change of each step. */
export const commonScripts = ["lib.sh", "step"] as const;

/** Scripts by their file in scripts/host, in the order of a host; the first connects and brings all the others. */
export const stepTable = {
  "connect.sh": {
    title: "Connect and install the step scripts",
    timeLimit: 600,
    needs: [],
    seconds: [30, 120],
    basis: "estimate",
  },
  "preflight.sh": {
    title: "Check the host",
    timeLimit: 5400,
    readOnly: true,
    needs: ["checks.py", "dns_check.py"],
    seconds: [1, 4],
    basis: "sandbox",
  },
  "prepare.sh": {
    title: "Prepare the system",
    timeLimit: 1800,
    needs: ["acme_failure.py", "certbot.sh", "checks.py", "upgrade_guard.py", "whole_files.py"],
    seconds: [5, 17],
    basis: "sandbox",
  },
  "recordings.sh": {
    title: "Mount the recordings volume",
    timeLimit: 900,
    needs: ["greenlight_move.py", "recordings_mounts.py", "recordings_writers.sh", "whole_files.py"],
    seconds: [1, 2],
    basis: "sandbox",
  },
  "install-bbb.sh": {
    title: "Install BigBlueButton",
    timeLimit: 4200,
    unit: true,
    needs: [
      "acme_failure.py",
      "addresses.sh",
      "certbot.sh",
      "checks.py",
      "image_secrets.py",
      "installer.sh",
      "leave-pool.sh",
      "leave_pool.py",
      "media_addresses.py",
      "personalise.py",
      "personalise.sh",
      "save-state.sh",
      "playback.py",
      "ssh_session.py",
      "whole_files.py",
    ],
    seconds: [1200, 1800],
    basis: "field",
    copySeconds: [120, 300],
  },
  "install-turn.sh": {
    title: "Install coturn and its certificate",
    timeLimit: 3000,
    unit: true,
    needs: [
      ...["acme_failure.py", "certbot.sh", "image_secrets.py"],
      ...["personalise.py", "personalise.sh", "turn_access.py", "whole_files.py"],
    ],
    seconds: [7, 13],
    basis: "sandbox",
    copySeconds: [4, 8],
  },
  "turn-access.sh": {
    title: "Tell coturn its peers and its secret",
    timeLimit: 300,
    needs: ["addition.sh", "turn_access.py"],
    seconds: [1, 7],
    basis: "sandbox",
  },
  /** Runs for each server of a pool. */
  "turn-peer.sh": {
    title: "Hold a server as a peer of coturn",
    timeLimit: 300,
    needs: ["addition.sh", "turn-access.sh", "turn_access.py"],
    seconds: [1, 7],
    basis: "sandbox",
  },
  "configure-turn.sh": {
    title: "Configure coturn",
    timeLimit: 300,
    needs: [],
    seconds: [1, 2],
    basis: "sandbox",
  },
  /** Runs where the setting recordings has formats that no installer brings. */
  "recording-formats.sh": {
    title: "Install the recordings' formats",
    timeLimit: 2400,
    needs: [],
    seconds: [10, 120],
    basis: "estimate",
  },
  /** Runs where the setting branding has files. */
  "branding.sh": {
    title: "Put the branding's files in place",
    timeLimit: 1200,
    needs: ["branding.py", "whole_files.py"],
    seconds: [1, 3],
    basis: "sandbox",
  },
  "wire.sh": {
    title: "Wire the TURN server and the shared secret",
    timeLimit: 900,
    needs: [
      "api_check.py",
      "branding.py",
      "checks.py",
      "extra_files.py",
      "keyed_text.py",
      "leave-pool.sh",
      "leave_pool.py",
      "owned_keys.py",
      "recording_workers.py",
      "save-state.sh",
      "ssh_session.py",
      "whole_files.py",
      "wire_files.py",
    ],
    seconds: [3, 4],
    basis: "sandbox",
  },
  /** Runs on each server of a pool. */
  "pool-node.sh": {
    title: "Tell the balancer what runs here",
    timeLimit: 300,
    needs: ["json_service.py", "node_recordings.py", "node_state.py"],
    seconds: [1, 3],
    basis: "sandbox",
  },
  "install-balancer.sh": {
    title: "Install the balancer and its certificate",
    timeLimit: 3000,
    unit: true,
    needs: ["acme_failure.py", "certbot.sh"],
    seconds: [60, 300],
    basis: "estimate",
  },
  "balancer-recordings.sh": {
    title: "Gather the recordings",
    timeLimit: 1800,
    needs: [
      "addition.sh",
      "json_service.py",
      "node_recordings.py",
      "node_state.py",
      "pool.py",
      "pool_lease.py",
      "ssh_session.py",
      "pool_recordings.py",
      "whole_files.py",
    ],
    seconds: [2, 30],
    basis: "estimate",
  },
  "configure-balancer.sh": {
    title: "Configure the balancer",
    timeLimit: 900,
    needs: [
      ...["addition.sh", "balancer_secrets.py", "json_service.py", "lease_service.py", "node_recordings.py"],
      ...["node_state.py", "pool.py", "pool_lease.py", "pool_recordings.py", "ssh_session.py"],
      "whole_files.py",
    ],
    seconds: [10, 60],
    basis: "estimate",
  },
  "pool-member.sh": {
    title: "Take a server into the pool",
    // The longest wait that drainMinutes can ask for, and the balancer's own after it.
    timeLimit: 12_600,
    needs: [
      ...["json_service.py", "node_recordings.py", "node_state.py", "pool.py", "pool_lease.py"],
      ...["ssh_session.py", "whole_files.py"],
    ],
    seconds: [5, 60],
    basis: "estimate",
  },
  /** Runs where the setting dialIn is set. */
  "dial-in.sh": {
    title: "Set up dial-in",
    timeLimit: 300,
    needs: ["addition.sh", "dial_in.py", "event_socket.py", "whole_files.py"],
    seconds: [1, 20],
    basis: "estimate",
  },
  "greenlight.sh": {
    title: "Set up Greenlight",
    timeLimit: 3000,
    needs: [
      ...[
        "api_check.py",
        "checks.py",
        "extra_files.py",
        "greenlight.py",
        "greenlight.rb",
        "greenlight_check.py",
      ],
      ...["greenlight_image.py", "keyed_text.py", "owned_keys.py", "whole_files.py"],
    ],
    seconds: [10, 300],
    basis: "estimate",
  },
  "verify.sh": {
    title: "Verify the deployment",
    timeLimit: 1800,
    readOnly: true,
    needs: [
      "recordings_way_check.py",
      "node_recordings.py",
      "pool_recordings.py",
      ...["alert_messages.py", "alert_state.py", "alerts_check.py", "alive_check.py"],
      ...["backup_check.py", "backup_state.py", "balancer_check.py", "json_service.py", "node_state.py"],
      "pool.py",
      ...["node_figures.py", "pool_state.py"],
      ...["pool_lease.py", "ssh_session.py"],
      ...["recording_files.py", "restic.py"],
      ...["api_check.py", "bbb_conf_check.py", "branding.py", "branding_check.py", "checks.py"],
      ...["dial_in_check.py", "dns_check.py", "event_socket.py", "extra_files.py"],
      ...["greenlight_check.py", "host_check.py", "identity_check.py", "image_secrets.py"],
      ...["metrics_check.py", "personalise.py"],
      ...["media_addresses.py", "network_check.py", "playback.py", "port_check.py", "recordings_mounts.py"],
      ...[
        "secret_files.py",
        "service_check.py",
        "storage_check.py",
        "system_check.py",
        "turn_access.py",
        "turn_check.py",
      ],
      ...[
        "keyed_text.py",
        "owned_keys.py",
        "recording_formats.py",
        "turn_files.py",
        "upgrade_guard.py",
        "whole_files.py",
        "wire_files.py",
      ],
    ],
    seconds: [1, 4],
    basis: "sandbox",
  },
  /** Runs where the setting metrics asks for it. */
  "metrics.sh": {
    title: "Set up the metrics",
    timeLimit: 1800,
    needs: [
      "addition.sh",
      "checks.py",
      "metrics_check.py",
      "metrics_exporter.py",
      "metrics_password.py",
      "metrics_turn.sh",
      ...[
        "node_recordings.py",
        "node_state.py",
        "pool.py",
        "pool_lease.py",
        "pool_metrics.py",
        "pool_state.py",
      ],
      ...["json_service.py", "ssh_session.py", "whole_files.py"],
    ],
    seconds: [5, 30],
    basis: "sandbox",
  },
  /** Runs where the setting backup is. */
  "backup.sh": {
    title: "Set up the backups",
    timeLimit: 900,
    needs: [
      "addition.sh",
      "backup.py",
      "backup_state.py",
      "carry.py",
      "checks.py",
      "extra_files.py",
      "greenlight_data.py",
      "keyed_text.py",
      "owned_keys.py",
      "recording_files.py",
      "restic.py",
      "storage_box.py",
      "unit_follow.py",
      "whole_files.py",
    ],
    seconds: [5, 60],
    basis: "estimate",
  },
  /** Runs where the setting backup has restoreFrom. */
  "restore.sh": {
    title: "Restore the backup",
    timeLimit: 43200,
    unit: true,
    needs: [
      ...["backup.py", "backup_state.py", "carry.py", "checks.py", "extra_files.py", "greenlight_data.py"],
      ...["keyed_text.py", "owned_keys.py", "recording_files.py", "restic.py", "restore.py"],
      ...["storage_box.py", "unit_follow.py", "whole_files.py"],
    ],
    seconds: [10, 3600],
    basis: "estimate",
  },
  "alerts.sh": {
    title: "Set up the alerts",
    timeLimit: 300,
    needs: [
      "addition.sh",
      "alert_channels.py",
      "alert_decision.py",
      "alert_messages.py",
      "alert_round.py",
      "alert_state.py",
      "whole_files.py",
    ],
    seconds: [1, 5],
    basis: "sandbox",
  },
  /** Runs before a volume is taken from a host that stays. */
  "unmount-recordings.sh": {
    title: "Release the recordings volume",
    timeLimit: 600,
    needs: ["greenlight_move.py", "recordings_writers.sh", "whole_files.py"],
    seconds: [1, 10],
    basis: "estimate",
  },
} as const satisfies Readonly<Record<string, HostScript>>;

/** File name of a script that the program runs on a host. */
export type StepScript = keyof typeof stepTable;

/** Row of a script. */
export function stepOf(script: StepScript): HostScript {
  return stepTable[script];
}
