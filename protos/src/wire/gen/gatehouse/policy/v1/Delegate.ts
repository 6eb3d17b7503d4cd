// Original file: gatehouse/policy/v1/virtual_service.proto


/**
 * Another VirtualService.
 */
export interface Delegate {
  /**
   * Its namespace.
   */
  'namespace'?: (string);
  /**
   * Its name.
   */
  'name'?: (string);
}

/**
 * Another VirtualService.
 */
export interface Delegate__Output {
  /**
   * Its namespace.
   */
  'namespace': (string);
  /**
   * Its name.
   */
  'name': (string);
}
