/** The parts of ObjectMeta that are read, once a document passed `rawMetadataSchema`. Null stands for "not set". */
export interface RawMetadata {
  readonly labels?: Readonly<Record<string, string>> | null;
  readonly annotations?: Readonly<Record<string, string>> | null;
  readonly creationTimestamp?: string | null;
  readonly generation?: number;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

const stringMap = { type: "object", nullable: true, additionalProperties: { type: "string" } };

/**
 * Kubernetes' ObjectMeta: every field it has, and no other. Name and namespace are checked before, for without them there is no object.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
 */
export const rawMetadataSchema: Readonly<Record<string, unknown>> = {
  type: "object",
  additionalProperties: false,
  properties: {
    name: { type: "string" },
    generateName: { type: "string" },
    namespace: { type: "string" },
    labels: stringMap,
    annotations: stringMap,
    creationTimestamp: { type: "string", nullable: true },
    deletionTimestamp: { type: "string", nullable: true },
    deletionGracePeriodSeconds: { type: "integer", nullable: true },
    generation: { type: "integer" },
    resourceVersion: { type: "string" },
    uid: { type: "string" },
    selfLink: { type: "string" },
    finalizers: { type: "array", nullable: true, items: { type: "string" } },
    ownerReferences: { type: "array", nullable: true, items: { type: "object" } },
    managedFields: { type: "array", nullable: true, items: { type: "object" } },
  },
};
