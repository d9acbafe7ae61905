import { diffLines } from 'diff';

import { element, OWN_KEYS } from './dom';

export interface DiffLine {
  /** Minus: the agent's, taken out. Plus: hers. Dots: unchanged lines left out. */
  sign: '-' | '+' | ' ' | '…';
  text: string;
}

/** Changed lines of `after` against `before`, with `context` unchanged lines round them. */
export function lineDiff(before: string, after: string, context = 2): DiffLine[] {
  // Without a last newline the last line would differ from the same line with one.
  const lines = diffLines(`${before}\n`, `${after}\n`).flatMap(part => {
    const sign: DiffLine['sign'] = part.added ? '+' : part.removed ? '-' : ' ';
    return part.value
      .replace(/\n$/, '')
      .split('\n')
      .map((text): DiffLine => ({ sign, text }));
  });
  return fold(lines, context);
}

function fold(lines: DiffLine[], context: number): DiffLine[] {
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - context), at + context + 1).some(line => line.sign !== ' ')
  );
  return lines.flatMap((line, at): DiffLine[] => {
    if (near[at]) {
      return [line];
    }
    return at === 0 || near[at - 1] ? [{ sign: '…', text: '' }] : [];
  });
}

const SPOKEN: Partial<Record<DiffLine['sign'], string>> = { '-': 'Proposed: ', '+': 'Yours: ' };
const KIND: Record<DiffLine['sign'], string> = {
  '-': 'removed',
  '+': 'added',
  ' ': 'same',
  '…': 'folded'
};

/** The diff as a node: signs as well as colours, and words for screen readers. */
export function renderDiff(lines: DiffLine[]): HTMLElement {
  const node = element('div', 'jp-CodeAct-diff', '', {
    role: 'group',
    'aria-label': 'Your changes to the proposal',
    tabindex: '0',
    ...OWN_KEYS
  });
  for (const line of lines) {
    const row = element('div', `jp-CodeAct-diffLine jp-CodeAct-${KIND[line.sign]}`);
    row.append(
      element('span', 'jp-CodeAct-diffSign', line.sign, { 'aria-hidden': 'true' }),
      element('span', 'jp-CodeAct-spoken', SPOKEN[line.sign] ?? ''),
      element('span', 'jp-CodeAct-diffText', line.text)
    );
    node.append(row);
  }
  return node;
}
