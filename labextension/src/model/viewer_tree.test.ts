import { expect, it } from 'vitest';

import { anAction } from '../../test/fake';
import { RowsModel } from './viewer_rows';
import { grow, NO_FILTER, rows } from './viewer_tree';

const ROOT = anAction({ name: 'a0', title: 'main', took: [0, 0] });

function few() {
  return [
    ROOT,
    anAction({ name: 'a2', parent: 'a0', title: 'check', phase: 'failed', took: [2, 2, 3] }),
    anAction({ name: 'a1', parent: 'a0', title: 'clean', took: [1, 1, 2] }),
    anAction({ name: 'a3', parent: 'a2', title: 'clean', took: [2, 2, 3] })
  ];
}

function aMap(size: number) {
  const items = Array.from({ length: size }, (_, i) =>
    anAction({
      name: `b${i}`,
      parent: 'a0',
      title: 'item',
      phase: i === 7 ? 'failed' : 'succeeded'
    })
  );
  return [ROOT, ...items];
}

const seen = (model: RowsModel) => model.rows().map(row => `${'.'.repeat(row.depth)}${row.key}`);

it('shows who has called what, in the order of time', () => {
  expect(seen(new RowsModel(few))).toEqual(['a0', '.a1', '.a2', '..a3']);
});

it('shows the calls of a map as one row, which can be opened', () => {
  const actions = aMap(10_000);
  const model = new RowsModel(() => actions);
  expect(seen(model)).toEqual(['a0', '.a0/item']);
  expect(model.rows()[1]).toMatchObject({ size: 10_000, counts: { failed: 1, succeeded: 9_999 } });
  model.toggle(model.rows()[1]);
  expect(model.rows()).toHaveLength(10_002);
  expect(model.rows()[3]).toMatchObject({ key: 'b1', depth: 2, position: 2, siblings: 10_000 });
});

it('shows what a filter lets through, with those that have called it, and opens maps', () => {
  const actions = aMap(10_000);
  const model = new RowsModel(() => actions);
  model.filter = { text: '', phases: new Set(['failed']) };
  expect(seen(model)).toEqual(['a0', '.b7']);
  expect(model.found()).toBe(1);
  model.filter = { text: 'ITEM', phases: new Set() };
  expect(model.rows()).toHaveLength(10_002);
});

it('opens what hides an action that is selected elsewhere', () => {
  const actions = aMap(100);
  const model = new RowsModel(() => actions);
  model.select('b42');
  expect(model.selected).toBe('b42');
  expect(model.rows()[model.index()].key).toBe('b42');
});

it('is walked through with the arrow keys', () => {
  const actions = few();
  const model = new RowsModel(() => actions);
  const at = () => model.cursor;
  model.move(2);
  expect(at()).toBe('a2');
  model.into();
  expect(at()).toBe('a3');
  model.out();
  expect(at()).toBe('a2');
  model.out();
  expect(seen(model)).toEqual(['a0', '.a1', '.a2']);
  model.into();
  expect(seen(model)).toEqual(['a0', '.a1', '.a2', '..a3']);
  model.move(100);
  expect(at()).toBe('a3');
});

it('shows at the top what was called by nobody who is known', () => {
  const orphan = anAction({ name: 'a9', parent: 'gone' });
  expect(rows(grow([orphan]), new Set(), NO_FILTER).map(row => row.depth)).toEqual([0]);
});
