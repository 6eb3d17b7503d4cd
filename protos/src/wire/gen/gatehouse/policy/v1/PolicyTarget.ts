// Original file: gatehouse/policy/v1/object.proto

import type { Label as _gatehouse_policy_v1_Label, Label__Output as _gatehouse_policy_v1_Label__Output } from '../../../gatehouse/policy/v1/Label.ts';
import type { TargetRef as _gatehouse_policy_v1_TargetRef, TargetRef__Output as _gatehouse_policy_v1_TargetRef__Output } from '../../../gatehouse/policy/v1/TargetRef.ts';

/**
 * All workloads of the namespace; of the mesh, in the root namespace.
 */
export interface _gatehouse_policy_v1_PolicyTarget_Namespace {
}

/**
 * All workloads of the namespace; of the mesh, in the root namespace.
 */
export interface _gatehouse_policy_v1_PolicyTarget_Namespace__Output {
}

/**
 * The workloads that have all of these labels.
 */
export interface _gatehouse_policy_v1_PolicyTarget_Selector {
  /**
   * In the order written.
   */
  'matchLabels'?: (_gatehouse_policy_v1_Label)[];
}

/**
 * The workloads that have all of these labels.
 */
export interface _gatehouse_policy_v1_PolicyTarget_Selector__Output {
  /**
   * In the order written.
   */
  'matchLabels': (_gatehouse_policy_v1_Label__Output)[];
}

/**
 * The workloads behind named objects.
 */
export interface _gatehouse_policy_v1_PolicyTarget_TargetRefs {
  /**
   * In the order written.
   */
  'refs'?: (_gatehouse_policy_v1_TargetRef)[];
}

/**
 * The workloads behind named objects.
 */
export interface _gatehouse_policy_v1_PolicyTarget_TargetRefs__Output {
  /**
   * In the order written.
   */
  'refs': (_gatehouse_policy_v1_TargetRef__Output)[];
}

/**
 * Which workloads a policy applies to. Exactly one must be set.
 */
export interface PolicyTarget {
  /**
   * All workloads of the namespace.
   */
  'namespace'?: (_gatehouse_policy_v1_PolicyTarget_Namespace | null);
  /**
   * By labels.
   */
  'selector'?: (_gatehouse_policy_v1_PolicyTarget_Selector | null);
  /**
   * By reference.
   */
  'targetRefs'?: (_gatehouse_policy_v1_PolicyTarget_TargetRefs | null);
  /**
   * Exactly one must be set.
   */
  'target'?: "namespace"|"selector"|"targetRefs";
}

/**
 * Which workloads a policy applies to. Exactly one must be set.
 */
export interface PolicyTarget__Output {
  /**
   * All workloads of the namespace.
   */
  'namespace'?: (_gatehouse_policy_v1_PolicyTarget_Namespace__Output | null);
  /**
   * By labels.
   */
  'selector'?: (_gatehouse_policy_v1_PolicyTarget_Selector__Output | null);
  /**
   * By reference.
   */
  'targetRefs'?: (_gatehouse_policy_v1_PolicyTarget_TargetRefs__Output | null);
  /**
   * Exactly one must be set.
   */
  'target'?: "namespace"|"selector"|"targetRefs";
}
