/** The controller can't start; the message is one line for the person who started it: what, where, what to do. */
export class StartError extends Error {
  readonly code: "BAD_OPTION" | "ADDRESS_IN_USE" | "CANNOT_LISTEN" | "BAD_MESH_CONFIG" | "BAD_SOURCE" | "NO_API_ACCESS";

  constructor(code: StartError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartError";
    this.code = code;
  }
}
