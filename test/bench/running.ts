/** Something that runs until it is stopped. */
interface Part {
  stop(): Promise<void> | void;
}

/** What was started, and how to end all of it. */
export class Running {
  readonly #parts: Part[] = [];

  /** Notes a part that starts. */
  async add<Kind extends Part>(starting: Promise<Kind>): Promise<Kind> {
    const part = await starting;
    this.#parts.push(part);
    return part;
  }

  async stop(): Promise<void> {
    for (const part of this.#parts.splice(0)) await part.stop();
  }
}
