import { describe } from "vitest";
import { checkServerContract } from "./check-server.contract.ts";

describe("the transport lean", () => checkServerContract("lean"));
