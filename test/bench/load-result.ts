/** What a load generator did. */
export interface LoadResult {
  readonly requests: number;
  readonly elapsedMs: number;
  /** The distinct sizes of answers; more than one means that not all requests were answered alike. */
  readonly answerSizes: readonly number[];
  /** From the time at which each request was due to its answer, in ascending order. */
  readonly latenciesMs: Float64Array;
}
