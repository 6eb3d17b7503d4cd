import { Agent, request as httpsRequest } from "node:https";

/** The API server over HTTPS as JSON, for what has to be quick or exactly timed; for the rest there is kubectl. */
export interface KubernetesClient {
  /** From the root, such as `/api/v1/namespaces`; rejects with `KubernetesAnswer` for every status but 2xx. */
  get(path: string): Promise<KubernetesObject>;
  create(path: string, object: unknown): Promise<KubernetesObject>;
  replace(path: string, object: unknown): Promise<KubernetesObject>;
  /** JSON merge patch. */
  patch(path: string, change: unknown): Promise<KubernetesObject>;
  delete(path: string): Promise<KubernetesObject>;
  /** A page of text, such as `/metrics`. */
  text(path: string): Promise<string>;
  close(): void;
}

/** An object as the API server has it, as far as tests look at objects. */
export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: ObjectMetadata;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: ObjectStatus;
  /** Of a list. */
  readonly items?: readonly KubernetesObject[];
  /** Of Secrets and ConfigMaps. */
  readonly data?: Readonly<Record<string, string>>;
}

export interface ObjectMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What some kinds of objects have in their status. */
export interface ObjectStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly ObjectCondition[];
  /** Of a TokenRequest. */
  readonly token?: string;
  /** Of a Pod. */
  readonly phase?: string;
  readonly podIP?: string;
  readonly containerStatuses?: readonly { readonly containerID?: string; readonly restartCount: number }[];
  /** Of a Deployment. */
  readonly readyReplicas?: number;
}

export interface ObjectCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime?: string;
}

/** An answer that is not 2xx. */
export class KubernetesAnswer extends Error {
  override readonly name = "KubernetesAnswer";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** @param ca PEM; the certificate's name must be `kubernetes` */
export function openKubernetesClient(port: number, token: string, ca: string): KubernetesClient {
  const agent = new Agent({ keepAlive: true, ca, servername: "kubernetes" });
  const send = (method: string, path: string, body?: unknown): Promise<string> =>
    new Promise((resolve, reject) => {
      const contentType = method === "PATCH" ? "application/merge-patch+json" : "application/json";
      const headers = { authorization: `Bearer ${token}`, "content-type": contentType };
      const request = httpsRequest({ agent, host: "127.0.0.1", port, method, path, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 300) resolve(text);
          else reject(new KubernetesAnswer(status, `${method} ${path}: ${status} ${text.slice(0, 500)}`));
        });
      });
      request.setTimeout(60_000, () => request.destroy(new Error(`${method} ${path}: no answer within 60 s`)));
      request.on("error", reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  const json = async (method: string, path: string, body?: unknown): Promise<KubernetesObject> =>
    JSON.parse(await send(method, path, body));
  return {
    get: (path) => json("GET", path),
    create: (path, object) => json("POST", path, object),
    replace: (path, object) => json("PUT", path, object),
    patch: (path, change) => json("PATCH", path, change),
    delete: (path) => json("DELETE", path),
    text: (path) => send("GET", path),
    close: () => agent.destroy(),
  };
}
