import type { Workload } from "@gatehouse/protos";
import fc from "fast-check";
import { expect, it } from "vitest";
import { WorkloadDirectory } from "./workload-directory.ts";

function pod(name: string, ...addresses: readonly string[]): Workload {
  return {
    kind: "Workload",
    namespace: "foo",
    name,
    addresses,
    labels: [{ name: "app", value: name }],
    serviceAccount: "",
  };
}

function directoryOf(...pods: readonly Workload[]): WorkloadDirectory {
  const directory = new WorkloadDirectory();
  directory.apply(new Map(pods.map((workload) => [workload.name, workload])), []);
  return directory;
}

it("finds the pod behind each of its addresses, however they are written", () => {
  const directory = directoryOf(pod("a", "10.0.0.1", "fd00::1"), pod("b", "10.0.0.2"));
  for (const address of ["10.0.0.1", "::ffff:10.0.0.1", "fd00:0:0::1", "FD00::1"]) {
    expect(directory.at(address)).toMatchObject({ namespace: "foo", labels: "app=a" });
  }
  expect(directory.at("10.0.0.2")).toMatchObject({ labels: "app=b" });
});

it.each(["10.0.0.9", "", "10.0.0", "10.0.0.1:80", "no address"])("finds nobody behind %j", (address) => {
  expect(directoryOf(pod("a", "10.0.0.1")).at(address)).toBeUndefined();
});

it("finds nobody behind an address of two pods, until one of them is gone", () => {
  const directory = directoryOf(pod("a", "10.0.0.1"), pod("b", "10.0.0.1"));
  expect(directory.at("10.0.0.1")).toBeUndefined();
  directory.apply(new Map(), ["a"]);
  expect(directory.at("10.0.0.1")).toMatchObject({ labels: "app=b" });
});

it("knows, after any changes, what a directory knows that was made of what is left", () => {
  const names = fc.constantFrom("a", "b", "c", "d");
  const addresses = fc.uniqueArray(fc.constantFrom("10.0.0.1", "10.0.0.2", "10.0.0.3", "::1"), { maxLength: 3 });
  const change = fc.oneof(
    fc.record({ name: names, addresses }),
    names.map((name) => ({ name, addresses: null })),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const directory = new WorkloadDirectory();
      const left = new Map<string, Workload>();
      for (const { name, addresses: found } of changes) {
        if (found === null) left.delete(name);
        else left.set(name, pod(name, ...found));
        const workload = left.get(name);
        directory.apply(workload ? new Map([[name, workload]]) : new Map(), workload ? [] : [name]);
      }
      const fresh = directoryOf(...left.values());
      expect(directory.size).toBe(fresh.size);
      for (const address of ["10.0.0.1", "10.0.0.2", "10.0.0.3", "::1"]) {
        expect(directory.at(address)).toEqual(fresh.at(address));
      }
    }),
  );
});
