import { expect, test } from 'vitest';

import { lineDiff, renderDiff } from '../src/diff';

const text = (before: string, after: string): string[] =>
  lineDiff(before, after).map(line => line.sign + line.text);

test('a changed line is taken out and put in', () => {
  expect(text('a\nb\nc', 'a\nB\nc')).toEqual([' a', '-b', '+B', ' c']);
});

test('a line added at the end changes no other line', () => {
  expect(text('a', 'a\nb')).toEqual([' a', '+b']);
});

test('lines far from a change are left out', () => {
  expect(text('1\n2\n3\n4\n5\n6', '1\n2\n3\n4\n5\nsix')).toEqual(['…', ' 4', ' 5', '-6', '+six']);
});

test('blank lines count', () => {
  expect(text('a\n\nb', 'a\nb')).toEqual([' a', '-', ' b']);
});

test('signs are for the eye, words for the ear', () => {
  const node = renderDiff(lineDiff('a', 'b'));
  const spoken = Array.from(node.querySelectorAll('.jp-CodeAct-spoken'), n => n.textContent);
  expect(spoken).toEqual(['Proposed: ', 'Yours: ']);
});
