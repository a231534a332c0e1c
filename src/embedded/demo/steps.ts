/** Shows the steps of the demo: a tick with its duration, and notes below. */
import { style, type Terminal } from '../../terminal/style.ts';

export interface Steps {
  /** Runs one step; `say` shows its progress. */
  step<Value>(title: string, work: (say: (what: string) => void) => Promise<Value>): Promise<Value>;
  /** A line below the last step. */
  note(text: string): void;
  chapter(title: string): void;
}

export function createSteps(terminal: Terminal): Steps {
  return {
    async step(title, work) {
      const since = Date.now();
      let said = '';
      if (terminal.interactive) terminal.progress(title);
      const say = (what: string): void => {
        if (what === said) return;
        said = what;
        terminal.progress(terminal.interactive ? `${title} · ${what}` : `    ${what}`);
      };
      try {
        const value = await work(say);
        terminal.line(
          `  ${style('green', '✔')} ${title} ${style('dim', `${((Date.now() - since) / 1000).toFixed(1)} s`)}`,
        );
        return value;
      } catch (error) {
        terminal.line(`  ${style('red', '✘')} ${title}`);
        throw error;
      }
    },
    note: (text) => terminal.line(`    ${style('dim', text)}`),
    chapter: (title) => terminal.line(`\n${style('bold', title)}`),
  };
}
