import type { Operation } from "../resources/gen/types.ts";
import { type ConditionLists, readLists } from "./condition-lists.ts";
import { parsePort, parseString } from "./condition-values.ts";
import { parsePath } from "./path-template.ts";
import { allOf, conditionOf, fieldList, type RuleScope, type TranslatedConditions } from "./rule-scope.ts";

/** Translates one `to[].operation`. @param field its place in the rule: `to[0].operation` @param path its place in the object */
export function translateOperation(
  operation: Operation,
  field: string,
  path: string,
  scope: RuleScope,
): TranslatedConditions {
  const lists = (name: OperationField, notName: NotOperationField): ConditionLists => ({
    field: `${field}.${name}`,
    values: fieldList(operation[name], path, name),
    notValues: fieldList(operation[notName], path, notName),
  });
  const { findings } = scope;
  const hosts = readLists(lists("hosts", "notHosts"), parseString, findings);
  const ports = readLists(lists("ports", "notPorts"), parsePort, findings);
  const methods = readLists(lists("methods", "notMethods"), parseString, findings);
  const paths = readLists(lists("paths", "notPaths"), parsePath, findings);
  return allOf([
    conditionOf(hosts, (compared) => ({ attribute: "host", ...compared })),
    conditionOf(ports, (compared) => ({ attribute: "destinationPort", ...compared })),
    conditionOf(methods, (compared) => ({ attribute: "method", ...compared })),
    conditionOf(paths, (compared) => ({ attribute: "path", ...compared })),
  ]);
}

type OperationField = "hosts" | "ports" | "methods" | "paths";
type NotOperationField = "notHosts" | "notPorts" | "notMethods" | "notPaths";

/** True when no field of the operation has a value. */
export function isEmptyOperation(operation: Operation): boolean {
  const { hosts, notHosts, ports, notPorts, methods, notMethods, paths, notPaths } = operation;
  const lists = [hosts, notHosts, ports, notPorts, methods, notMethods, paths, notPaths];
  return lists.every((list) => (list?.length ?? 0) === 0);
}
