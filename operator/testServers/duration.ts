import { Mistake } from "../../cli/mistake";

const UNITS = { m: 60, h: 3600, d: 86_400 } as const;

/** Limits of a life in seconds: a deployment takes longer than the shortest, and nobody remembers it after the longest. */
const LEAST = 5 * UNITS.m;
const MOST = 30 * UNITS.d;

/**
 * Parses a time to live into seconds: a number and a unit, 30m, 4h or 2d; from 5 minutes to 30 days.
 *
 * @throws Mistake
 */
export function parseTtl(text: string, option = "--ttl"): number {
  const [, number, unit] = /^(\d{1,6})([mhd])$/.exec(text.trim()) ?? [];
  if (number === undefined) {
    throw new Mistake(`${option} ${text}: give a whole number and a unit (m, h or d), as in 30m, 4h or 2d`);
  }
  const seconds = Number(number) * UNITS[unit as keyof typeof UNITS];
  if (seconds < LEAST) throw new Mistake(`${option} ${text}: too short, 5m is the least`);
  if (seconds > MOST)
    throw new Mistake(`${option} ${text}: too long, 30d is the most; extend it when it is needed longer`);
  return seconds;
}

/** Time in the form of labels: seconds since 1970, since a label's value takes no colon. */
export function toEpoch(time: Date): string {
  return String(Math.floor(time.getTime() / 1000));
}

/** Reverse of {@link toEpoch}; undefined for anything else. */
export function fromEpoch(text: unknown): Date | undefined {
  return typeof text === "string" && /^[1-9]\d{9}$/.test(text) ? new Date(Number(text) * 1000) : undefined;
}

/** Time in words: "in 3 h 59 min", "12 min ago", "now". */
export function relative(time: Date, now: Date): string {
  const minutes = Math.round(Math.abs(time.getTime() - now.getTime()) / 60_000);
  if (minutes === 0) return "now";
  return time > now ? `in ${words(minutes)}` : `${words(minutes)} ago`;
}

function words(minutes: number): string {
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
  const parts = days > 0 ? { d: days, h: hours } : { h: hours, min: rest };
  return Object.entries(parts)
    .filter(([, count]) => count > 0)
    .map(([unit, count]) => `${count} ${unit}`)
    .join(" ");
}

/** Time to the second, which is all that labels have: "2026-11-21T08:31:20Z". */
export function iso(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, "Z");
}
