import { expect, it } from 'vitest';

import { anAction } from '../../../test/fake';
import { barAt, pack, parts, since, spanOf } from './layout';

const lanes = (actions: Parameters<typeof pack>[0]) =>
  Object.fromEntries(pack(actions).bars.map(bar => [bar.action.name, bar.lane]));

it('puts what is called below its caller, and one after the other into the same lane', () => {
  const actions = [
    anAction({ name: 'a0', took: [0, 0, 10] }),
    anAction({ name: 'a1', parent: 'a0', took: [1, 1, 3] }),
    anAction({ name: 'a2', parent: 'a0', took: [2, 2, 4] }),
    anAction({ name: 'a3', parent: 'a0', took: [3, 3, 5] }),
    anAction({ name: 'a4', parent: 'a3', took: [3.5, 3.5, 4] })
  ];
  expect(lanes(actions)).toEqual({ a0: 0, a1: 1, a2: 2, a3: 1, a4: 3 });
});

it('leaves the lane to one that goes on', () => {
  const actions = [
    anAction({ name: 'a1', took: [0, 0] }),
    anAction({ name: 'a2', took: [5, 5, 6] })
  ];
  expect(lanes(actions)).toEqual({ a1: 0, a2: 1 });
});

it('packs many by the time that they ran, and counts those that wait', () => {
  const many = Array.from({ length: 10_000 }, (_, i) =>
    anAction({
      name: `a${i}`,
      parent: 'root',
      took: i < 9_000 ? [0, Math.floor(i / 4), Math.floor(i / 4) + 1] : [0]
    })
  );
  const layout = pack(many);
  expect(layout.byLane).toHaveLength(4);
  expect(layout.waiting).toBe(1000);
});

it('begins when the run was submitted, also among many', () => {
  const root = anAction({ name: 'a0', took: [5, 6, 9] });
  const others = Array.from({ length: 300 }, (_, i) =>
    anAction({ name: `a${i + 1}`, parent: 'a0', took: [7, 7, 8] })
  );
  const layout = pack(since(2, [root, ...others]));
  expect([layout.start, layout.bars[0].action.name]).toEqual([2, 'a0']);
  expect(parts(layout.bars[0].action, 9)[0]).toMatchObject({ look: 'queued', start: 2 });
  expect(since(undefined, [root])).toEqual([root]);
});

it('is in parts: waiting, and each attempt as what became of it', () => {
  const history = [
    { phase: 'queued', at: 0, attempt: 0, step: '' },
    { phase: 'running', at: 1, attempt: 0, step: '' },
    { phase: 'queued', at: 2, attempt: 1, step: '' },
    { phase: 'running', at: 4, attempt: 1, step: '' },
    { phase: 'succeeded', at: 6, attempt: 1, step: '' }
  ] as const;
  const action = anAction({ phase: 'succeeded', attempt: 1, history: [...history] });
  expect(parts(action, 9).map(part => [part.look, part.start, part.end])).toEqual([
    ['queued', 0, 1],
    ['failed', 1, 2],
    ['queued', 2, 4],
    ['succeeded', 4, 6]
  ]);
  expect(spanOf(action, 9)).toEqual([1, 6]);
  expect(spanOf(anAction({ took: [0, 3] }), 9)).toEqual([3, 9]);
});

it('finds the bar at a place, also one that is too short to be hit', () => {
  const layout = pack([
    anAction({ name: 'a1', took: [0, 0, 1] }),
    anAction({ name: 'a2', took: [5, 5, 5] })
  ]);
  expect(barAt(layout, 0, 0.5, 0)?.action.name).toBe('a1');
  expect(barAt(layout, 0, 3, 0.5)).toBeUndefined();
  expect(barAt(layout, 0, 4.8, 0.5)?.action.name).toBe('a2');
  expect(barAt(layout, 7, 0.5, 0)).toBeUndefined();
});
