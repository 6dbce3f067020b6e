/** Readers of inputs, which are plain JSON. */
import { isObject, type Value, type Values } from "../../wire";

export function text(value: Value | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function number(value: Value | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}

export function flag(value: Value | undefined): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

export function texts(value: Value | undefined): string[] | undefined {
  return Array.isArray(value) ? value.map(String) : undefined;
}

export function object(value: Value | undefined): Values {
  return isObject(value) ? value : {};
}

export function objects(value: Value | undefined): Values[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
