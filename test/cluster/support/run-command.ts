import { spawn } from "node:child_process";

/** How a command is run. */
export interface CommandOptions {
  /** Its standard input; default: none. */
  readonly input?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default 120 s. */
  readonly timeoutMs?: number;
}

/** Runs a command and resolves with its standard output. Rejects with what it wrote to standard error when it fails. */
export function runCommand(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { input = "", env = {}, timeoutMs = 120_000 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, timeout: timeoutMs, killSignal: "SIGKILL" });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const text = Buffer.concat(output).toString();
      if (code === 0) return resolve(text);
      const ending = signal === null ? `code ${code}` : `${signal}, after at most ${timeoutMs} ms`;
      const line = [command, ...args].join(" ").slice(0, 300);
      reject(new Error(`${line}\nended with ${ending}:\n${Buffer.concat(errors).toString()}${text}`.slice(0, 4000)));
    });
    // A command that ends before it has read everything must not end the test process.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
