import { expect, test } from "vitest";
import { parseListener } from "./listener-identity.ts";

test("reads port, namespace, labels and gateways", () => {
  expect(parseListener("9101=foo/app=httpbin,version=v1;gateways=foo/a,bar/b", "0.0.0.0")).toEqual({
    ok: true,
    listener: {
      address: "0.0.0.0:9101",
      identity: {
        namespace: "foo",
        labels: [
          { name: "app", value: "httpbin" },
          { name: "version", value: "v1" },
        ],
        gateways: ["foo/a", "bar/b"],
      },
    },
  });
});

test.each([
  ["127.0.0.1:9101=foo/", "127.0.0.1:9101"],
  ["[::1]:9101=foo/", "[::1]:9101"],
  ["unix:/run/check.sock=foo/", "unix:/run/check.sock"],
])("takes %s as address %s without labels", (text, address) => {
  expect(parseListener(text, "0.0.0.0")).toEqual({
    ok: true,
    listener: { address, identity: { namespace: "foo", labels: [], gateways: [] } },
  });
});

test.each([
  ["9101", "no workload"],
  ["x=foo/app=a", "not a port"],
  ["70000=foo/app=a", "not a port"],
  ["9101=foo", "not NAMESPACE/LABELS"],
  ["9101=Foo/app=a", "not a namespace"],
  ["9101=/app=a", "not a namespace"],
  ["9101=foo/app", "not NAME=VALUE"],
  ["9101=foo/app=a;gateway=foo/a", "is not known"],
  ["9101=foo/app=a;gateways=a", "not NAMESPACE/NAME"],
])("refuses %s: %s", (text, why) => {
  const parsed = parseListener(text, "0.0.0.0");
  expect(parsed).toEqual({ ok: false, message: expect.stringContaining(why) });
});
