import { createPublicKey, type JsonWebKey, type KeyObject, verify } from "node:crypto";
import { createServer } from "node:http";
import { publicJwks } from "../support/jwt.ts";
import { threadCpuMicroseconds } from "./thread-cpu.ts";

/** Verifies the signatures of tokens that are posted, a line each, with nothing around it. Answers the CPU time of one in microseconds; prints its port. */
const { keys }: { readonly keys: readonly JsonWebKey[] } = JSON.parse(publicJwks("rsa-2048", "ec-p256", "ed25519"));
const keyObjects = new Map(keys.map((key) => [key["kid"], createPublicKey({ key, format: "jwk" })]));

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const tokens = Buffer.concat(chunks).toString().split("\n").map(prepare);
    const before = threadCpuMicroseconds();
    for (const { hash, data, key, signature } of tokens) {
      if (!verify(hash, data, key, signature)) throw new Error("a signature is wrong");
    }
    response.end(String((threadCpuMicroseconds() - before) / tokens.length));
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`${typeof address === "object" ? address?.port : ""}\n`);
});

interface Signed {
  readonly hash: "sha256" | null;
  readonly data: Buffer;
  readonly key: { readonly key: KeyObject; readonly dsaEncoding: "ieee-p1363" };
  readonly signature: Buffer;
}

function prepare(token: string): Signed {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const { kid, alg } = JSON.parse(Buffer.from(header, "base64url").toString());
  const key = keyObjects.get(kid);
  if (key === undefined) throw new Error(`no key ${kid}`);
  return {
    hash: alg === "EdDSA" ? null : "sha256",
    data: Buffer.from(`${header}.${payload}`),
    key: { key, dsaEncoding: "ieee-p1363" },
    signature: Buffer.from(signature, "base64url"),
  };
}
