import { expect, it } from "vitest";
import { prepareFault } from "./fault.ts";

const REF = { kind: "VirtualService", namespace: "foo", name: "vs" } as const;
const abort = (percentage: number) => ({ status: 418, percentage });
const delay = (percentage: number) => ({ delayMs: 250.4, percentage });

it.each([
  ["nothing", { abort: null, delay: null }, 0, "headers:"],
  ["below the percentage", { abort: abort(50), delay: null }, 0.499, "418 fault filter abort"],
  ["from the percentage on", { abort: abort(50), delay: null }, 0.5, "headers:"],
  ["never at 0", { abort: abort(0), delay: delay(0) }, 0, "headers:"],
  ["always at 100", { abort: abort(100), delay: null }, 0.999_999, "418 fault filter abort"],
  ["a delay in whole milliseconds", { abort: null, delay: delay(100) }, 0.5, "headers:x-envoy-fault-delay-request=250"],
  ["an abort before a delay", { abort: abort(100), delay: delay(100) }, 0, "418 fault filter abort"],
])("injects %s", (_name, fault, random, expected) => {
  const outcome = prepareFault(fault, REF)?.(() => random);
  const text =
    outcome?.kind === "respond"
      ? `${outcome.status} ${outcome.body}`
      : `headers:${outcome?.headers.map(({ name, value }) => `${name}=${value}`).join()}`;
  expect(text).toBe(expected);
});

it("is nothing without a fault", () => expect(prepareFault(null, REF)).toBe(null));
