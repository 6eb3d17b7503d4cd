// Original file: gatehouse/policy/v1/mesh_config.proto


// Original file: gatehouse/policy/v1/mesh_config.proto

/**
 * What tokens get whose keys could never be fetched.
 */
export const _gatehouse_policy_v1_MeshConfig_KeysUnavailable = {
  /**
   * Not valid.
   */
  KEYS_UNAVAILABLE_UNSPECIFIED: 'KEYS_UNAVAILABLE_UNSPECIFIED',
  /**
   * 401.
   */
  KEYS_UNAVAILABLE_UNAUTHORIZED: 'KEYS_UNAVAILABLE_UNAUTHORIZED',
  /**
   * 503.
   */
  KEYS_UNAVAILABLE_SERVICE_UNAVAILABLE: 'KEYS_UNAVAILABLE_SERVICE_UNAVAILABLE',
} as const;

/**
 * What tokens get whose keys could never be fetched.
 */
export type _gatehouse_policy_v1_MeshConfig_KeysUnavailable =
  /**
   * Not valid.
   */
  | 'KEYS_UNAVAILABLE_UNSPECIFIED'
  | 0
  /**
   * 401.
   */
  | 'KEYS_UNAVAILABLE_UNAUTHORIZED'
  | 1
  /**
   * 503.
   */
  | 'KEYS_UNAVAILABLE_SERVICE_UNAVAILABLE'
  | 2

/**
 * What tokens get whose keys could never be fetched.
 */
export type _gatehouse_policy_v1_MeshConfig_KeysUnavailable__Output = typeof _gatehouse_policy_v1_MeshConfig_KeysUnavailable[keyof typeof _gatehouse_policy_v1_MeshConfig_KeysUnavailable]

// Original file: gatehouse/policy/v1/mesh_config.proto

/**
 * How paths are made canonical before they are matched.
 */
export const _gatehouse_policy_v1_MeshConfig_PathNormalization = {
  /**
   * Not valid.
   */
  PATH_NORMALIZATION_UNSPECIFIED: 'PATH_NORMALIZATION_UNSPECIFIED',
  /**
   * Not at all.
   */
  PATH_NORMALIZATION_NONE: 'PATH_NORMALIZATION_NONE',
  /**
   * RFC 3986, and backslashes become slashes.
   */
  PATH_NORMALIZATION_BASE: 'PATH_NORMALIZATION_BASE',
  /**
   * BASE, and runs of slashes become one.
   */
  PATH_NORMALIZATION_MERGE_SLASHES: 'PATH_NORMALIZATION_MERGE_SLASHES',
  /**
   * MERGE_SLASHES after `%2F` and `%5C` were decoded.
   */
  PATH_NORMALIZATION_DECODE_AND_MERGE_SLASHES: 'PATH_NORMALIZATION_DECODE_AND_MERGE_SLASHES',
} as const;

/**
 * How paths are made canonical before they are matched.
 */
export type _gatehouse_policy_v1_MeshConfig_PathNormalization =
  /**
   * Not valid.
   */
  | 'PATH_NORMALIZATION_UNSPECIFIED'
  | 0
  /**
   * Not at all.
   */
  | 'PATH_NORMALIZATION_NONE'
  | 1
  /**
   * RFC 3986, and backslashes become slashes.
   */
  | 'PATH_NORMALIZATION_BASE'
  | 2
  /**
   * BASE, and runs of slashes become one.
   */
  | 'PATH_NORMALIZATION_MERGE_SLASHES'
  | 3
  /**
   * MERGE_SLASHES after `%2F` and `%5C` were decoded.
   */
  | 'PATH_NORMALIZATION_DECODE_AND_MERGE_SLASHES'
  | 4

/**
 * How paths are made canonical before they are matched.
 */
export type _gatehouse_policy_v1_MeshConfig_PathNormalization__Output = typeof _gatehouse_policy_v1_MeshConfig_PathNormalization[keyof typeof _gatehouse_policy_v1_MeshConfig_PathNormalization]

// Original file: gatehouse/policy/v1/mesh_config.proto

/**
 * Which header names the chosen route.
 */
export const _gatehouse_policy_v1_MeshConfig_Routing = {
  /**
   * Not valid.
   */
  ROUTING_UNSPECIFIED: 'ROUTING_UNSPECIFIED',
  /**
   * x-gatehouse-cluster.
   */
  ROUTING_CLUSTER: 'ROUTING_CLUSTER',
  /**
   * x-gatehouse-route.
   */
  ROUTING_HEADER: 'ROUTING_HEADER',
} as const;

/**
 * Which header names the chosen route.
 */
export type _gatehouse_policy_v1_MeshConfig_Routing =
  /**
   * Not valid.
   */
  | 'ROUTING_UNSPECIFIED'
  | 0
  /**
   * x-gatehouse-cluster.
   */
  | 'ROUTING_CLUSTER'
  | 1
  /**
   * x-gatehouse-route.
   */
  | 'ROUTING_HEADER'
  | 2

/**
 * Which header names the chosen route.
 */
export type _gatehouse_policy_v1_MeshConfig_Routing__Output = typeof _gatehouse_policy_v1_MeshConfig_Routing[keyof typeof _gatehouse_policy_v1_MeshConfig_Routing]

// Original file: gatehouse/policy/v1/mesh_config.proto

/**
 * What a gateway answers for a host of no VirtualService.
 */
export const _gatehouse_policy_v1_MeshConfig_UnmatchedHosts = {
  /**
   * Not valid.
   */
  UNMATCHED_HOSTS_UNSPECIFIED: 'UNMATCHED_HOSTS_UNSPECIFIED',
  /**
   * 404.
   */
  UNMATCHED_HOSTS_NOT_FOUND: 'UNMATCHED_HOSTS_NOT_FOUND',
  /**
   * Nothing: the request goes on.
   */
  UNMATCHED_HOSTS_PASSTHROUGH: 'UNMATCHED_HOSTS_PASSTHROUGH',
} as const;

/**
 * What a gateway answers for a host of no VirtualService.
 */
export type _gatehouse_policy_v1_MeshConfig_UnmatchedHosts =
  /**
   * Not valid.
   */
  | 'UNMATCHED_HOSTS_UNSPECIFIED'
  | 0
  /**
   * 404.
   */
  | 'UNMATCHED_HOSTS_NOT_FOUND'
  | 1
  /**
   * Nothing: the request goes on.
   */
  | 'UNMATCHED_HOSTS_PASSTHROUGH'
  | 2

/**
 * What a gateway answers for a host of no VirtualService.
 */
export type _gatehouse_policy_v1_MeshConfig_UnmatchedHosts__Output = typeof _gatehouse_policy_v1_MeshConfig_UnmatchedHosts[keyof typeof _gatehouse_policy_v1_MeshConfig_UnmatchedHosts]

/**
 * Settings of the whole mesh.
 */
export interface MeshConfig {
  /**
   * Namespace whose policies apply everywhere.
   */
  'rootNamespace'?: (string);
  /**
   * SPIFFE trust domain.
   */
  'trustDomain'?: (string);
  /**
   * Further names of it.
   */
  'trustDomainAliases'?: (string)[];
  /**
   * Makes short host names whole.
   */
  'dnsSuffix'?: (string);
  /**
   * How paths are made canonical before they are matched.
   */
  'pathNormalization'?: (_gatehouse_policy_v1_MeshConfig_PathNormalization);
  /**
   * Proxies in front of a gateway whose x-forwarded-for entries are believed.
   */
  'numTrustedProxies'?: (number);
  /**
   * DENY fires if any plausible reading of the path matches, ALLOW only if all do.
   */
  'strictPaths'?: (boolean);
  /**
   * What tokens get whose keys could never be fetched.
   */
  'keysUnavailable'?: (_gatehouse_policy_v1_MeshConfig_KeysUnavailable);
  /**
   * Which header names the chosen route.
   */
  'routing'?: (_gatehouse_policy_v1_MeshConfig_Routing);
  /**
   * What a gateway answers for a host of no VirtualService.
   */
  'unmatchedHosts'?: (_gatehouse_policy_v1_MeshConfig_UnmatchedHosts);
  /**
   * Tokens without `exp` are refused. Reader version 2.
   */
  'requireExp'?: (boolean);
}

/**
 * Settings of the whole mesh.
 */
export interface MeshConfig__Output {
  /**
   * Namespace whose policies apply everywhere.
   */
  'rootNamespace': (string);
  /**
   * SPIFFE trust domain.
   */
  'trustDomain': (string);
  /**
   * Further names of it.
   */
  'trustDomainAliases': (string)[];
  /**
   * Makes short host names whole.
   */
  'dnsSuffix': (string);
  /**
   * How paths are made canonical before they are matched.
   */
  'pathNormalization': (_gatehouse_policy_v1_MeshConfig_PathNormalization__Output);
  /**
   * Proxies in front of a gateway whose x-forwarded-for entries are believed.
   */
  'numTrustedProxies': (number);
  /**
   * DENY fires if any plausible reading of the path matches, ALLOW only if all do.
   */
  'strictPaths': (boolean);
  /**
   * What tokens get whose keys could never be fetched.
   */
  'keysUnavailable': (_gatehouse_policy_v1_MeshConfig_KeysUnavailable__Output);
  /**
   * Which header names the chosen route.
   */
  'routing': (_gatehouse_policy_v1_MeshConfig_Routing__Output);
  /**
   * What a gateway answers for a host of no VirtualService.
   */
  'unmatchedHosts': (_gatehouse_policy_v1_MeshConfig_UnmatchedHosts__Output);
  /**
   * Tokens without `exp` are refused. Reader version 2.
   */
  'requireExp': (boolean);
}
