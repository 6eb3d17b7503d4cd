import process from "node:process";
import type { Transport } from "@gatehouse/authz-server";

/** What carries the checks of a test that does not choose: what the variable TEST_TRANSPORT says, or the default. */
export function testTransport(): Transport {
  return process.env["TEST_TRANSPORT"] === "grpc-js" ? "grpc-js" : "lean";
}
