import type { FastifyRequest } from "fastify";

import { invalidField } from "./errors";
import { parseSelector } from "./labels";

type Query = Record<string, string | string[] | undefined>;

/** Returns all values of a query parameter, which may be repeated. */
function queryAll(request: FastifyRequest, name: string): string[] {
  const value = (request.query as Query)[name];
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

/** Returns the first value of a query parameter. */
export function queryOne(request: FastifyRequest, name: string): string | undefined {
  return queryAll(request, name)[0];
}

type Item = Record<string, unknown>;

/**
 * Answer of a list endpoint: filters by `label_selector`, `name` and further fields (exact, each may be repeated), sorts
 * by `sort` (repeatable, `field[:asc|:desc]`), cuts the page (`page` from 1, `per_page` 25, at most 50), adds `meta`.
 */
export function listAnswer(
  request: FastifyRequest,
  key: string,
  items: Item[],
  fields: readonly string[] = [],
): object {
  const wanted = items.filter(byFields(request, ["name", ...fields])).filter(byLabels(request));
  const sorted = sortBy(queryAll(request, "sort"), wanted);
  const page = wholeNumber(request, "page", 1, Number.MAX_SAFE_INTEGER);
  const perPage = wholeNumber(request, "per_page", 25, 50);
  const last = Math.max(1, Math.ceil(sorted.length / perPage));
  const pagination = {
    page,
    per_page: perPage,
    previous_page: page > 1 ? page - 1 : null,
    next_page: page < last ? page + 1 : null,
    last_page: last,
    total_entries: sorted.length,
  };
  return { [key]: sorted.slice((page - 1) * perPage, page * perPage), meta: { pagination } };
}

function byFields(request: FastifyRequest, fields: readonly string[]): (item: Item) => boolean {
  const wanted = fields.map((field) => [field, queryAll(request, field)] as const);
  return (item) =>
    wanted.every(([field, values]) => values.length === 0 || values.includes(String(item[field])));
}

function byLabels(request: FastifyRequest): (item: Item) => boolean {
  const selector = queryOne(request, "label_selector");
  if (selector === undefined) return () => true;
  const matches = parseSelector(selector);
  return (item) => matches((item["labels"] ?? {}) as Record<string, string>);
}

function sortBy(orders: readonly string[], items: readonly Item[]): Item[] {
  const keys = orders.map((order) => {
    const [field = "", direction = "asc"] = order.split(":");
    if (!["id", "name", "created", "status", "command", "started", "finished", "progress"].includes(field)) {
      throw invalidField("sort", `can't sort by '${order}'`);
    }
    return { field, sign: direction === "desc" ? -1 : 1 };
  });
  return [...items].sort((left, right) => {
    for (const { field, sign } of keys) {
      const difference = compare(left[field], right[field]);
      if (difference !== 0) return sign * difference;
    }
    return 0;
  });
}

function compare(left: unknown, right: unknown): number {
  if (typeof left === "number" && typeof right === "number") return left - right;
  const [a, b] = [String(left ?? ""), String(right ?? "")];
  return a < b ? -1 : a > b ? 1 : 0;
}

function wholeNumber(request: FastifyRequest, name: string, fallback: number, most: number): number {
  const text = queryOne(request, name);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw invalidField(name, "must be a whole number from 1");
  return Math.min(value, most);
}
