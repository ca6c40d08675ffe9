import * as React from 'react';

import { momentWord, place, ticks, type IRange } from '../timeline/scale';
import { useSize } from '../timeline/surface';

const LEFT = 64;
const BOTTOM = 20;
const TOP = 8;
const HEIGHT = 150;

/** Something that was measured over time, with lines for what was asked for and what is allowed at most. */
export interface IChart {
  title: string;
  points: readonly (readonly [at: number, value: number])[];
  time: IRange;
  lines: readonly { name: string; value: number; isLimit: boolean }[];
  isBytes: boolean;
  word: (value: number) => string;
  /** What there is to be seen, in words. */
  summary: string;
}

/** From nothing to a little above the highest of all that is drawn. */
export function heights({ points, lines }: Pick<IChart, 'points' | 'lines'>): IRange {
  const values = [...points.map(([, value]) => value), ...lines.map(({ value }) => value)];
  const most = Math.max(0, ...values);
  return { from: 0, to: most > 0 ? most * 1.15 : 1 };
}

/** A chart as SVG; those who do not see it get its summary. */
export function Chart(props: IChart): JSX.Element {
  const { points, time, lines, word } = props;
  const box = React.useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const wide = Math.max(0, width - LEFT - 8);
  const high = HEIGHT - TOP - BOTTOM;
  const range = heights(props);
  const x = (at: number) => LEFT + place(at, time, wide);
  const y = (value: number) => TOP + high - place(value, range, high);
  const seconds = { from: 0, to: time.to - time.from };
  const times = ticks(seconds, wide / 110);
  const path = points.map(([at, value], i) => `${i ? 'L' : 'M'}${x(at)} ${y(value)}`).join('');
  const last = points[points.length - 1];
  const area = last ? `${path}L${x(last[0])} ${y(0)}L${x(points[0][0])} ${y(0)}Z` : '';
  return (
    <figure className="flyte-Chart" ref={box}>
      <figcaption>
        <strong>{props.title}</strong> <span className="flyte-Muted">{props.summary}</span>
      </figcaption>
      <svg width={width} height={HEIGHT} role="img" aria-label={`${props.title}: ${props.summary}`}>
        {ticks(range, 4, props.isBytes).map(value => (
          <g key={value}>
            <line
              className="flyte-Chart-grid"
              x1={LEFT}
              x2={LEFT + wide}
              y1={y(value)}
              y2={y(value)}
            />
            <text x={LEFT - 6} y={y(value)} dy="0.32em" textAnchor="end">
              {word(value)}
            </text>
          </g>
        ))}
        {times.map(at => (
          <text key={at} x={x(time.from + at)} y={HEIGHT - 5} textAnchor="middle">
            {momentWord(at, times.length > 1 ? times[1] - times[0] : 1)}
          </text>
        ))}
        <path className="flyte-Chart-area" d={area} />
        <path className="flyte-Chart-line" d={path} />
        {points.length === 1 && <circle cx={x(points[0][0])} cy={y(points[0][1])} r={3} />}
        {lines.map(({ name, value, isLimit }) => (
          <g key={name} className={isLimit ? 'flyte-Chart-limit' : 'flyte-Chart-request'}>
            <line x1={LEFT} x2={LEFT + wide} y1={y(value)} y2={y(value)} />
            <text x={LEFT + wide - 4} y={y(value) - 4} textAnchor="end">
              {name} {word(value)}
            </text>
          </g>
        ))}
      </svg>
    </figure>
  );
}
