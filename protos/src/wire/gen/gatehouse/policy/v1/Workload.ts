// Original file: gatehouse/policy/v1/workload.proto

import type { Label as _gatehouse_policy_v1_Label, Label__Output as _gatehouse_policy_v1_Label__Output } from '../../../gatehouse/policy/v1/Label.ts';

/**
 * Who stands behind an address. Its xDS name is `Workload/namespace/name`; known from Kubernetes only.
 */
export interface Workload {
  /**
   * Namespace of the pod.
   */
  'namespace'?: (string);
  /**
   * Name of the pod.
   */
  'name'?: (string);
  /**
   * All addresses of the pod, as texts.
   */
  'addresses'?: (string)[];
  /**
   * Labels of the pod.
   */
  'labels'?: (_gatehouse_policy_v1_Label)[];
  /**
   * Service account the pod runs as.
   */
  'serviceAccount'?: (string);
}

/**
 * Who stands behind an address. Its xDS name is `Workload/namespace/name`; known from Kubernetes only.
 */
export interface Workload__Output {
  /**
   * Namespace of the pod.
   */
  'namespace': (string);
  /**
   * Name of the pod.
   */
  'name': (string);
  /**
   * All addresses of the pod, as texts.
   */
  'addresses': (string)[];
  /**
   * Labels of the pod.
   */
  'labels': (_gatehouse_policy_v1_Label__Output)[];
  /**
   * Service account the pod runs as.
   */
  'serviceAccount': (string);
}
