// Original file: gatehouse/policy/v1/authorization_policy.proto

import type { StringComparison as _gatehouse_policy_v1_StringComparison, StringComparison__Output as _gatehouse_policy_v1_StringComparison__Output } from '../../../gatehouse/policy/v1/StringComparison.ts';
import type { IpComparison as _gatehouse_policy_v1_IpComparison, IpComparison__Output as _gatehouse_policy_v1_IpComparison__Output } from '../../../gatehouse/policy/v1/IpComparison.ts';
import type { PortComparison as _gatehouse_policy_v1_PortComparison, PortComparison__Output as _gatehouse_policy_v1_PortComparison__Output } from '../../../gatehouse/policy/v1/PortComparison.ts';
import type { TextComparison as _gatehouse_policy_v1_TextComparison, TextComparison__Output as _gatehouse_policy_v1_TextComparison__Output } from '../../../gatehouse/policy/v1/TextComparison.ts';
import type { RequestPrincipalComparison as _gatehouse_policy_v1_RequestPrincipalComparison, RequestPrincipalComparison__Output as _gatehouse_policy_v1_RequestPrincipalComparison__Output } from '../../../gatehouse/policy/v1/RequestPrincipalComparison.ts';
import type { FilterMetadataComparison as _gatehouse_policy_v1_FilterMetadataComparison, FilterMetadataComparison__Output as _gatehouse_policy_v1_FilterMetadataComparison__Output } from '../../../gatehouse/policy/v1/FilterMetadataComparison.ts';

// Original file: gatehouse/policy/v1/authorization_policy.proto

/**
 * What is compared. The comment names the case of `comparison` that must come with it.
 */
export const _gatehouse_policy_v1_Condition_Attribute = {
  /**
   * Not valid.
   */
  ATTRIBUTE_UNSPECIFIED: 'ATTRIBUTE_UNSPECIFIED',
  /**
   * Lines of request header `name`: strings.
   */
  ATTRIBUTE_HEADER: 'ATTRIBUTE_HEADER',
  /**
   * `:authority`: strings.
   */
  ATTRIBUTE_HOST: 'ATTRIBUTE_HOST',
  /**
   * `:method`: strings.
   */
  ATTRIBUTE_METHOD: 'ATTRIBUTE_METHOD',
  /**
   * Server name of the TLS connection: strings.
   */
  ATTRIBUTE_SNI: 'ATTRIBUTE_SNI',
  /**
   * `:path` without query and fragment: strings.
   */
  ATTRIBUTE_PATH: 'ATTRIBUTE_PATH',
  /**
   * Address of the direct peer: ip_ranges.
   */
  ATTRIBUTE_SOURCE_IP: 'ATTRIBUTE_SOURCE_IP',
  /**
   * Address of the client after x-forwarded-for: ip_ranges.
   */
  ATTRIBUTE_REMOTE_IP: 'ATTRIBUTE_REMOTE_IP',
  /**
   * Local address: ip_ranges.
   */
  ATTRIBUTE_DESTINATION_IP: 'ATTRIBUTE_DESTINATION_IP',
  /**
   * Local port: ports.
   */
  ATTRIBUTE_DESTINATION_PORT: 'ATTRIBUTE_DESTINATION_PORT',
  /**
   * Identity of the peer's certificate: texts.
   */
  ATTRIBUTE_SOURCE_PRINCIPAL: 'ATTRIBUTE_SOURCE_PRINCIPAL',
  /**
   * Namespace in that identity: texts.
   */
  ATTRIBUTE_SOURCE_NAMESPACE: 'ATTRIBUTE_SOURCE_NAMESPACE',
  /**
   * Service account in that identity: texts.
   */
  ATTRIBUTE_SOURCE_SERVICE_ACCOUNT: 'ATTRIBUTE_SOURCE_SERVICE_ACCOUNT',
  /**
   * Trust domain of that identity: texts.
   */
  ATTRIBUTE_SOURCE_TRUST_DOMAIN: 'ATTRIBUTE_SOURCE_TRUST_DOMAIN',
  /**
   * `iss` and `sub` of the verified token: request_principals.
   */
  ATTRIBUTE_REQUEST_PRINCIPAL: 'ATTRIBUTE_REQUEST_PRINCIPAL',
  /**
   * The claim at `claim_path` of the verified token: strings.
   */
  ATTRIBUTE_CLAIM: 'ATTRIBUTE_CLAIM',
  /**
   * `key` of the dynamic metadata of filter `name`: filter_metadata.
   */
  ATTRIBUTE_FILTER_METADATA: 'ATTRIBUTE_FILTER_METADATA',
} as const;

/**
 * What is compared. The comment names the case of `comparison` that must come with it.
 */
export type _gatehouse_policy_v1_Condition_Attribute =
  /**
   * Not valid.
   */
  | 'ATTRIBUTE_UNSPECIFIED'
  | 0
  /**
   * Lines of request header `name`: strings.
   */
  | 'ATTRIBUTE_HEADER'
  | 1
  /**
   * `:authority`: strings.
   */
  | 'ATTRIBUTE_HOST'
  | 2
  /**
   * `:method`: strings.
   */
  | 'ATTRIBUTE_METHOD'
  | 3
  /**
   * Server name of the TLS connection: strings.
   */
  | 'ATTRIBUTE_SNI'
  | 4
  /**
   * `:path` without query and fragment: strings.
   */
  | 'ATTRIBUTE_PATH'
  | 5
  /**
   * Address of the direct peer: ip_ranges.
   */
  | 'ATTRIBUTE_SOURCE_IP'
  | 6
  /**
   * Address of the client after x-forwarded-for: ip_ranges.
   */
  | 'ATTRIBUTE_REMOTE_IP'
  | 7
  /**
   * Local address: ip_ranges.
   */
  | 'ATTRIBUTE_DESTINATION_IP'
  | 8
  /**
   * Local port: ports.
   */
  | 'ATTRIBUTE_DESTINATION_PORT'
  | 9
  /**
   * Identity of the peer's certificate: texts.
   */
  | 'ATTRIBUTE_SOURCE_PRINCIPAL'
  | 10
  /**
   * Namespace in that identity: texts.
   */
  | 'ATTRIBUTE_SOURCE_NAMESPACE'
  | 11
  /**
   * Service account in that identity: texts.
   */
  | 'ATTRIBUTE_SOURCE_SERVICE_ACCOUNT'
  | 12
  /**
   * Trust domain of that identity: texts.
   */
  | 'ATTRIBUTE_SOURCE_TRUST_DOMAIN'
  | 13
  /**
   * `iss` and `sub` of the verified token: request_principals.
   */
  | 'ATTRIBUTE_REQUEST_PRINCIPAL'
  | 14
  /**
   * The claim at `claim_path` of the verified token: strings.
   */
  | 'ATTRIBUTE_CLAIM'
  | 15
  /**
   * `key` of the dynamic metadata of filter `name`: filter_metadata.
   */
  | 'ATTRIBUTE_FILTER_METADATA'
  | 16

/**
 * What is compared. The comment names the case of `comparison` that must come with it.
 */
export type _gatehouse_policy_v1_Condition_Attribute__Output = typeof _gatehouse_policy_v1_Condition_Attribute[keyof typeof _gatehouse_policy_v1_Condition_Attribute]

/**
 * One attribute compared with values: holds when one of `values` matches (or there are none) and none of `not_values` does.
 */
export interface Condition {
  /**
   * Where the condition stands in the object, for people.
   */
  'field'?: (string);
  /**
   * What is compared.
   */
  'attribute'?: (_gatehouse_policy_v1_Condition_Attribute);
  /**
   * Header name in lower case, or metadata namespace; else empty.
   */
  'name'?: (string);
  /**
   * Key within the metadata namespace; else empty.
   */
  'key'?: (string);
  /**
   * Path of a claim; else empty.
   */
  'claimPath'?: (string)[];
  /**
   * With text patterns.
   */
  'strings'?: (_gatehouse_policy_v1_StringComparison | null);
  /**
   * With address ranges.
   */
  'ipRanges'?: (_gatehouse_policy_v1_IpComparison | null);
  /**
   * With port numbers.
   */
  'ports'?: (_gatehouse_policy_v1_PortComparison | null);
  /**
   * With texts as written.
   */
  'texts'?: (_gatehouse_policy_v1_TextComparison | null);
  /**
   * With issuer and subject.
   */
  'requestPrincipals'?: (_gatehouse_policy_v1_RequestPrincipalComparison | null);
  /**
   * With values of metadata.
   */
  'filterMetadata'?: (_gatehouse_policy_v1_FilterMetadataComparison | null);
  /**
   * Exactly one must be set, as `attribute` says.
   */
  'comparison'?: "strings"|"ipRanges"|"ports"|"texts"|"requestPrincipals"|"filterMetadata";
}

/**
 * One attribute compared with values: holds when one of `values` matches (or there are none) and none of `not_values` does.
 */
export interface Condition__Output {
  /**
   * Where the condition stands in the object, for people.
   */
  'field': (string);
  /**
   * What is compared.
   */
  'attribute': (_gatehouse_policy_v1_Condition_Attribute__Output);
  /**
   * Header name in lower case, or metadata namespace; else empty.
   */
  'name': (string);
  /**
   * Key within the metadata namespace; else empty.
   */
  'key': (string);
  /**
   * Path of a claim; else empty.
   */
  'claimPath': (string)[];
  /**
   * With text patterns.
   */
  'strings'?: (_gatehouse_policy_v1_StringComparison__Output | null);
  /**
   * With address ranges.
   */
  'ipRanges'?: (_gatehouse_policy_v1_IpComparison__Output | null);
  /**
   * With port numbers.
   */
  'ports'?: (_gatehouse_policy_v1_PortComparison__Output | null);
  /**
   * With texts as written.
   */
  'texts'?: (_gatehouse_policy_v1_TextComparison__Output | null);
  /**
   * With issuer and subject.
   */
  'requestPrincipals'?: (_gatehouse_policy_v1_RequestPrincipalComparison__Output | null);
  /**
   * With values of metadata.
   */
  'filterMetadata'?: (_gatehouse_policy_v1_FilterMetadataComparison__Output | null);
  /**
   * Exactly one must be set, as `attribute` says.
   */
  'comparison'?: "strings"|"ipRanges"|"ports"|"texts"|"requestPrincipals"|"filterMetadata";
}
