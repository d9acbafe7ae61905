import { expect, test } from 'vitest';

import { dotted, duration, tokensLong, tokensShort } from '../src/words';

test.each([
  [0, '0 tokens'],
  [1, '1 token'],
  [999, '999 tokens'],
  [1000, '1k tokens'],
  [1240, '1.2k tokens'],
  [12_345, '12.3k tokens'],
  [999_949, '999.9k tokens'],
  [999_950, '1M tokens'],
  [3_400_000, '3.4M tokens']
])('%d is short for %s', (count, words) => {
  expect(tokensShort(count)).toBe(words);
});

test('a count that grows is shown whole', () => {
  expect(tokensLong(1240)).toBe('1,240 tokens');
});

test.each([
  [-1, '0 s'],
  [3.9, '3 s'],
  [59.9, '59 s'],
  [125, '2 min 5 s'],
  [3840, '1 h 4 min']
])('%d seconds are %s', (seconds, words) => {
  expect(duration(seconds)).toBe(words);
});

test('what is empty leaves no dot behind', () => {
  expect(dotted('a', '', undefined, false, 'b')).toBe('a · b');
});
