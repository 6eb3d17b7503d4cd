/**
 * Remembers what was made of the text that was asked about last. Many conditions ask about one part of one request, whose length is the
 * client's choice.
 */
export function latest<Result>(compute: (text: string) => Result): (text: string) => Result {
  let known: { readonly text: string; readonly result: Result } | null = null;
  return (text) => {
    if (known?.text !== text) known = { text, result: compute(text) };
    return known.result;
  };
}
