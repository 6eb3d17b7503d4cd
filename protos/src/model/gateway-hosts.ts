import { commonHosts, HostPatterns } from "./host-patterns.ts";

/** The hosts that a Gateway offers, indexed once for all VirtualServices that want some of them. */
export class GatewayHosts {
  readonly #forAll = new HostPatterns<undefined>();
  readonly #byNamespace = new Map<string, HostPatterns<undefined>>();

  /**
   * @param entries as the Gateway has them: `host`, or `namespace/host` for VirtualServices of that namespace only
   * @param namespace of the Gateway, which is `.`
   */
  constructor(entries: readonly string[], namespace: string) {
    for (const entry of entries) {
      const slash = entry.indexOf("/");
      const written = slash < 0 ? "*" : entry.slice(0, slash);
      const wanted = written === "." ? namespace : written;
      const patterns = written === "*" ? this.#forAll : (this.#byNamespace.get(wanted) ?? new HostPatterns());
      patterns.add(entry.slice(slash + 1), undefined);
      if (written !== "*") this.#byNamespace.set(wanted, patterns);
    }
  }

  /**
   * What a VirtualService has of them.
   * @param hosts of the VirtualService
   * @param namespace of the VirtualService
   */
  commonWith(hosts: HostPatterns<unknown>, namespace: string): ReadonlySet<string> {
    const own = this.#byNamespace.get(namespace);
    const common = commonHosts(this.#forAll, hosts);
    return own === undefined ? common : new Set([...common, ...commonHosts(own, hosts)]);
  }
}
