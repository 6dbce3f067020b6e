import type { Release } from "./releases";

/** Service that answers at a port of its own on the loopback interface. */
export interface Service {
  /** Unit of systemd. */
  readonly unit: string;
  readonly port: number;
  /** Protocol. For `http` any status is an answer: every server of HTTP or WebSockets gives one. */
  readonly speaks: "http" | "redis" | "postgres" | "freeswitch";
}

const everyLine: readonly Service[] = [
  { unit: "nginx", port: 80, speaks: "http" },
  { unit: "bbb-web", port: 8090, speaks: "http" },
  { unit: "redis-server", port: 6379, speaks: "redis" },
  { unit: "freeswitch", port: 8021, speaks: "freeswitch" },
  { unit: "bbb-webrtc-sfu", port: 3008, speaks: "http" },
];

const graphqlLines: readonly Service[] = [
  { unit: "bbb-apps-akka", port: 8901, speaks: "http" },
  { unit: "postgresql", port: 5432, speaks: "postgres" },
  { unit: "bbb-graphql-server", port: 8085, speaks: "http" },
  { unit: "bbb-graphql-actions", port: 8093, speaks: "http" },
  { unit: "bbb-graphql-middleware", port: 8378, speaks: "http" },
];

const livekit: Service = { unit: "livekit-server", port: 7880, speaks: "http" };
const etherpad: Service = { unit: "etherpad", port: 9001, speaks: "http" };

/**
 * Services of a release that can be asked. It finds a process that hangs, which systemd still calls active. Ports are
 * those of BigBlueButton's packages; a port without a listener is not reported.
 *
 * @returns none for lines before 2.7
 */
export function askableServices({ version }: Release): readonly Service[] {
  switch (version) {
    case "2.7":
      return [...everyLine, etherpad];
    case "3.0":
      return [...everyLine, ...graphqlLines, etherpad, livekit];
    case "4.0":
      return [
        ...everyLine,
        ...graphqlLines,
        { unit: "bbb-shared-notes-server", port: 8787, speaks: "http" },
        livekit,
      ];
    default:
      return [];
  }
}
