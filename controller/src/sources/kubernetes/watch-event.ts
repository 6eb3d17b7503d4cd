import { fieldOf } from "../../kubernetes/field-of.ts";

/** One line of a watch. */
export type WatchEvent =
  | { readonly kind: "changed"; readonly object: unknown; readonly resourceVersion: string }
  | { readonly kind: "deleted"; readonly object: unknown; readonly resourceVersion: string }
  /** Nothing happened up to here. */
  | { readonly kind: "bookmark"; readonly resourceVersion: string }
  /** The API server gives the watch up. */
  | { readonly kind: "error"; readonly status: number | null; readonly message: string }
  /** Half a line, something that is no JSON, or an event of no known type. */
  | { readonly kind: "unreadable" };

/** Reads a line of a watch. Never throws. */
export function parseWatchEvent(line: string): WatchEvent {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    return { kind: "unreadable" };
  }
  const type = fieldOf(event, "type");
  const object = fieldOf(event, "object");
  if (type === "ERROR") return errorEvent(object);
  const resourceVersion = fieldOf(fieldOf(object, "metadata"), "resourceVersion");
  if (typeof resourceVersion !== "string" || resourceVersion === "") return { kind: "unreadable" };
  switch (type) {
    case "ADDED":
    case "MODIFIED":
      return { kind: "changed", object, resourceVersion };
    case "DELETED":
      return { kind: "deleted", object, resourceVersion };
    case "BOOKMARK":
      return { kind: "bookmark", resourceVersion };
    default:
      return { kind: "unreadable" };
  }
}

/** The object of an ERROR event is a Status. */
function errorEvent(status: unknown): WatchEvent {
  const code = fieldOf(status, "code");
  const reason = fieldOf(status, "reason");
  const isExpired = reason === "Expired" || reason === "Gone";
  return {
    kind: "error",
    status: typeof code === "number" ? code : isExpired ? 410 : null,
    message: typeof reason === "string" ? reason : "an ERROR event without a reason",
  };
}
