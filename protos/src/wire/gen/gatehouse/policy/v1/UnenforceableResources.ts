// Original file: gatehouse/policy/v1/unenforceable_resources.proto

import type { UnenforceableResource as _gatehouse_policy_v1_UnenforceableResource, UnenforceableResource__Output as _gatehouse_policy_v1_UnenforceableResource__Output } from '../../../gatehouse/policy/v1/UnenforceableResource.ts';

/**
 * Stands in the details of a NACK: what in the refused response could not be enforced.
 */
export interface UnenforceableResources {
  /**
   * At least one.
   */
  'resources'?: (_gatehouse_policy_v1_UnenforceableResource)[];
}

/**
 * Stands in the details of a NACK: what in the refused response could not be enforced.
 */
export interface UnenforceableResources__Output {
  /**
   * At least one.
   */
  'resources': (_gatehouse_policy_v1_UnenforceableResource__Output)[];
}
