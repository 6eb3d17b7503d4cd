/** Words that policies and requests share, so that they meet often. */
export const ISSUERS: readonly string[] = [
  "https://a.example.com",
  "https://b.example.com",
  "issuer-c",
  "https://a.example.com/",
];
export const SUBJECTS: readonly string[] = ["alice", "bob", "svc/1", "alice2"];
export const AUDIENCES: readonly string[] = ["web", "https://api.example.com/", "api.example.com", "mobile"];
export const ROLES: readonly string[] = ["admin", "user", "dev", "Admin", "admin-2", "über"];

/** Paths that policies name. */
export const PLAIN_PATHS: readonly string[] = [
  "/",
  "/admin",
  "/admin/",
  "/admin/x",
  "/api/v1/users",
  "/api/v1/users/7",
  "/headers",
  "/store/x/cart",
  "/a/b/c.txt",
];

/** What requests make of them. */
export const ODD_PATHS: readonly string[] = [
  "/Admin",
  "/admin//x",
  "//admin",
  "/a/../admin",
  "/a/%2e%2e/admin",
  "/a/%2E./admin/x",
  "/admin/..",
  "/admin/.",
  "/..",
  "/admin;x=1",
  "/admin;x/y",
  "/a/..;/admin",
  "/a/%2e%2e;/admin",
  "/admin%20x",
  "/admin\\x",
  "/a\\..\\admin",
  "/%61dmin",
  "/%2561dmin",
  "/admin%2fx",
  "/admin%2Fx",
  "/admin%5cx",
  "/a%2f..%2fadmin",
  "/store//cart",
  "/store/x/y/cart",
  "/store/%ff/cart",
  "/store/a*b/cart",
  "/store/{x}/cart",
  "/store/é/cart",
  "/store/a|b/cart",
  '/store/a"b/cart',
  "/api/v1/users/7/",
  "/api/v1/users/%37",
  "/api/v1//users",
  "/admin%",
  "/admin%zz",
  "/admin%00",
  "/admin%c0%ae",
  "/admin#x",
  "/admin?",
  "*",
  "/admin/%",
  "/a/b/../../admin",
  "/api/v1/users~",
  "/%7Euser",
  "/a+b",
  "/a:b@c",
];

export const PATH_PATTERNS: readonly string[] = [
  "/admin",
  "/admin*",
  "/admin/*",
  "*/users",
  "*.txt",
  "*",
  "/",
  "/*",
  "/api/*",
  "/api/v1/users/7",
  "/headers",
  "*n",
  "/admin;x=1",
  "/store/x/cart",
];

export const PATH_TEMPLATES: readonly string[] = [
  "/store/{*}/cart",
  "/store/{**}/cart",
  "/admin/{**}",
  "/{*}",
  "/api/{*}/users/{*}",
  "/api/{**}",
  "/a/{*}/{**}",
];

export const METHODS: readonly string[] = ["GET", "POST", "HEAD", "OPTIONS", "DELETE", "PATCH", "get"];
export const METHOD_PATTERNS: readonly string[] = ["GET", "POST", "G*", "*T", "*", "OPTIONS", "get", "H*"];

export const HOSTS: readonly string[] = [
  "httpbin.example.com",
  "api.example.com",
  "a.b.example.com",
  "example.com",
  "other.test",
];

export const ODD_HOSTS: readonly string[] = [
  "HTTPBIN.example.com",
  "httpbin.example.com:8080",
  "Api.Example.com:80",
  "example.com.",
  "httpbin.example.com:",
  "127.0.0.1:8080",
  "[::1]:8080",
  "[::1]",
  "xexample.com",
];

export const HOST_PATTERNS: readonly string[] = [
  "httpbin.example.com",
  "HTTPBIN.example.com",
  "httpbin.example.com:*",
  "*.example.com",
  "api.*",
  "*",
  "example.com",
  "*:8080",
  "*Example.com",
];

/** Hosts of VirtualServices. */
export const SERVED_HOSTS: readonly string[] = [
  "httpbin.example.com",
  "api.example.com",
  "*.example.com",
  "*.b.example.com",
  "*",
  "example.com",
];

export const SOURCE_IPS: readonly string[] = ["127.0.0.1", "10.1.2.3", "192.168.7.9", "2001:db8::17"];
export const IP_BLOCKS: readonly string[] = [
  "127.0.0.1",
  "10.0.0.0/8",
  "10.1.2.3/32",
  "10.1.2.3/16",
  "192.168.0.0/16",
  "203.0.113.0/24",
  "0.0.0.0/0",
  "::/0",
  "2001:db8::/32",
  "2001:db8::17",
  "127.0.0.0/30",
];
export const FORWARDED_FOR: readonly string[] = [
  "203.0.113.5",
  "10.1.2.3, 203.0.113.5",
  "203.0.113.5,10.9.9.9 , 192.168.7.9",
  "not-an-ip",
  "unknown, 10.1.2.3",
  "",
  "2001:db8::99",
  "203.0.113.5:1234",
];

export const PORTS: readonly number[] = [8080, 9090];

/** Headers that policies look at, with their values. */
export const HEADER_NAMES: readonly string[] = ["x-a", "X-B", "x-role", "user-agent", "x-jwt-sub"];
export const HEADER_VALUES: readonly string[] = ["1", "admin", "admin-2", "a,b", "Admin", "", "x y", "curl/8", "über"];
export const HEADER_PATTERNS: readonly string[] = ["1", "admin", "admin*", "*", "*2", "a,b", "curl/*", "über"];

/** Claims beside the registered ones, by their paths. */
export const CLAIM_PATHS: readonly (readonly string[])[] = [
  ["groups"],
  ["role"],
  ["scope"],
  ["permission"],
  ["scp"],
  ["org", "role"],
  ["org", "teams"],
  ["org", "unit", "name"],
  ["a.b"],
  ["https://example.com/roles"],
  ["num"],
  ["flag"],
  ["none"],
  ["sub"],
  ["aud"],
  ["azp"],
  ["__proto__"],
  ["constructor"],
];

/** Headers that rules may write claims to. */
export const OUTPUT_HEADERS: readonly string[] = ["x-jwt-sub", "X-Jwt-Role", "x-jwt-groups", "x-jwt-num"];
