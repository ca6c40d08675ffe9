import { CHUNK, type LogModel } from '../../model/viewer_logs';
import { lookAfter, PLAIN, type ILook } from './ansi';

/** How each line of a log begins to look: as the one before has ended, also when that is not loaded. */
export class Looks {
  constructor(private readonly log: Pick<LogModel, 'line' | 'style'>) {}

  before(index: number): ILook {
    const chunk = Math.floor(index / CHUNK);
    const known = this.ofChunk(chunk);
    while (known.length <= index % CHUNK) {
      const line = this.log.line(chunk * CHUNK + known.length - 1);
      if (!line) {
        return PLAIN;
      }
      known.push(lookAfter(line[2], known[known.length - 1]));
    }
    return known[index % CHUNK];
  }

  private ofChunk(chunk: number): ILook[] {
    let known = this.known.get(chunk);
    if (!known) {
      const style = this.log.style(chunk);
      const last = this.log.line(chunk * CHUNK - 1);
      if (style === undefined && !last) {
        return [PLAIN];
      }
      known = [
        style !== undefined
          ? lookAfter(style)
          : lookAfter(last?.[2] ?? '', this.before(chunk * CHUNK - 1))
      ];
      this.known.set(chunk, known);
    }
    return known;
  }

  private readonly known = new Map<number, ILook[]>();
}
