/** Texts on a page of some width, two columns of which are a section's indent. Words that are longer stay whole. */
import { wrapped } from "../../bigbluebutton/text";

const INDENT = 2;

/** Functions that lay out a page of that width. */
export function pageOf(width: number) {
  /** Wraps between words; the second and later lines are indented. */
  const paragraph = (text: string, hanging = 0): string =>
    wrapped(text, width - INDENT - hanging).join(`\n${" ".repeat(hanging)}`);
  return {
    /** Width inside a section. */
    width: width - INDENT,
    paragraph,
    bullets: (texts: readonly string[]): string => texts.map((text) => `- ${paragraph(text, 2)}`).join("\n"),
    /** Lists terms, each with its text beside it. */
    definitions(rows: readonly (readonly [term: string, text: string])[]): string {
      const beside = Math.max(...rows.map(([term]) => term.length)) + 2;
      return rows.map(([term, text]) => `${term.padEnd(beside)}${paragraph(text, beside)}`).join("\n");
    },
  };
}

export type Page = ReturnType<typeof pageOf>;

/** Renders a title, and its content. */
export function section(title: string, text: string): string {
  return `${title}\n${text.replace(/^(?=.)/gm, " ".repeat(INDENT))}`;
}
