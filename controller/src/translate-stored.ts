import { createHash } from "node:crypto";
import type { MeshConfig } from "@gatehouse/protos";
import type { Logger } from "pino";
import type { StoredResource } from "./resources/store.ts";
import { type TranslateContext, type Translated, translateInvalid, translateObject } from "./translate/index.ts";

/** Translates what the store holds under one key. Never throws. */
export type TranslateStored = (stored: StoredResource) => Translated;

/** @param mesh the settings that translation depends on */
export function createTranslateStored(mesh: Pick<MeshConfig, "dnsSuffix" | "routing">, log: Logger): TranslateStored {
  const context: TranslateContext = { dnsSuffix: mesh.dnsSuffix, routing: mesh.routing, hash: sha256 };
  return (stored) => {
    if (stored.kind === "invalid") return translateInvalid(stored.object, context);
    try {
      return translateObject(stored.object, context);
    } catch (err) {
      // A bug. The object must not be lost, which would widen access, nor may it stop the others.
      log.error({ err, object: stored.key }, "translation failed; the object fails closed");
      const { kind, metadata, spec } = stored.object;
      const { namespace, name } = metadata;
      const errors = [{ path: "spec", message: "internal error in translation, see the controller's log" }];
      return translateInvalid({ kind, namespace, name, errors, raw: { metadata, spec } }, context);
    }
  };
}

/** SHA-256 of a text in UTF-8, as lower-case hex. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
