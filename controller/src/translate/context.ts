/** What translation needs to know besides the object itself. */
export interface TranslateContext {
  /** Makes short host names of a namespace whole: `svc.cluster.local`. */
  readonly dnsSuffix: string;
  /** SHA-256 of a text in UTF-8, as lower-case hex; names key sets by their content. */
  readonly hash: (text: string) => string;
}
