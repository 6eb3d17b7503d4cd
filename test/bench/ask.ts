import { loadExtAuthz } from "@gatehouse/protos/wire";
import { credentials, Metadata } from "@grpc/grpc-js";

/** What one check is answered: `200` when it may pass, or the HTTP status of the denial, with the names of the headers that are set. */
export interface Answer {
  readonly status: number;
  readonly set: readonly string[];
}

/** Asks once with a real client: fast wrong answers must not win. @param address `host:port` */
export function ask(address: string, metadata: Readonly<Record<string, string>>, message: Uint8Array): Promise<Answer> {
  const service = loadExtAuthz();
  const client = new service(address, credentials.createInsecure());
  const callMetadata = new Metadata();
  for (const [name, value] of Object.entries(metadata)) callMetadata.set(name, value);
  return new Promise<Answer>((resolve, reject) => {
    client.makeUnaryRequest(
      "/envoy.service.auth.v3.Authorization/Check",
      (bytes: Uint8Array) => Buffer.from(bytes),
      service.service.Check.responseDeserialize,
      message,
      callMetadata,
      { deadline: Date.now() + 10_000 },
      (error, answer) => {
        if (error !== null) reject(new Error(`${address} does not answer a check: ${error.message}`));
        else if (answer?.status?.code === 0) resolve({ status: 200, set: headersOf(answer) });
        else resolve({ status: Number(answer?.deniedResponse?.status?.code ?? 403), set: [] });
      },
    );
  }).finally(() => client.close());
}

function headersOf(answer: { readonly okResponse?: { readonly headers?: readonly HeaderOption[] } | null }) {
  return answer.okResponse?.headers?.map(({ header }) => header?.key ?? "") ?? [];
}

interface HeaderOption {
  readonly header?: { readonly key?: string } | null;
}
