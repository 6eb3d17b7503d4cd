import { Ajv, type ErrorObject, type FuncKeywordDefinition } from "ajv";
import { celRule } from "./cel-rules.ts";
import { fieldErrors } from "./field-error.ts";
import { type KindSchema, kindSchemas, type ResourceKind } from "./gen/schemas.ts";
import type {
  AuthorizationPolicySpec,
  GatewaySpec,
  RequestAuthenticationSpec,
  VirtualServiceSpec,
} from "./gen/types.ts";
import { type RawMetadata, rawMetadataSchema } from "./metadata-schema.ts";
import type { FieldError, ObjectMetadata, ResourceObject } from "./object.ts";

/** Namespace and name of an object, both well-formed. */
export interface Identity {
  readonly namespace: string;
  readonly name: string;
}

/** An object that fits the schema of its kind, or everything that does not fit. */
export type Validated =
  | { readonly ok: true; readonly object: ResourceObject }
  | { readonly ok: false; readonly errors: readonly FieldError[] };

/** Checks a document against the schema of its kind in crds/, CEL rules included. Unknown fields are errors. */
export function validate(kind: ResourceKind, document: unknown, identity: Identity): Validated {
  return validators[kind](document, identity);
}

const celKeyword: FuncKeywordDefinition = {
  keyword: "x-kubernetes-validations",
  schemaType: "array",
  errors: true,
  compile(validations: readonly { readonly rule: string; readonly message: string }[]) {
    const rules = validations.map(({ rule, message }) => ({ holds: celRule(rule), message }));
    return function validate(self: unknown): boolean {
      const broken = rules.filter(({ holds }) => !holds(self));
      const errors: Partial<ErrorObject>[] = broken.map(({ message }) => ({ keyword: "cel", message, params: {} }));
      Object.assign(validate, { errors }); // how Ajv takes errors from a keyword
      return errors.length === 0;
    };
  },
};

const ajv = new Ajv({ allErrors: true, verbose: true, strictTypes: false });
ajv.addKeyword(celKeyword);
ajv.addFormat("int32", { type: "number", validate: (n) => n >= -(2 ** 31) && n < 2 ** 31 });
ajv.addFormat("double", { type: "number", validate: Number.isFinite });
ajv.addFormat("byte", /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);

/** Made once, when this module is loaded: compiling takes far longer than validating. */
const validators: Readonly<Record<ResourceKind, (document: unknown, identity: Identity) => Validated>> = {
  RequestAuthentication: validatorOf<RequestAuthenticationSpec>("RequestAuthentication", (parts) => ({
    kind: "RequestAuthentication",
    ...parts,
  })),
  AuthorizationPolicy: validatorOf<AuthorizationPolicySpec>("AuthorizationPolicy", (parts) => ({
    kind: "AuthorizationPolicy",
    ...parts,
  })),
  VirtualService: validatorOf<VirtualServiceSpec>("VirtualService", (parts) => ({ kind: "VirtualService", ...parts })),
  Gateway: validatorOf<GatewaySpec>("Gateway", (parts) => ({ kind: "Gateway", ...parts })),
};

interface RawObject<Spec> {
  readonly apiVersion: string;
  readonly metadata: RawMetadata;
  readonly spec?: Spec;
}

interface ObjectParts<Spec> {
  readonly apiVersion: string;
  readonly metadata: ObjectMetadata;
  readonly spec: Spec | Record<string, never>;
}

function validatorOf<Spec>(
  kind: ResourceKind,
  toObject: (parts: ObjectParts<Spec>) => ResourceObject,
): (document: unknown, identity: Identity) => Validated {
  const schema = kindSchemas.find((candidate) => candidate.kind === kind);
  if (!schema) throw new Error(`crds/ does not define ${kind}`);
  const fits = ajv.compile<RawObject<Spec>>(objectSchema(schema));
  return (document, identity) =>
    fits(document)
      ? { ok: true, object: toObject(objectParts(document, identity)) }
      : { ok: false, errors: fieldErrors(document, fits.errors ?? []) };
}

function objectSchema({ group, versions, spec }: KindSchema): Record<string, unknown> {
  return {
    type: "object",
    additionalProperties: false,
    required: ["apiVersion", "metadata"],
    properties: {
      apiVersion: { type: "string", enum: versions.map((version) => `${group}/${version}`) },
      kind: {},
      metadata: rawMetadataSchema,
      spec,
      status: {},
    },
  };
}

function objectParts<Spec>({ apiVersion, metadata, spec }: RawObject<Spec>, identity: Identity): ObjectParts<Spec> {
  const { creationTimestamp, generation, uid, resourceVersion } = metadata;
  return {
    apiVersion,
    metadata: {
      ...identity,
      labels: metadata.labels ?? {},
      annotations: metadata.annotations ?? {},
      ...(creationTimestamp && { creationTimestamp }),
      ...(generation !== undefined && { generation }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
    },
    spec: spec ?? {},
  };
}
