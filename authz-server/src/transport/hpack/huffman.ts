import { HpackError } from "./hpack-error.ts";

/**
 * Decodes a Huffman-coded string (RFC 7541, §5.2 and Appendix B), four bits a step.
 * @returns the bytes, each as one character
 * @throws {HpackError} for EOS inside, and for padding that is longer than seven bits or not all ones
 */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string {
  // The shortest code has five bits.
  const text = end - start <= SCRATCH_BYTES ? scratch : Buffer.allocUnsafe(Math.ceil(((end - start) * 8) / 5));
  let length = 0;
  let state = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    for (let shift = 4; shift >= 0; shift -= 4) {
      const step = STEPS[(state << 4) | ((byte >> shift) & 0xf)] ?? FAIL;
      if ((step & FAIL) !== 0) throw new HpackError("EOS in a Huffman-coded string");
      if ((step & EMIT) !== 0) {
        text[length] = step & 0xff;
        length += 1;
      }
      state = step >> STATE_SHIFT;
    }
  }
  if (!MAY_END[state]) throw new HpackError("wrong padding of a Huffman-coded string");
  return text.toString("latin1", 0, length);
}

const SCRATCH_BYTES = 1024;
const scratch = Buffer.allocUnsafe(Math.ceil((SCRATCH_BYTES * 8) / 5));

/** Bits of each code, for the 256 bytes and EOS. The code is canonical: lengths are enough. */
// biome-ignore format: sixteen a row, as bytes are read
const CODE_LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const EOS = 256;

/** A step is the next state, shifted, and what happens on the way: a byte comes out, or the text is wrong. */
const EMIT = 0x100;
const FAIL = 0x200;
const STATE_SHIFT = 10;

const { steps: STEPS, mayEnd: MAY_END } = buildSteps();

/** A byte (or EOS), or an inner node: what follows for bit 0 and for bit 1. */
type Tree = number | readonly [Tree, Tree];

/** The states are the inner nodes of the code's tree, the root first. */
function buildSteps(): { readonly steps: Uint32Array; readonly mayEnd: readonly boolean[] } {
  const root = buildTree();
  const states: Tree[] = [];
  const collect = (tree: Tree): void => {
    if (typeof tree === "number") return;
    states.push(tree);
    tree.forEach(collect);
  };
  collect(root);
  const steps = new Uint32Array(states.length * 16);
  states.forEach((from, state) => {
    for (let bits = 0; bits < 16; bits += 1) {
      const { to, emitted } = walk(root, from, bits);
      steps[(state << 4) | bits] = emitted === EOS ? FAIL : (states.indexOf(to) << STATE_SHIFT) | emitted;
    }
  });
  // Padding is the beginning of EOS, which is all ones, and shorter than a byte.
  const mayEnd = states.map(() => false);
  for (let bits = 0, padding = root; bits < 8; bits += 1) {
    mayEnd[states.indexOf(padding)] = true;
    padding = typeof padding === "number" ? padding : padding[1];
  }
  return { steps, mayEnd };
}

/** Four bits further. No code is so short that two bytes come out. */
function walk(root: Tree, from: Tree, bits: number): { readonly to: Tree; readonly emitted: number } {
  let to = from;
  let emitted = 0;
  for (let shift = 3; shift >= 0; shift -= 1) {
    const next: Tree = typeof to === "number" ? to : to[(bits >> shift) & 1 ? 1 : 0];
    if (next === EOS) return { to: root, emitted: EOS };
    if (typeof next === "number") emitted = EMIT | next;
    to = typeof next === "number" ? root : next;
  }
  return { to, emitted };
}

/** In a canonical code the leaves are, from left to right, in order of length and then of value. */
function buildTree(): Tree {
  const leaves = CODE_LENGTHS.map((length, symbol) => ({ length, symbol }));
  leaves.sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  let next = 0;
  const build = (depth: number): Tree => {
    const leaf = leaves[next];
    if (leaf === undefined || leaf.length > depth) return [build(depth + 1), build(depth + 1)];
    next += 1;
    return leaf.symbol;
  };
  return build(0);
}
