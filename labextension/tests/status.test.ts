import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { StatusMessage } from '../src/protocol';
import { StatusBar } from '../src/status';

const actions = { onStop: vi.fn(), onReviewEachStep: vi.fn() };
const message = (extra: Partial<StatusMessage> = {}): StatusMessage => ({
  op: 'status',
  run: '1f3a',
  cell: 'c0',
  state: 'thinking',
  text: 'Thinking',
  elapsed_s: 3,
  tokens: 1240,
  auto: false,
  ...extra
});
const text = (bar: StatusBar, name: string): string | null | undefined =>
  bar.node.querySelector(`.jp-CodeAct-${name}`)?.textContent;

let bar: StatusBar;

beforeEach(() => {
  vi.useFakeTimers();
  bar = new StatusBar(actions);
});

afterEach(() => {
  bar.dispose();
  vi.useRealTimers();
});

test('it ticks by itself, and says nothing aloud while it does', () => {
  bar.show(message());
  expect(text(bar, 'statusText')).toBe('Thinking · 3 s · 1,240 tokens');
  vi.advanceTimersByTime(2000);
  expect(text(bar, 'statusText')).toBe('Thinking · 5 s · 1,240 tokens');
  expect(text(bar, 'spoken')).toBe('Thinking');
});

test('Run all shows, and can be turned off', () => {
  bar.show(message({ auto: true }));
  expect(text(bar, 'statusText')).toContain('Run all is on');
  const review = bar.node.querySelectorAll('button')[1];
  expect(review?.hidden).toBe(false);
  review?.click();
  expect(actions.onReviewEachStep).toHaveBeenCalledOnce();
});

test('nothing ticks once it is gone', () => {
  bar.show(message());
  bar.dispose();
  expect(vi.getTimerCount()).toBe(0);
});
