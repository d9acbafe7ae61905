import { beforeEach, expect, test, vi } from 'vitest';

import { ReviewBar } from '../src/bar';
import { lineDiff } from '../src/diff';

const calls = {
  onYes: vi.fn(),
  onReject: vi.fn(),
  onRunAll: vi.fn(),
  onStop: vi.fn(),
  onLeave: vi.fn()
};

function newBar(): ReviewBar {
  const bar = new ReviewBar({
    ...calls,
    label: "Agent's proposal, step 1",
    subject: 'step 1',
    usage: '1.2k tokens · $0.004',
    yes: { name: 'Run', title: 'Run this cell' }
  });
  document.body.append(bar.node);
  return bar;
}

const visible = (bar: ReviewBar): HTMLButtonElement[] =>
  Array.from(bar.node.querySelectorAll('button')).filter(b => !b.hidden);
const named = (bar: ReviewBar, name: string): HTMLButtonElement => {
  const found = visible(bar).find(b => b.firstChild?.textContent === name);
  if (!found) {
    throw new Error(`no button ${name}`);
  }
  return found;
};
const badge = (bar: ReviewBar): string | null | undefined =>
  bar.node.querySelector('.jp-CodeAct-badge')?.textContent;
const press = (node: Element, key: string): void => {
  node.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
};
const reasonOf = (bar: ReviewBar): HTMLInputElement => {
  const field = bar.node.querySelector('input');
  if (!field) {
    throw new Error('no field');
  }
  return field;
};

beforeEach(() => {
  document.body.replaceChildren();
  vi.clearAllMocks();
});

test('four answers, one of them in the tab order', () => {
  const bar = newBar();
  expect(visible(bar).map(b => b.textContent)).toEqual(['Run', 'Reject', 'Run all', 'Stop']);
  expect(visible(bar).map(b => b.tabIndex)).toEqual([0, -1, -1, -1]);
});

test('arrows go round the buttons', () => {
  const bar = newBar();
  named(bar, 'Run').focus();
  press(named(bar, 'Run'), 'ArrowLeft');
  expect(document.activeElement).toBe(named(bar, 'Stop'));
  press(named(bar, 'Stop'), 'Home');
  expect(document.activeElement).toBe(named(bar, 'Run'));
});

test('an edit shows, and an edit undone does not', () => {
  const bar = newBar();
  bar.setChanges(lineDiff('a', 'b'));
  expect(badge(bar)).toBe('Edited · step 1');
  named(bar, 'Show proposal').click();
  expect(bar.node.querySelectorAll('.jp-CodeAct-diffLine')).toHaveLength(2);
  bar.setChanges(null);
  expect(badge(bar)).toBe('Proposed · step 1');
  expect(bar.node.querySelector('.jp-CodeAct-diff')).toBeNull();
  expect(visible(bar)).toHaveLength(4);
});

test('a cell that is no code any more says what Run does', () => {
  const bar = newBar();
  bar.setChanges(null, false);
  expect(badge(bar)).toBe('No code cell now: Run makes it one again and runs it · step 1');
  named(bar, 'Run').click();
  expect(calls.onYes).toHaveBeenCalled();
  bar.setChanges(null, true);
  expect(badge(bar)).toBe('Proposed · step 1');
});

test('a reason is sent with Enter', () => {
  const bar = newBar();
  named(bar, 'Reject').click();
  const field = reasonOf(bar);
  expect(document.activeElement).toBe(field);
  field.value = ' too slow ';
  press(field, 'Enter');
  expect(calls.onReject).toHaveBeenCalledWith('too slow');
});

test('Escape in the reason keeps the cell and goes back to the button', () => {
  const bar = newBar();
  named(bar, 'Reject').click();
  press(reasonOf(bar), 'Escape');
  expect(calls.onReject).not.toHaveBeenCalled();
  expect(calls.onLeave).not.toHaveBeenCalled();
  expect(document.activeElement).toBe(named(bar, 'Reject'));
});

test('what is typed in the reason reaches nothing else', () => {
  const bar = newBar();
  const outside = vi.fn();
  bar.node.addEventListener('keydown', outside);
  named(bar, 'Reject').click();
  press(reasonOf(bar), 'x');
  expect(outside).not.toHaveBeenCalled();
});

test('once answered there is nothing to click', () => {
  const bar = newBar();
  bar.settle('Running');
  expect(badge(bar)).toBe('Running · step 1');
  expect(bar.node.querySelector<HTMLElement>('.jp-CodeAct-buttons')?.hidden).toBe(true);
});
