import type { PolicyResource } from "@gatehouse/protos";
import type { ResourceObject } from "../resources/object.ts";
import { translateAuthorizationPolicy } from "./authorization-policy.ts";
import type { TranslateContext } from "./context.ts";
import { refuseDryRun } from "./dry-run.ts";
import { translateGateway } from "./gateway.ts";
import { collectFindings, type Findings, type Translated, toReport } from "./report.ts";
import { translateRequestAuthentication } from "./request-authentication.ts";
import { translateVirtualService } from "./virtual-service.ts";

/**
 * Translates one object, whatever else exists. Never throws for an object that passed its schema; the same object gives the same
 * result. Parts that can't be translated fail closed and are named in the report.
 * @returns the object's own resource first, then the key sets that it refers to; other objects may yield equal key sets
 */
export function translateObject(object: ResourceObject, context: TranslateContext): Translated {
  const findings = collectFindings();
  if (object.kind !== "AuthorizationPolicy") refuseDryRun(object.metadata, findings);
  const { resources, keySources } = translateKind(object, context, findings);
  const { namespace, name } = object.metadata;
  return { resources, keySources, report: toReport({ kind: object.kind, namespace, name }, findings.diagnostics) };
}

function translateKind(
  object: ResourceObject,
  context: TranslateContext,
  findings: Findings,
): Pick<Translated, "resources" | "keySources"> {
  const { metadata } = object;
  switch (object.kind) {
    case "RequestAuthentication": {
      const { resource, keySets, keySources } = translateRequestAuthentication(
        metadata,
        object.spec,
        context.hash,
        findings,
      );
      return { resources: [resource, ...keySets], keySources };
    }
    case "AuthorizationPolicy":
      return only(translateAuthorizationPolicy(metadata, object.spec, findings));
    case "VirtualService":
      return only(translateVirtualService(metadata, object.spec, context, findings));
    case "Gateway":
      return only(translateGateway(metadata, object.spec, findings));
  }
}

function only(resource: PolicyResource): Pick<Translated, "resources" | "keySources"> {
  return { resources: [resource], keySources: [] };
}
