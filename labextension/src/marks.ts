import { type Cell, CodeCell } from '@jupyterlab/cells';
import type { Notebook } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import { Panel, Widget } from '@lumino/widgets';

import { focusNotebook, metadataOf, removeCell } from './cells';
import { button, element } from './dom';
import { type Look, LOOK_CLASSES, lookOf } from './look';
import { Slot } from './slot';

/** Marks on the cells the agent wrote, made from what is saved in the notebook. */
export class Marks implements IDisposable {
  isDisposed = false;
  private readonly marks = new Map<Cell, Mark>();

  /** `isOpen`: a run holds this cell open, so that it has a bar instead of a mark. */
  constructor(
    private readonly notebook: Notebook,
    private readonly isOpen: (id: string) => boolean
  ) {
    this.refresh();
  }

  /** Follow the cells that came and went. */
  refresh(): void {
    const cells = new Set<Cell>(this.notebook.widgets);
    for (const [cell, mark] of this.marks) {
      if (!cells.has(cell)) {
        mark.dispose();
        this.marks.delete(cell);
      }
    }
    for (const cell of cells) {
      if (!this.marks.has(cell)) {
        this.marks.set(cell, new Mark(this.notebook, cell, this.isOpen));
      }
    }
  }

  /** Draw one cell again: it was opened or closed by a run. */
  redraw(cell: Cell): void {
    this.marks.get(cell)?.draw();
  }

  dispose(): void {
    this.isDisposed = true;
    this.marks.forEach(mark => mark.dispose());
    this.marks.clear();
  }
}

class Mark implements IDisposable {
  isDisposed = false;
  private drawn = '';
  private gutter: Widget | null = null;
  private note: Slot | null = null;

  constructor(
    private readonly notebook: Notebook,
    private readonly cell: Cell,
    private readonly isOpen: (id: string) => boolean
  ) {
    cell.model.metadataChanged.connect(this.draw, this);
    cell.model.stateChanged.connect(this.draw, this);
    this.draw();
  }

  draw(): void {
    const look = this.look();
    const key = JSON.stringify(look);
    if (this.isDisposed || key === this.drawn) {
      return;
    }
    this.drawn = key;
    this.clear();
    if (look) {
      this.cell.addClass(look.className);
      this.drawNote(look);
      void this.cell.ready.then(() => this.drawGutter(look, key));
    }
  }

  dispose(): void {
    this.isDisposed = true;
    if (!this.cell.isDisposed) {
      this.cell.model.metadataChanged.disconnect(this.draw, this);
      this.cell.model.stateChanged.disconnect(this.draw, this);
      this.clear();
    }
  }

  private look(): Look | null {
    const { cell } = this;
    const meta = metadataOf(cell);
    if (!meta || this.isOpen(cell.model.id)) {
      return null;
    }
    // A kernel that was restarted in the middle leaves outputs and no count. One that waits for its turn has `[*]`.
    const executed =
      cell instanceof CodeCell &&
      (cell.model.executionCount !== null ||
        cell.model.outputs.length > 0 ||
        cell.model.executionState === 'running');
    return lookOf(meta, executed, cell.model.type === 'code');
  }

  private clear(): void {
    LOOK_CLASSES.forEach(name => this.cell.removeClass(name));
    this.gutter?.dispose();
    this.gutter = null;
    this.note?.dispose();
    this.note = null;
  }

  private drawNote(look: Look): void {
    if (look.note === null) {
      return;
    }
    const { id } = this.cell.model;
    const node = element('div', 'jp-CodeAct-note');
    node.append(element('span', 'jp-CodeAct-noteText', look.note));
    if (look.removable) {
      node.append(button('Remove', () => this.remove(id), { title: 'Delete this cell' }));
    }
    this.note = new Slot(this.notebook, id, node);
  }

  private remove(id: string): void {
    removeCell(this.notebook, id);
    focusNotebook(this.notebook);
  }

  private drawGutter(look: Look, key: string): void {
    const wrapper = this.cell.isDisposed
      ? undefined
      : Array.from(this.cell.layout ?? []).find(w => w.hasClass('jp-Cell-inputWrapper'));
    if (this.isDisposed || this.drawn !== key || !(wrapper instanceof Panel)) {
      return;
    }
    const attributes = { role: 'img', 'aria-label': look.title, title: look.title };
    this.gutter = new Widget({ node: element('span', 'jp-CodeAct-mark', '', attributes) });
    wrapper.addWidget(this.gutter);
  }
}
