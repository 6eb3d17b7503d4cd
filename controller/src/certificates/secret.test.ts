import { expect, it } from "vitest";
import { getSecret, updateSecret } from "./secret.ts";
import { SecretsApi } from "./testdata/secrets-api.ts";

const SECRET = { namespace: "gatehouse-system", name: "s" };
const { signal } = new AbortController();

it("leaves what else stands in a Secret as it is, byte by byte", async () => {
  const api = new SecretsApi(["s"]);
  const keystore = Uint8Array.of(0xfe, 0xed, 0x00, 0xff, 0x80);
  api.edit("s", { "keystore.jks": keystore, "tls.crt": "old", "next.crt": "next", empty: "" });
  const secret = await getSecret(api, SECRET, signal);
  const data = new Map([
    ["tls.crt", "new"],
    ["next.crt", ""],
  ]);
  expect(await updateSecret(api, SECRET, { secret, data }, signal)).toBe(true);
  expect(api.show("s").data).toEqual({
    "keystore.jks": Buffer.from(keystore).toString("base64"),
    "tls.crt": Buffer.from("new").toString("base64"),
    empty: "",
  });
});
