import { expect, test } from 'vitest';

import { lookOf } from '../src/look';
import type { CellMetadata, CellStatus } from '../src/protocol';

const meta = (status: CellStatus, extra: Partial<CellMetadata> = {}): CellMetadata => ({
  run: '1f3a',
  step: 2,
  status,
  ...extra
});

test.each([
  ['accepted', true, 'jp-CodeAct-accepted', 'Written by the agent · run 1f3a · step 2', null],
  [
    'edited',
    true,
    'jp-CodeAct-accepted',
    'Written by the agent, edited by you · run 1f3a · step 2',
    null
  ],
  ['failed', true, 'jp-CodeAct-accepted', 'Written by the agent, failed · run 1f3a · step 2', null],
  [
    'proposed',
    false,
    'jp-CodeAct-unused',
    'Proposed by the agent, never run · run 1f3a · step 2',
    'Proposed, never run'
  ],
  [
    'proposed',
    true,
    'jp-CodeAct-accepted',
    'Written by the agent, stopped · run 1f3a · step 2',
    null
  ],
  [
    'stopped',
    false,
    'jp-CodeAct-unused',
    'Proposed by the agent, never run · run 1f3a · step 2',
    'Proposed, never run'
  ]
] as const)('%s, executed %s', (status, executed, className, title, note) => {
  const removable = note !== null;
  expect(lookOf(meta(status), executed, true)).toMatchObject({ className, title, note, removable });
});

test('a rejected cell says why and can be removed', () => {
  const look = lookOf(meta('rejected', { reason: 'too slow' }), false, false);
  expect(look).toMatchObject({ note: 'Rejected: too slow', removable: true });
  expect(look.className).toBe('jp-CodeAct-rejected');
});

test('a rejected cell she turned into code again is an ordinary cell once it ran', () => {
  expect(lookOf(meta('rejected'), false, true).className).toBe('jp-CodeAct-unused');
  expect(lookOf(meta('rejected'), true, true).className).toBe('jp-CodeAct-accepted');
});
