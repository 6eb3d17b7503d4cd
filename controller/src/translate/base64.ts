const URL_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Decodes base64url; trailing padding is tolerated. @returns null when it is anything else, the empty text included */
export function decodeBase64Url(text: string): readonly number[] | null {
  const digits = text.replace(/={1,2}$/, "");
  if (digits === "" || digits.length % 4 === 1 || !/^[A-Za-z0-9_-]+$/.test(digits)) return null;
  const bytes: number[] = [];
  let bits = 0;
  let bitCount = 0;
  for (const digit of digits) {
    bits = ((bits << 6) | URL_ALPHABET.indexOf(digit)) & 0xffff;
    bitCount += 6;
    if (bitCount >= 8) {
      bitCount -= 8;
      bytes.push((bits >> bitCount) & 0xff);
    }
  }
  return bytes;
}

/** Decodes standard base64, as `format: byte` of an API object. */
export function decodeBase64(text: string): readonly number[] | null {
  return decodeBase64Url(text.replaceAll("+", "-").replaceAll("/", "_"));
}

/** Encodes as base64url without padding. */
export function encodeBase64Url(bytes: readonly number[]): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.slice(i, i + 3);
    const group = (a << 16) | (b << 8) | c;
    const digits = [group >> 18, group >> 12, group >> 6, group].map((n) => URL_ALPHABET.charAt(n & 63)).join("");
    text += digits.slice(0, Math.min(4, bytes.length - i + 1));
  }
  return text;
}

/** @returns null when the bytes are not UTF-8 */
export function decodeUtf8(bytes: readonly number[]): string | null {
  const escaped = bytes.map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  try {
    return decodeURIComponent(escaped);
  } catch {
    return null; // a URIError says only that it isn't UTF-8
  }
}
