/**
 * A copy of plain data whose texts can do nothing to a terminal: control characters, and characters that can't be seen or that turn
 * the direction of writing, stand as escapes. Names, hosts and claims are chosen by others.
 */
export function terminalSafe<Data>(data: Data): Data {
  return JSON.parse(JSON.stringify(data), (_key, value: unknown) =>
    typeof value === "string" ? value.replaceAll(UNSAFE, escapeOf) : value,
  );
}

const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
