import type { ExtensionProvider } from "@gatehouse/protos";
import type { Logger } from "pino";
import type { HttpRequest } from "../http-request.ts";
import type { CheckMetrics } from "../telemetry/metrics.ts";
import { GrpcProvider } from "./grpc-provider.ts";
import { HttpProvider } from "./http-provider.ts";
import type { AskProvider, ProviderAnswer } from "./provider-answer.ts";
import type { ProviderConnection } from "./provider-connection.ts";
import { toQuestion } from "./question.ts";

export interface ProvidersOptions {
  readonly metrics: Pick<CheckMetrics, "provider">;
  readonly log: Logger;
}

/**
 * The external authorizers that policy can name, one lasting connection each: made ready when policy brings the provider, closed when it
 * goes and the last question to it is answered.
 */
export class Providers {
  readonly #options: ProvidersOptions;
  #connections = new Map<ExtensionProvider, Connection>();

  constructor(options: ProvidersOptions) {
    this.#options = options;
  }

  /** Takes over the providers of a new policy set. Those that are the same objects as before keep their connection. */
  update(providers: ReadonlyMap<string, ExtensionProvider>): void {
    const before = this.#connections;
    this.#connections = new Map(
      [...providers.values()].map((provider) => [provider, before.get(provider) ?? new Connection(provider)]),
    );
    for (const [provider, connection] of before) if (!this.#connections.has(provider)) connection.release();
  }

  /**
   * Asks; never rejects. A provider that policy no longer has, because it changed while an earlier one was asked, can't judge any more;
   * that is no failure of the provider, so no failure mode lets the request pass.
   */
  readonly ask: AskProvider = async (provider, request, signal) => {
    const { metrics } = this.#options;
    const connection = this.#connections.get(provider);
    if (connection === undefined) {
      metrics.provider("refused");
      return { kind: "refused", message: "the provider is gone", status: provider.statusOnError };
    }
    const answer = await connection.ask(request, signal);
    metrics.provider(RESULTS[answer.kind]);
    this.#report(provider, connection, answer);
    return answer;
  };

  /** Says once that a provider fails, and once that it answers again; each kind of refusal once. */
  #report(provider: ExtensionProvider, connection: Connection, answer: ProviderAnswer): void {
    const { name, service, port, failOpen } = provider;
    if (answer.kind === "refused") {
      if (!connection.isNewRefusal(answer.message)) return;
      this.#options.log.warn(
        { provider: name, service, port, problem: answer.message },
        "provider can't judge a request",
      );
      return;
    }
    const hasFailed = answer.kind === "failed";
    if (!connection.changes(hasFailed)) return;
    if (!hasFailed) this.#options.log.info({ provider: name, service, port }, "provider answers again");
    else {
      const problem = answer.message;
      this.#options.log.warn({ provider: name, service, port, failOpen, problem }, "provider can't be asked");
    }
  }

  /** Closes everything. */
  stop(): void {
    this.update(new Map());
  }
}

/** More open questions to one provider than this, and further requests are denied: a provider that hangs must not eat the memory. */
const MAX_OPEN_QUESTIONS = 10_000;

const RESULTS = { allow: "allowed", deny: "denied", failed: "failed", refused: "refused" } as const;

const CUT_OFF = "Envoy gave up waiting; its timeout must be longer than the provider's";

/** An address that nobody can connect to is one provider's failure; it must not keep the policy from being enforced. */
function connect(provider: ExtensionProvider): ProviderConnection {
  try {
    return provider.protocol === "grpc" ? new GrpcProvider(provider) : new HttpProvider(provider);
  } catch {
    const unreachable: ProviderAnswer = { kind: "failed", message: "the address can't be used", answer: null };
    return { ask: () => Promise.resolve(unreachable), close: () => undefined };
  }
}

/** A connection that counts its questions, so that it is not closed under them. */
class Connection {
  readonly #provider: ExtensionProvider;
  readonly #connection: ProviderConnection;
  #open = 0;
  #isReleased = false;
  #isFailing = false;
  readonly #refusals = new Set<string>();

  constructor(provider: ExtensionProvider) {
    this.#provider = provider;
    this.#connection = connect(provider);
  }

  async ask(request: HttpRequest, signal: AbortSignal | undefined): Promise<ProviderAnswer> {
    const { statusOnError } = this.#provider;
    if (this.#open >= MAX_OPEN_QUESTIONS) {
      return { kind: "refused", message: "too many questions are open", status: statusOnError };
    }
    this.#open++;
    try {
      const question = toQuestion(request, this.#provider);
      if (question.kind === "refused") return question;
      const answer = await this.#connection.ask(question, signal);
      // The caller gave up, not the provider: an answer that still reaches it must not be an allow by failure mode.
      const isCutOff = answer.kind === "failed" && signal?.aborted === true;
      return isCutOff ? { kind: "refused", message: CUT_OFF, status: statusOnError } : answer;
    } catch {
      // The request can't be said in the provider's protocol. The client chose it, so a failure mode must not let it pass.
      return { kind: "refused", message: "the request can't be put to the provider", status: statusOnError };
    } finally {
      this.#open--;
      this.#closeWhenDone();
    }
  }

  /** Remembers how the last question went. @returns whether that is news */
  changes(hasFailed: boolean): boolean {
    const isNews = hasFailed !== this.#isFailing;
    this.#isFailing = hasFailed;
    return isNews;
  }

  isNewRefusal(message: string): boolean {
    const isNew = !this.#refusals.has(message);
    this.#refusals.add(message);
    return isNew;
  }

  release(): void {
    this.#isReleased = true;
    this.#closeWhenDone();
  }

  #closeWhenDone(): void {
    if (this.#isReleased && this.#open === 0) this.#connection.close();
  }
}
