import { mkdirSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "playwright-core";

/** Pictures of a browser's page, for people to look at and for tests to read colours from. */

export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Red, green and blue, 0 to 255 each. */
export type Colour = readonly [number, number, number];

export class Picture {
  constructor(
    private readonly width: number,
    private readonly pixels: Buffer,
  ) {}

  /** Colour at a place, as "#rrggbb". */
  at(x: number, y: number): string {
    return `#${Buffer.from(this.colour(Math.round(x), Math.round(y))).toString("hex")}`;
  }

  /** Share of an area's pixels, 0 to 1, whose colour is as asked. */
  share({ x, y, width, height }: Area, test: (colour: Colour) => boolean): number {
    let found = 0;
    let all = 0;
    for (let row = Math.ceil(y); row < Math.floor(y + height); row++) {
      for (let column = Math.ceil(x); column < Math.floor(x + width); column++) {
        all++;
        if (test(this.colour(column, row))) found++;
      }
    }
    if (all === 0) throw new Error("an area without pixels");
    return found / all;
  }

  private colour(x: number, y: number): Colour {
    const [red, green, blue] = this.pixels.subarray((y * this.width + x) * 4);
    if (red === undefined || green === undefined || blue === undefined)
      throw new Error(`no pixel at ${x}, ${y}`);
    return [red, green, blue];
  }
}

/** Decoding by Chromium itself, in a page without a policy that could forbid it. */
const DECODE = `async (url) => {
  const image = new Image();
  image.src = url;
  await image.decode();
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  let text = "";
  for (const byte of data) text += String.fromCharCode(byte);
  return { width: image.width, base64: btoa(text) };
}`;

/** Takes a picture of the page. Keeps it as NAME.png in the folder BBB_TEST_RESULTS, if that is set. */
export async function takePicture(
  page: Page,
  name: string,
  { fullPage = false }: { readonly fullPage?: boolean } = {},
): Promise<Picture> {
  const folder = process.env.BBB_TEST_RESULTS;
  if (folder) mkdirSync(folder, { recursive: true });
  const png = await page.screenshot({ fullPage, ...(folder && { path: join(folder, `${name}.png`) }) });
  const blank = await page.context().newPage();
  try {
    const url = `data:image/png;base64,${png.toString("base64")}`;
    const { width, base64 } = await blank.evaluate<{ width: number; base64: string }>(
      `(${DECODE})(${JSON.stringify(url)})`,
    );
    return new Picture(width, Buffer.from(base64, "base64"));
  } finally {
    await blank.close();
  }
}

/** Area that a text takes in an element. */
export async function areaOf(page: Page, selector: string, text: string): Promise<Area> {
  const area = await page.evaluate<Area | null>(`((selector, text) => {
    const walker = document.createTreeWalker(document.querySelector(selector), NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode()); ) {
      const start = node.data.indexOf(text);
      if (start < 0) continue;
      const range = document.createRange();
      range.setStart(node, start);
      range.setEnd(node, start + text.length);
      return range.getBoundingClientRect().toJSON();
    }
    return null;
  })(${JSON.stringify(selector)}, ${JSON.stringify(text)})`);
  if (!area) throw new Error(`${selector} has no text ${text}`);
  return area;
}
