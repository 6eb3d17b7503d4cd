import type { ProviderAnswer } from "./provider-answer.ts";
import type { Question } from "./question.ts";

/** How one provider is reached; stays open between questions. */
export interface ProviderConnection {
  /**
   * @param signal ends the question, which then counts as failed
   * @throws (or rejects) only for a question that can't be put
   */
  ask(question: Question, signal: AbortSignal | undefined): Promise<ProviderAnswer>;
  /** No question is asked afterwards. */
  close(): void;
}
