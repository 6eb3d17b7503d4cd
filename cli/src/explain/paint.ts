import { styleText } from "node:util";

/** How parts of a text are set off from each other. */
export interface Paint {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
}

/** @param colours false leaves every text as it is */
export function createPaint(colours: boolean): Paint {
  const style = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    colours ? styleText(format, text, { validateStream: false }) : text;
  return { strong: style("bold"), faint: style("dim"), good: style("green"), bad: style("red") };
}
