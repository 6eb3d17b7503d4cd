// Original file: gatehouse/policy/v1/object.proto


/**
 * One entry of `targetRefs`.
 */
export interface TargetRef {
  /**
   * API group; empty for the core API.
   */
  'group'?: (string);
  /**
   * Kind of the object.
   */
  'kind'?: (string);
  /**
   * Name of the object.
   */
  'name'?: (string);
  /**
   * Namespace of the object.
   */
  'namespace'?: (string);
}

/**
 * One entry of `targetRefs`.
 */
export interface TargetRef__Output {
  /**
   * API group; empty for the core API.
   */
  'group': (string);
  /**
   * Kind of the object.
   */
  'kind': (string);
  /**
   * Name of the object.
   */
  'name': (string);
  /**
   * Namespace of the object.
   */
  'namespace': (string);
}
