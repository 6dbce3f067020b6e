/** Dashboard for Grafana, docs/metrics/dashboard.json. */

/** Panel of one number, or of curves. */
interface Panel {
  readonly title: string;
  readonly kind: "stat" | "timeseries";
  /** Unit in Grafana's words. */
  readonly unit: string;
  /** Queries, with the legend of each. */
  readonly queries: readonly (readonly [expression: string, legend: string])[];
  /** Highest value of the axis. */
  readonly max?: number;
  readonly description?: string;
}

const BBB = 'host=~"$bbb"';
const TURN = 'host=~"$turn"';
const BOTH = 'host=~"$bbb|$turn"';
const DISKS = 'fstype!~"tmpfs|ramfs|squashfs|overlay|vfat"';
const WIRES = 'device!~"lo|docker.*|veth.*|br-.*"';

const latency = (part: string) => `rate(bbb_api_latency_${part}{${BBB}, endpoint="getMeetings"}[5m])`;
const bits = (direction: string) =>
  `8 * sum by (host) (rate(node_network_${direction}_bytes_total{${BOTH}, ${WIRES}}[5m]))`;

/** Panels in reading order. */
const panels: readonly Panel[] = [
  { title: "API", kind: "stat", unit: "bool_on_off", queries: [[`min(bbb_api_up{${BBB}})`, ""]] },
  { title: "Meetings", kind: "stat", unit: "none", queries: [[`sum(bbb_meetings{${BBB}})`, ""]] },
  {
    title: "Participants",
    kind: "stat",
    unit: "none",
    queries: [[`sum(bbb_meetings_participants{${BBB}})`, ""]],
  },
  {
    title: "Recordings that wait",
    kind: "stat",
    unit: "none",
    queries: [[`sum(bbb_recordings_unprocessed{${BBB}})`, ""]],
  },
  { title: "coturn", kind: "stat", unit: "bool_on_off", queries: [[`min(turn_up{${TURN}})`, ""]] },
  { title: "Relays in use", kind: "stat", unit: "none", queries: [[`sum(turn_relays{${TURN}})`, ""]] },
  {
    title: "Meetings",
    kind: "timeseries",
    unit: "none",
    queries: [[`bbb_meetings{${BBB}}`, "{{host}}"]],
  },
  {
    title: "Participants",
    kind: "timeseries",
    unit: "none",
    queries: [
      [`bbb_meetings_participants{${BBB}}`, "{{host}}"],
      [`bbb_meetings_voice_participants{${BBB}}`, "{{host}}, with a microphone"],
      [`bbb_meetings_listeners{${BBB}}`, "{{host}}, listening only"],
    ],
  },
  {
    title: "Cameras",
    kind: "timeseries",
    unit: "none",
    queries: [[`bbb_meetings_video_participants{${BBB}}`, "{{host}}"]],
  },
  {
    title: "Recordings",
    kind: "timeseries",
    unit: "none",
    queries: [
      [`bbb_recordings_unprocessed{${BBB}}`, "{{host}}, waiting"],
      [`bbb_recordings_processing{${BBB}}`, "{{host}}, in process"],
    ],
    description: "The queue of recordings of meetings that have ended, as the server's folders show it.",
  },
  {
    title: "Answer of the API",
    kind: "timeseries",
    unit: "s",
    queries: [[`${latency("sum")} / ${latency("count")}`, "{{host}}"]],
    description: "Average time of getMeetings.",
  },
  {
    title: "Relays in use",
    kind: "timeseries",
    unit: "none",
    queries: [[`turn_relays{${TURN}}`, "{{host}}"]],
    description: "Allocations of the TURN server: one or more for each participant who needs it.",
  },
  {
    title: "Processor",
    kind: "timeseries",
    unit: "percentunit",
    max: 1,
    queries: [[`1 - avg by (host) (rate(node_cpu_seconds_total{${BOTH}, mode="idle"}[5m]))`, "{{host}}"]],
  },
  {
    title: "Memory in use",
    kind: "timeseries",
    unit: "percentunit",
    max: 1,
    queries: [
      [`1 - node_memory_MemAvailable_bytes{${BOTH}} / node_memory_MemTotal_bytes{${BOTH}}`, "{{host}}"],
    ],
  },
  {
    title: "Disks in use",
    kind: "timeseries",
    unit: "percentunit",
    max: 1,
    queries: [
      [
        `1 - node_filesystem_avail_bytes{${BOTH}, ${DISKS}} / node_filesystem_size_bytes{${BOTH}, ${DISKS}}`,
        "{{host}} {{mountpoint}}",
      ],
    ],
  },
  {
    title: "Network",
    kind: "timeseries",
    unit: "bps",
    queries: [
      [bits("receive"), "{{host}}, in"],
      [bits("transmit"), "{{host}}, out"],
    ],
  },
];

/** Width of Grafana's grid. */
const WIDTH = 24;
const SIZES = { stat: { w: 4, h: 4 }, timeseries: { w: 12, h: 8 } } as const;
const SOURCE = { type: "prometheus", uid: "${datasource}" } as const;

/** Renders the dashboard as Grafana imports it. */
export function dashboard(): string {
  const variable = (name: string, label: string, metric: string) => ({
    ...{ name, label, type: "query", datasource: SOURCE, refresh: 2, sort: 1 },
    ...{ multi: true, includeAll: true, current: { text: ["All"], value: ["$__all"] } },
    query: { query: `label_values(${metric}, host)`, refId: name },
  });
  const model = {
    title: "BigBlueButton",
    uid: "bigbluebutton",
    tags: ["bigbluebutton"],
    schemaVersion: 39,
    editable: true,
    refresh: "1m",
    time: { from: "now-6h", to: "now" },
    templating: {
      list: [
        { name: "datasource", label: "Prometheus", type: "datasource", query: "prometheus" },
        variable("bbb", "BigBlueButton server", "bbb_api_up"),
        variable("turn", "TURN server", "turn_up"),
      ],
    },
    panels: placed(),
  };
  return `${JSON.stringify(model, undefined, 2)}\n`;
}

/** Panels in rows from left to right, each below the row before. */
function placed(): object[] {
  let [x, y, height] = [0, 0, 0];
  return panels.map((panel, i) => {
    const { w, h } = SIZES[panel.kind];
    if (x + w > WIDTH) [x, y, height] = [0, y + height, 0];
    const gridPos = { x, y, w, h };
    [x, height] = [x + w, Math.max(height, h)];
    return { id: i + 1, gridPos, ...rendered(panel) };
  });
}

function rendered({ title, kind, unit, queries, max, description }: Panel): object {
  return {
    title,
    ...(description !== undefined && { description }),
    type: kind,
    datasource: SOURCE,
    fieldConfig: {
      defaults: { unit, min: 0, ...(max !== undefined && { max }), ...(kind === "stat" && { noValue: "–" }) },
      overrides: [],
    },
    ...(kind === "stat" && { options: { colorMode: "none", reduceOptions: { calcs: ["lastNotNull"] } } }),
    targets: queries.map(([expr, legendFormat], i) => ({
      refId: "ABC"[i],
      datasource: SOURCE,
      expr,
      ...(legendFormat && { legendFormat }),
    })),
  };
}
