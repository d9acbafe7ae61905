import type { ICellModel } from '@jupyterlab/cells';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { Notebook } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';

/** What JupyterLab's own Markdown cells are edited as. */
const PROSE = 'text/x-ipythongfm';
const PROMPT = /^\s*%%agent(?![\w?])/;

/** A cell's model, as what changes in it passes it on. */
interface Text {
  mimeType: string;
  readonly sharedModel: { getSource(): string };
}

/** Prompts are prose: without this they are edited and coloured as Python, like every code cell. */
export class Prompts implements IDisposable {
  isDisposed = false;
  private readonly watched = new Set<ICellModel>();

  constructor(
    private readonly notebook: Notebook,
    private readonly languages: IEditorLanguageRegistry
  ) {
    this.refresh();
  }

  /** The notebook's cells changed. */
  refresh(): void {
    for (const { model } of this.notebook.widgets) {
      if (model.type === 'code' && !this.watched.has(model)) {
        this.watched.add(model);
        model.contentChanged.connect(this.show, this);
        model.mimeTypeChanged.connect(this.show, this);
        this.show(model);
      }
    }
    for (const model of this.watched) {
      if (model.isDisposed) {
        this.watched.delete(model);
      }
    }
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.isDisposed = true;
    for (const model of this.watched) {
      model.contentChanged.disconnect(this.show, this);
      model.mimeTypeChanged.disconnect(this.show, this);
      if (model.mimeType === PROSE) {
        model.mimeType = this.notebook.codeMimetype;
      }
    }
    this.watched.clear();
  }

  private show(model: Text): void {
    const { codeMimetype } = this.notebook;
    if (!isPrompt(model)) {
      if (model.mimeType === PROSE) {
        model.mimeType = codeMimetype;
      }
    } else if (model.mimeType !== PROSE) {
      // An editor takes the language that is loaded last, which need not be the one that it was given last.
      void this.languages.getLanguage(codeMimetype).then(() => {
        if (!this.isDisposed && isPrompt(model)) {
          model.mimeType = PROSE;
        }
      });
    }
  }
}

function isPrompt(model: Text): boolean {
  return PROMPT.test(model.sharedModel.getSource());
}
