/** The same choice for every node, as `choices` of a backend. */
export class Always extends Map<string, string> {
  constructor(readonly way: string) {
    super();
  }
  override get(): string {
    return this.way;
  }
  /** What backends are told apart by. */
  toJSON(): string {
    return this.way;
  }
}
