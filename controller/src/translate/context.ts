/** What translation needs to know besides the object itself. */
export interface TranslateContext {
  /** Makes short host names of a namespace whole: `svc.cluster.local`. */
  readonly dnsSuffix: string;
  /** Who carries routes out; default `cluster`. With `header` it is Envoy's own routes: what they must do is reported. */
  readonly routing?: "cluster" | "header";
  /** SHA-256 of a text in UTF-8, as lower-case hex; names key sets by their content. */
  readonly hash: (text: string) => string;
}
