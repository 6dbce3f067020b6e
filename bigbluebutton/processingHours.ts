/** Hours of the day in which recordings are processed, as the setting `recordings.hours` has them. */

/** Hours of the day, which may span midnight. */
export interface ProcessingHours {
  /** Beginning and end, as "22:00". */
  readonly from: string;
  readonly to: string;
  /** Time zone, by its name in the IANA's list. */
  readonly zone: string;
}

const FORM = /^((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d)(?: ([A-Za-z][\w+/-]*))?$/;

/** Reads the hours; undefined for a text that is none, or whose time zone nobody knows. */
export function processingHours(text: string): ProcessingHours | undefined {
  const [, from, to, zone = "UTC"] = FORM.exec(text) ?? [];
  return from !== undefined && to !== undefined && from !== to && isZone(zone)
    ? { from, to, zone }
    : undefined;
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const PROGRAM = "/usr/bin/python3 -B /usr/local/lib/bbb-deploy/processing_hours.py";
/** Queues of the workers, which the program writes before each of their starts. */
const QUEUES = "/run/bbb-deploy-recordings/queues";

/** Timer that looks at both ends of the hours, and after a change of the clock. */
export function hoursTimer({ from, to, zone }: ProcessingHours): string {
  return `[Unit]
Description=Begin and end the hours in which recordings are processed

[Timer]
${[from, to].map((time) => `OnCalendar=*-*-* ${time}:00 ${zone}\n`).join("")}OnClockChange=true
OnActiveSec=10s
AccuracySec=1s

[Install]
WantedBy=timers.target
`;
}

/** Unit that has the workers begin or end with processing, as the hours want it. */
export function hoursService(hours: ProcessingHours): string {
  return `[Unit]
Description=Have recordings processed in their hours only

[Service]
Type=oneshot
ExecStart=${PROGRAM} apply ${flags(hours)}
`;
}

/** Addition to the unit of the workers, by which each of their starts has the queues of that hour. */
export function hoursOfWorkers(hours: ProcessingHours): string {
  return `[Service]
ExecStartPre=-+${PROGRAM} write ${flags(hours)}
EnvironmentFile=-${QUEUES}
Restart=always
`;
}

function flags({ from, to, zone }: ProcessingHours): string {
  return `--from ${from} --to ${to} --zone ${zone}`;
}
