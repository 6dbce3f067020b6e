/** Texts on a page of 100 columns, two of which are a section's indent. Words that are longer stay whole. */
const WIDTH = 98;

/** A title, and what belongs to it. */
export function section(title: string, text: string): string {
  return `${title}\n${text.replace(/^(?=.)/gm, "  ")}`;
}

/** Wrapped between words, from the second line on behind so many spaces. */
export function paragraph(text: string, hanging = 0): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > WIDTH - hanging) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.join(`\n${" ".repeat(hanging)}`);
}

export function bullets(texts: readonly string[]): string {
  return texts.map((text) => `- ${paragraph(text, 2)}`).join("\n");
}

/** Terms, each with its text beside it. */
export function definitions(rows: readonly (readonly [term: string, text: string])[]): string {
  const width = Math.max(...rows.map(([term]) => term.length)) + 2;
  return rows.map(([term, text]) => `${term.padEnd(width)}${paragraph(text, width)}`).join("\n");
}
