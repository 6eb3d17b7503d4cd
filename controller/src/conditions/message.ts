const MAX_LENGTH = 1000;

/** A text that fits into a condition or an event; control characters, which a terminal may obey, become spaces. */
export function shortened(text: string, maxLength: number = MAX_LENGTH): string {
  const plain = text.toWellFormed().replace(/\p{Cc}+/gu, " ");
  return plain.length <= maxLength ? plain : `${plain.slice(0, maxLength - 3).toWellFormed()}...`;
}
