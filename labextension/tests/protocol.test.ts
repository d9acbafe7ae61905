import { expect, test } from 'vitest';

import { parseMessage, parseMetadata } from '../src/protocol';

test('a message is known by its op and its fields', () => {
  const message = { op: 'append', id: 'c1', text: 'x' };
  expect(parseMessage(message)).toEqual(message);
});

test.each([
  [null],
  ['append'],
  [[]],
  [{}],
  [{ op: 'append', id: 'c1' }],
  [{ op: 'settle', id: 'c1' }],
  [{ op: 'something newer', id: 'c1' }],
  [{ op: 'toString' }]
])('%j is passed over', data => {
  expect(parseMessage(data)).toBeNull();
});

test('metadata is read back as it was written', () => {
  const meta = { run: '1f3a', step: 2, status: 'edited', proposed: 'x = 1' };
  expect(parseMetadata(meta)).toEqual(meta);
});

test('metadata somebody else wrote does no harm', () => {
  expect(parseMetadata({ status: 'accepted', step: 'two', run: 5 })).toEqual({
    run: '',
    step: 0,
    status: 'accepted'
  });
  expect(parseMetadata({ status: 'approved' })).toBeNull();
  expect(parseMetadata(undefined)).toBeNull();
});
