import { pino } from "pino";
import { Registry } from "prom-client";
import { expect, it } from "vitest";
import { createFakeClock } from "../../../test/support/fake-clock.ts";
import type { StatusChange } from "../conditions/status-changes.ts";
import type { ApiRequest, KubernetesApi } from "../kubernetes/api.ts";
import { createStatusMetrics } from "../telemetry/status-metrics.ts";
import { EventRecorder } from "./event-recorder.ts";

const CHANGE: StatusChange = {
  object: { key: "Gateway/foo/g", apiVersion: "networking.istio.io/v1", uid: "u", resourceVersion: "1" },
  type: "Warning",
  action: "Translate",
  reason: "Invalid",
  note: "bad",
};

it("counts what repeats into the series of the first event, written twice a minute at most", async () => {
  const clock = createFakeClock();
  const requests: ApiRequest[] = [];
  const api: KubernetesApi = {
    server: "https://test",
    request: async (request) => void requests.push(request),
    lines: () => {
      throw new Error("not asked for");
    },
  };
  const metrics = createStatusMetrics(new Registry());
  const log = pino({ level: "silent" });
  const recorder = new EventRecorder({ api, instance: "pod-0", clock, random: () => 0.5, metrics, log });
  for (let time = 0; time < 100; time++) recorder.record(CHANGE);
  expect(requests.map(({ method }) => method)).toEqual(["POST"]);
  await clock.advance(30_000);
  expect(requests.map(({ method }) => method)).toEqual(["POST", "PATCH"]);
  expect(requests[1]).toMatchObject({
    path: "/apis/events.k8s.io/v1/namespaces/foo/events/g.800000000000",
    contentType: "application/merge-patch+json",
    body: { series: { count: 100, lastObservedTime: "2030-01-01T00:00:30.000000Z" } },
  });
  await clock.advance(7 * 60_000);
  recorder.record(CHANGE);
  expect(requests.map(({ method }) => method)).toEqual(["POST", "PATCH", "POST"]);
  await recorder.stop();
});
