/**
 * The CEL rules of crds/, in TypeScript, by their text: an object from a file gets the verdict that an API server would give it.
 * A value of another type than the rule expects passes; its type is reported elsewhere.
 */
const rules: ReadonlyMap<string, (self: unknown) => boolean> = new Map([
  ['!self.contains("*")', (self) => typeof self !== "string" || !self.includes("*")],
  ['self.all(key, !key.contains("*"))', (self) => !keysOf(self).some((key) => key.includes("*"))],
  ["self.all(key, key.size() != 0)", (self) => !keysOf(self).includes("")],
  ["self.size() == 0", (self) => typeof self !== "string" || self === ""],
  ["duration(self) >= duration('1ms')", (self) => typeof self !== "string" || goDurationMs(self) >= 1],
  ['url(self).getScheme() in ["http", "https"]', (self) => typeof self !== "string" || /^https?:\/\/\S+$/i.test(self)],
  [
    "(has(self.selector) ? 1 : 0) + (has(self.targetRef) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) <= 1",
    atMostOneOf("selector", "targetRef", "targetRefs"),
  ],
  [
    "(has(self.jwksUri) ? 1 : 0) + (has(self.jwks_uri) ? 1 : 0) + (has(self.jwks) ? 1 : 0) <= 1",
    // Where nothing checks this rule, Istio takes the inline keys. Translation does so too, and refuses the object in its report:
    // from here it would lose the keys that it names.
    () => true,
  ],
  [
    "(has(self.tlsCertificates) ? 1 : 0) + (has(self.credentialNames) ? 1 : 0) <= 1",
    atMostOneOf("tlsCertificates", "credentialNames"),
  ],
  [
    "(has(self.credentialName) ? 1 : 0) + (has(self.credentialNames) ? 1 : 0) <= 1",
    atMostOneOf("credentialName", "credentialNames"),
  ],
  [
    "(has(self.credentialName) ? 1 : 0) + (has(self.tlsCertificates) ? 1 : 0) <= 1",
    atMostOneOf("credentialName", "tlsCertificates"),
  ],
  [
    "(has(self.serviceAccounts) || has(self.notServiceAccounts)) ? " +
      "(!has(self.principals) && !has(self.notPrincipals) && !has(self.namespaces) && !has(self.notNamespaces)) : true",
    (self) =>
      !hasAny(self, "serviceAccounts", "notServiceAccounts") ||
      !hasAny(self, "principals", "notPrincipals", "namespaces", "notNamespaces"),
  ],
]);

/**
 * Rules that refuse at `kubectl apply` what Istio's webhook refuses. An object from a file, or one that was there before the rule, is
 * evaluated as Istio would; translation finds the same fault and reports the object as not accepted.
 */
const leftToTranslation: ReadonlySet<string> = new Set([
  "(has(self.group) && self.group != 'core' ? self.group : '') + '/' + self.kind in ['gateway.networking.k8s.io/Gateway', " +
    "'gateway.networking.k8s.io/GatewayClass', '/Service', 'networking.istio.io/ServiceEntry']",
  '(has(self.action) && self.action == "CUSTOM") || !has(self.provider)',
  '!has(self.action) || self.action != "CUSTOM" || (has(self.provider) && has(self.provider.name) && self.provider.name.size() > 0)',
  '!has(self.action) || !(self.action in ["DENY", "CUSTOM"]) || (has(self.rules) && self.rules.size() > 0)',
  "(!has(self.from) || self.from.size() > 0) && (!has(self.to) || self.to.size() > 0)",
  "has(self.source)",
  "has(self.operation)",
  "(has(self.values) && self.values.size() > 0) || (has(self.notValues) && self.notValues.size() > 0)",
  "has(self.issuer) || has(self.jwksUri) || has(self.jwks_uri)",
  "(has(self.http) && self.http.size() > 0) || (has(self.tcp) && self.tcp.size() > 0) || (has(self.tls) && self.tls.size() > 0)",
  "(has(self.hosts) && self.hosts.size() > 0) || !has(self.gateways) || self.gateways.size() == 0",
  "has(self.delegate) || (has(self.route) && self.route.size() > 0) || has(self.redirect) || has(self.directResponse)",
  "!(has(self.redirect) || has(self.directResponse)) || !(has(self.fault) || has(self.rewrite))",
]);

/**
 * The function that stands for a CEL rule.
 * @throws when there is none: a rule added to crds/ needs its line here
 */
export function celRule(text: string): (self: unknown) => boolean {
  if (leftToTranslation.has(text)) return () => true;
  const rule = rules.get(text);
  if (rule === undefined) throw new Error(`cel-rules.ts has no function for this rule of crds/: ${text}`);
  return rule;
}

function atMostOneOf(...fields: readonly string[]): (self: unknown) => boolean {
  return (self) => fields.filter((field) => keysOf(self).includes(field)).length <= 1;
}

function hasAny(self: unknown, ...fields: readonly string[]): boolean {
  return keysOf(self).some((key) => fields.includes(key));
}

function keysOf(self: unknown): readonly string[] {
  return typeof self === "object" && self !== null ? Object.keys(self) : [];
}

const durationUnitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3, // micro sign
  μs: 1e-3, // Greek mu: Go takes both
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Reads a duration as Go writes it (`1m30s`, `1.5h`). @returns milliseconds; NaN when it is none */
function goDurationMs(text: string): number {
  if (!/^[-+]?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return Number.NaN;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g))
    total += Number(amount) * (durationUnitsMs[unit ?? ""] ?? Number.NaN);
  return text.startsWith("-") ? -total : total;
}
