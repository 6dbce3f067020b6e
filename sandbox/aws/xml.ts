import XMLBuilder from "fast-xml-builder";
import { XMLParser } from "fast-xml-parser";

/** Element: its children by name; only `item`, `member` and the names given to {@link items} may be repeated. */
export interface Node {
  [name: string]: string | Node | (string | Node)[] | undefined;
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "@",
  parseTagValue: false,
  parseAttributeValue: false,
  htmlEntities: true,
  isArray: (name) => name === "item" || name === "member",
});

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: "@",
  suppressEmptyNode: true,
});

/** The document's root element, without its declaration. */
export function parseXml(text: string): { readonly name: string; readonly root: Node } {
  const document = parser.parse(text) as Record<string, Node>;
  const name = Object.keys(document).find((key) => !key.startsWith("?"));
  if (name === undefined) throw new Error(`no XML: ${text.slice(0, 200)}`);
  const root = document[name];
  return { name, root: typeof root === "object" ? root : {} };
}

export function buildXml(name: string, root: Node): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${builder.build({ [name]: root })}`;
}

/** The elements of a list, e.g. items(answer.volumeSet); none where the list is empty or absent. */
export function items(list: Node[string], name = "item"): Node[] {
  if (list === undefined || typeof list !== "object" || Array.isArray(list)) return [];
  const found = list[name];
  if (found === undefined) return [];
  return (Array.isArray(found) ? found : [found]).filter((item) => typeof item === "object");
}

/** Like {@link items}, for elements that are plain text. */
export function texts(list: Node[string], name = "item"): string[] {
  if (list === undefined || typeof list !== "object" || Array.isArray(list)) return [];
  const found = list[name];
  if (found === undefined) return [];
  return (Array.isArray(found) ? found : [found]).filter((item) => typeof item === "string");
}

/** The text of an element; "" where it is empty or absent. */
export function text(node: Node[string]): string {
  if (typeof node === "string") return node;
  // An element with attributes.
  if (node !== undefined && !Array.isArray(node) && typeof node["#text"] === "string") return node["#text"];
  return "";
}

/** A child element; an empty one where there is none. */
export function child(node: Node[string]): Node {
  return node !== undefined && typeof node === "object" && !Array.isArray(node) ? node : {};
}
