/**
 * The name of the list that must not match, as it is written: `from[0].source.notIpBlocks` for `from[0].source.ipBlocks`. Entries of `when`
 * and of a route's match are named alike on both sides.
 */
export function notField(field: string): string {
  return field.replace(LIST_OF_SOURCE_OR_OPERATION, (_whole, place: string, first: string, rest: string) =>
    [place, "not", first.toUpperCase(), rest].join(""),
  );
}

const LIST_OF_SOURCE_OR_OPERATION = /^((?:from|to)\[\d+\]\.\w+\.)(\w)(\w*)$/;
