/** Texts on a page of some width, two columns of which are a section's indent. Words that are longer stay whole. */
import { wrapped } from "../../cli/width";

const INDENT = 2;

/** What lays out a page of that width. */
export function pageOf(width: number) {
  /** Wrapped between words, from the second line on behind so many spaces. */
  const paragraph = (text: string, hanging = 0): string =>
    wrapped(text, width - INDENT - hanging).join(`\n${" ".repeat(hanging)}`);
  return {
    /** Of what is in a section. */
    width: width - INDENT,
    paragraph,
    bullets: (texts: readonly string[]): string => texts.map((text) => `- ${paragraph(text, 2)}`).join("\n"),
    /** Terms, each with its text beside it. */
    definitions(rows: readonly (readonly [term: string, text: string])[]): string {
      const beside = Math.max(...rows.map(([term]) => term.length)) + 2;
      return rows.map(([term, text]) => `${term.padEnd(beside)}${paragraph(text, beside)}`).join("\n");
    },
  };
}

export type Page = ReturnType<typeof pageOf>;

/** A title, and what belongs to it. */
export function section(title: string, text: string): string {
  return `${title}\n${text.replace(/^(?=.)/gm, " ".repeat(INDENT))}`;
}
