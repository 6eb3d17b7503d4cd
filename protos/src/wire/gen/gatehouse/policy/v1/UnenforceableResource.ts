// Original file: gatehouse/policy/v1/unenforceable_resources.proto


/**
 * One resource that a server could not enforce.
 */
export interface UnenforceableResource {
  /**
   * Its xDS name.
   */
  'name'?: (string);
  /**
   * What is wrong with it, for people.
   */
  'reason'?: (string);
}

/**
 * One resource that a server could not enforce.
 */
export interface UnenforceableResource__Output {
  /**
   * Its xDS name.
   */
  'name': (string);
  /**
   * What is wrong with it, for people.
   */
  'reason': (string);
}
