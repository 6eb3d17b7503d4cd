import { expect, it } from "vitest";
import { GatewayHosts } from "./gateway-hosts.ts";
import { HostPatterns } from "./host-patterns.ts";

const entries = ["a.com", "*/b.com", "./c.com", "foo/d.com", "foo/*.e.com", "~/f.com"];
const offered = new GatewayHosts(entries, "infra");
const names = ["a.com", "b.com", "c.com", "d.com", "x.e.com", "f.com", "z.com"];
const wanted = new HostPatterns(names.map((host) => [host, undefined]));

it.each([
  ["infra", ["a.com", "b.com", "c.com"]],
  ["foo", ["a.com", "b.com", "d.com", "x.e.com"]],
  ["other", ["a.com", "b.com"]],
  ["", ["a.com", "b.com"]],
])("offers to a VirtualService of namespace %j %j", (namespace, expected) => {
  expect([...offered.commonWith(wanted, namespace)].sort()).toEqual(expected);
});
