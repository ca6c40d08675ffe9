import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { CommandIDs } from '../commands';
import { DEFAULTS } from './settings';

const schema = JSON.parse(readFileSync('schema/plugin.json', 'utf8')) as {
  properties: Record<string, { default: unknown; title: string; description: string }>;
};

test('what holds without settings is what the schema says', () => {
  const said = Object.entries(schema.properties).map(([name, { default: value }]) => [name, value]);
  expect(Object.fromEntries(said)).toEqual(DEFAULTS);
});

test('each command that the schema names is one of ours', () => {
  const named = JSON.stringify(schema).match(/flyte:[a-z-]+/g) ?? [];
  expect(named.filter(id => !Object.values(CommandIDs).some(known => known === id))).toEqual([]);
});
