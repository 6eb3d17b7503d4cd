import { startGatehouse } from "../support/gatehouse.ts";
import { publicJwks } from "../support/jwt.ts";
import { requireJwtPolicies } from "./check-requests.ts";

/** Gatehouse standalone with the policy of the benchmark. Prints the port of ext_authz. */
const gatehouse = await startGatehouse({ policies: requireJwtPolicies(publicJwks("rsa-2048", "ec-p256", "ed25519")) });
process.stdout.write(`${gatehouse.checkPort}\n`);
process.once("SIGTERM", () => void gatehouse.stop().then(() => process.exit(0)));
