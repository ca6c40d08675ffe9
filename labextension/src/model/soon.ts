/** Calls a function once for all that is asked for within some milliseconds; nothing after `cancel`. */
export class Soon {
  constructor(
    private readonly call: () => void,
    private readonly within = 50
  ) {}

  ask(): void {
    if (this.timer === undefined) {
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.call();
      }, this.within);
    }
  }

  cancel(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private timer: ReturnType<typeof setTimeout> | undefined;
}
