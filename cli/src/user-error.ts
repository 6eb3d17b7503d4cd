/** Something the person at the command line can put right. Each problem is one line: what, where, what to do. */
export class UserError extends Error {
  readonly code: "user_error" = "user_error";
  readonly problems: readonly string[];
  /** 2 for wrong usage, 1 for everything else. */
  readonly exitCode: 1 | 2;

  constructor(problems: readonly string[], exitCode: 1 | 2, options?: ErrorOptions) {
    super(problems.join("\n"), options);
    this.name = "UserError";
    this.problems = problems;
    this.exitCode = exitCode;
  }
}
