import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';

import { addCommands } from './commands';
import { AgentSession } from './session';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-codeact:plugin',
  description: "Shows the agent's cells, their review bar and the status line of a run.",
  autoStart: true,
  requires: [INotebookTracker, IEditorLanguageRegistry],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    languages: IEditorLanguageRegistry,
    palette: ICommandPalette | null
  ): void => {
    const sessions = new WeakMap<NotebookPanel, AgentSession>();
    const open = (panel: NotebookPanel): void => {
      void panel.context.ready.then(() => {
        if (!panel.isDisposed && !sessions.has(panel)) {
          sessions.set(panel, new AgentSession(panel, languages));
        }
      });
    };
    tracker.forEach(open);
    tracker.widgetAdded.connect((_, panel) => open(panel));
    addCommands(app.commands, palette, () =>
      tracker.currentWidget ? sessions.get(tracker.currentWidget) : undefined
    );
  }
};

export default plugin;
