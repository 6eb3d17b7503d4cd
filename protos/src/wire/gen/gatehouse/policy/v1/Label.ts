// Original file: gatehouse/policy/v1/object.proto


/**
 * One pair of a list of labels or headers. Lists, never maps: the names are chosen by others, and order counts.
 */
export interface Label {
  /**
   * Key.
   */
  'name'?: (string);
  /**
   * Value.
   */
  'value'?: (string);
}

/**
 * One pair of a list of labels or headers. Lists, never maps: the names are chosen by others, and order counts.
 */
export interface Label__Output {
  /**
   * Key.
   */
  'name': (string);
  /**
   * Value.
   */
  'value': (string);
}
