import { type ApiRequest, type KubernetesApi, KubernetesError } from "../../kubernetes/api.ts";

/** The Secrets of one namespace, as the API server keeps them: a write counts only on the version that it read. */
export class SecretsApi implements KubernetesApi {
  readonly server = "https://secrets.test";
  /** Fails every request with it, if set. */
  failure: KubernetesError | null = null;
  readonly writes: string[] = [];
  requests = 0;
  readonly #secrets = new Map<string, { version: number; data: Record<string, string> }>();

  constructor(names: readonly string[]) {
    for (const name of names) this.#secrets.set(name, { version: 1, data: {} });
  }

  /** A text of a Secret; empty if it is not there. */
  text(name: string, key: string): string {
    return Buffer.from(this.#find(name).data[key] ?? "", "base64").toString();
  }

  /** As a person would. */
  edit(name: string, contents: Readonly<Record<string, string | Uint8Array>>): void {
    const secret = this.#find(name);
    secret.version += 1;
    secret.data = Object.fromEntries(
      Object.entries(contents).map(([key, content]) => {
        const bytes = typeof content === "string" ? Buffer.from(content) : Buffer.from(content);
        return [key, bytes.toString("base64")];
      }),
    );
  }

  async request({ method = "GET", path, body }: ApiRequest): Promise<unknown> {
    this.requests += 1;
    // Others get their turn, as they would while an answer is on its way.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.failure !== null) throw this.failure;
    const name = path.replace("/api/v1/namespaces/gatehouse-system/secrets/", "");
    const secret = this.#find(name);
    if (method === "GET") return this.#show(name);
    const sent: ReturnType<SecretsApi["show"]> = JSON.parse(JSON.stringify(body));
    if (sent.metadata.resourceVersion !== String(secret.version)) {
      throw new KubernetesError("HTTP", "PUT: 409", { status: 409, reason: "Conflict" });
    }
    secret.version += 1;
    secret.data = sent.data;
    this.writes.push(name);
    return this.#show(name);
  }

  lines(): AsyncIterable<string> {
    throw new Error("Secrets are not watched");
  }

  show(name: string): {
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly resourceVersion: string; readonly labels: object };
    readonly data: Record<string, string>;
  } {
    const { version, data } = this.#find(name);
    const metadata = { name, resourceVersion: String(version), labels: { "app.kubernetes.io/name": "gatehouse" } };
    return { kind: "Secret", metadata, data: { ...data } };
  }

  #show(name: string): object {
    const { data, ...rest } = this.show(name);
    // An empty Secret has no data at all.
    return Object.keys(data).length === 0 ? rest : { ...rest, data };
  }

  #find(name: string): { version: number; data: Record<string, string> } {
    const found = this.#secrets.get(name);
    if (found === undefined) throw new KubernetesError("HTTP", `${name}: 404`, { status: 404, reason: "NotFound" });
    return found;
  }
}
