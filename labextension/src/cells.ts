/** Cells of a notebook, always found by id: never by index, which moves, nor by text, which she edits. */

import type { ISharedCell, ISharedNotebook } from '@jupyter/ydoc';
import type { Cell } from '@jupyterlab/cells';
import { type Notebook, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';

import { type CellMetadata, METADATA_KEY, parseMetadata } from './protocol';

export function findCell(notebook: Notebook, id: string): Cell | undefined {
  return notebook.widgets.find(cell => cell.model.id === id);
}

/** A new empty code cell after cell `after`, or at the end where that cell is gone. One step of undo. */
export function insertCodeCell(
  notebook: Notebook,
  after: string,
  id: string,
  metadata: CellMetadata
): Cell | undefined {
  const shared = notebook.model?.sharedModel;
  if (!shared) {
    return undefined;
  }
  const index = shared.cells.findIndex(cell => cell.getId() === after);
  asOwnUndoStep(shared, () => {
    shared.insertCell(index < 0 ? shared.cells.length : index + 1, {
      cell_type: 'code',
      id,
      source: '',
      metadata: { [METADATA_KEY]: { ...metadata } }
    });
  });
  return findCell(notebook, id);
}

export function removeCell(notebook: Notebook, id: string): void {
  const shared = notebook.model?.sharedModel;
  const index = shared?.cells.findIndex(cell => cell.getId() === id) ?? -1;
  if (shared && index >= 0) {
    asOwnUndoStep(shared, () => shared.deleteCell(index));
  }
}

/** Take back an insertion that came to nothing; there is nothing of hers in it to bring back. */
export function withdrawCell(notebook: Notebook, id: string): void {
  const shared = notebook.model?.sharedModel;
  const index = shared?.cells.findIndex(cell => cell.getId() === id) ?? -1;
  if (shared && index >= 0) {
    shared.transact(() => shared.deleteCell(index), false);
  }
}

/**
 * Turn a cell into a code cell or a raw one, with the same id and source.
 *
 * A raw cell is what every runner of notebooks skips: Run All here, nbclient, papermill. Tags are
 * heeded by some of them only, and commenting the code out would change what the agent wrote. She
 * can turn it back into code with the cell type menu, or with Undo.
 */
export function changeType(notebook: Notebook, id: string, type: 'code' | 'raw'): void {
  const shared = notebook.model?.sharedModel;
  const cell = shared?.cells.find(other => other.getId() === id);
  if (!shared || !cell || cell.cell_type === type) {
    return;
  }
  const wasActive = notebook.activeCell?.model.id === id;
  const hadFocus = findCell(notebook, id)?.node.contains(document.activeElement);
  const { source, metadata } = cell.toJSON();
  const index = shared.cells.indexOf(cell);
  asOwnUndoStep(shared, () =>
    shared.transact(() => {
      shared.deleteCell(index);
      shared.insertCell(index, { cell_type: type, id, source, metadata: { ...metadata } });
    })
  );
  if (wasActive) {
    notebook.activeCellIndex = index;
  }
  if (hadFocus) {
    focusNotebook(notebook);
  }
}

/** Change a cell without leaving a step for undo. */
export function untracked(cell: Cell, change: (shared: ISharedCell) => void): void {
  const shared = cell.model.sharedModel;
  shared.transact(() => change(shared), false);
}

export function setSource(cell: Cell, source: string): void {
  if (cell.model.sharedModel.getSource() !== source) {
    untracked(cell, shared => shared.setSource(source));
  }
}

export function appendSource(cell: Cell, text: string): void {
  untracked(cell, shared => {
    const end = shared.getSource().length;
    shared.updateSource(end, end, text);
  });
}

export function metadataOf(cell: Cell): CellMetadata | null {
  return parseMetadata(cell.model.getMetadata(METADATA_KEY));
}

export function deleteMetadata(cell: Cell): void {
  untracked(cell, () => cell.model.deleteMetadata(METADATA_KEY));
}

export function setMetadata(cell: Cell, metadata: CellMetadata): void {
  untracked(cell, () => cell.model.setMetadata(METADATA_KEY, { ...metadata }));
}

/** Whether she is writing in some cell other than `id`: then focus and selection are hers. */
export function isTypingElsewhere(notebook: Notebook, id: string): boolean {
  const active = notebook.activeCell;
  return (
    notebook.mode === 'edit' &&
    !!active &&
    active.model.id !== id &&
    // Edit mode outlives the editor's focus, after an answer to input() for one.
    !!active.editor?.hasFocus() &&
    active.model.sharedModel.getSource().trim() !== ''
  );
}

/** Make a cell the active one, in command mode and in view. Focus moves only where the notebook had it. */
export function selectCell(notebook: Notebook, id: string): void {
  const index = notebook.widgets.findIndex(cell => cell.model.id === id);
  if (index < 0) {
    return;
  }
  const hadFocus = notebook.node.contains(document.activeElement);
  notebook.deselectAll();
  notebook.activeCellIndex = index;
  notebook.mode = 'command';
  if (hadFocus) {
    focusNotebook(notebook);
  }
  void showCell(notebook, id);
}

/** Scroll to a cell without selecting it. */
export async function showCell(notebook: Notebook, id: string): Promise<void> {
  const index = notebook.widgets.findIndex(cell => cell.model.id === id);
  if (index >= 0) {
    // Rejected where the notebook is closed or scrolled elsewhere meanwhile.
    await notebook.scrollToItem(index, 'smart').catch(() => undefined);
  }
}

/**
 * Put the focus on the active cell, in command mode.
 *
 * To be called before the button that had it leaves: a hidden button drops the focus on the page.
 */
export function focusNotebook(notebook: Notebook): void {
  const cell = notebook.activeCell;
  const node = cell?.node ?? notebook.node;
  node.focus({ preventScroll: true });
  if (document.activeElement !== node) {
    // A cell that has just been inserted may not take the focus yet.
    void cell?.ready.then(() => {
      const { activeElement } = document;
      const isFree =
        activeElement === document.body || notebook.widgets.some(w => w.node === activeElement);
      if (isFree && cell === notebook.activeCell && notebook.mode === 'command') {
        node.focus({ preventScroll: true });
      }
    });
  }
}

/** Run one cell as JupyterLab does, without taking her out of the cell she is writing in. */
export function runCell(panel: NotebookPanel, cell: Cell): void {
  const notebook = panel.content;
  const typing =
    isTypingElsewhere(notebook, cell.model.id) && notebook.node.contains(document.activeElement);
  NotebookActions.runCells(notebook, [cell], panel.sessionContext).catch((reason: unknown) => {
    console.error('jupyter_codeact: the cell could not be run', reason);
  });
  if (typing) {
    notebook.mode = 'edit';
  }
}

/** What of Yjs's is behind a notebook's undo. */
interface UndoManager {
  stopCapturing(): void;
  on(event: 'stack-item-popped', heard: (event: { type: 'undo' | 'redo' }) => void): void;
}

/** Call `heard` when Undo has changed the cells, before those who wait for the end of the change hear of it. */
export function onUndo(notebook: Notebook, heard: () => void): void {
  const { undoManager } = (notebook.model?.sharedModel ?? {}) as { undoManager?: UndoManager };
  undoManager?.on('stack-item-popped', ({ type }) => {
    if (type === 'undo') {
      heard();
    }
  });
}

function asOwnUndoStep(shared: ISharedNotebook, change: () => void): void {
  // Yjs joins changes within half a second into one step: hers and the agent's must stay apart.
  const { undoManager } = shared as { undoManager?: UndoManager };
  undoManager?.stopCapturing();
  change();
  undoManager?.stopCapturing();
}
