/** `codex-k8s demo`: an issue, a pull request, a review and a merge, step by step, on a running `up` or a stack of its own. */
import { readFileSync } from 'node:fs';
import { agentEnvironment } from '../../app/agent/agent-command.ts';
import type { AgentCliName } from '../../domain/stages/clis.ts';
import { createTerminal, style, type Terminal } from '../../terminal/style.ts';
import { findUp, resolveDataDirectory } from '../data-directory.ts';
import { secretFile } from '../secrets.ts';
import { startStack } from '../start.ts';
import type { UpOptions } from '../up.ts';
import { createSteps } from './steps.ts';
import { tellStory, type StoryEnd } from './story.ts';

/** Returns the exit code. */
export async function demo(
  { data, runtime, self, agent }: Pick<UpOptions, 'data' | 'runtime' | 'self'> & { agent?: AgentCliName },
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const terminal = createTerminal();
  const since = Date.now();
  const directory = resolveDataDirectory(data, env);
  const running = findUp(directory);
  terminal.line(style('bold', 'codex-k8s: a labelled issue becomes a pull request, is reviewed, revised and merged'));
  const stack = running
    ? undefined
    : await startStack({
        data,
        runtime,
        self,
        env,
        report: terminal.progress,
        path: agentEnvironment(env)['PATH'] ?? '',
      }).finally(terminal.done);
  const ready = running ?? stack?.ready;
  if (!ready) throw new Error('the stack did not become ready');
  terminal.line(`  dashboard ${ready.url}   GitHub ${ready.githubUrl}   Temporal Web ${ready.temporalUi}`);
  if (ready.kubeconfig !== undefined) terminal.line(`  agents on Kubernetes: KUBECONFIG=${ready.kubeconfig}`);
  const interrupted = stack?.untilStopped((signal) => terminal.line(`\n${signal}: stopping all processes`));
  try {
    const staffToken = readFileSync(secretFile(directory, 'staff-token'), 'utf8').trim();
    const story = tellStory(ready, staffToken, createSteps(terminal), { agent });
    const end = await Promise.race([story, ...(interrupted ? [interrupted.then(() => undefined)] : [])]);
    if (!end) return 130;
    showDiff(end, terminal);
    showEnd(
      end,
      { seconds: Math.round((Date.now() - since) / 1000), ready, running: running !== undefined, data },
      terminal,
    );
    return 0;
  } catch (error) {
    terminal.line(`\n${style('red', 'The demo failed:')} ${error instanceof Error ? error.message : String(error)}`);
    terminal.line(`Logs: ${directory}/logs`);
    return 1;
  } finally {
    if (stack) {
      terminal.progress('Stopping what was started');
      await stack.stop();
      terminal.done();
    }
  }
}

function showDiff({ pullRequest, diff }: StoryEnd, { line }: Terminal): void {
  line(`\n${style('bold', `What pull request #${pullRequest} changed`)}\n`);
  for (const text of diff.trimEnd().split('\n')) {
    const format = /^(diff|index|---|\+\+\+) /.test(text)
      ? 'bold'
      : text.startsWith('+')
        ? 'green'
        : text.startsWith('-')
          ? 'red'
          : text.startsWith('@@')
            ? 'cyan'
            : undefined;
    line(`  ${format === undefined ? text : style(format, text)}`);
  }
}

function showEnd(
  { repository, issue, runs }: StoryEnd,
  {
    seconds,
    ready,
    running,
    data,
  }: {
    seconds: number;
    ready: { url: string; githubUrl: string; temporalUi: string };
    running: boolean;
    data: string | undefined;
  },
  { line }: Terminal,
): void {
  const command = (words: string): string => `npx codex-k8s ${words}${data === undefined ? '' : ` --data ${data}`}`;
  line(`
${style('bold', `Done in ${seconds} s.`)} ${running ? 'Look around:' : `Everything is kept. To look around, start it again with: ${style('bold', command('up'))}`}

  The issue          ${ready.githubUrl}/${repository}/issues/${issue}
  The dashboard      ${ready.url}/issues/${repository}/${issue}
  Temporal Web       ${ready.temporalUi}/namespaces/codex-k8s/workflows
  The agent's log    ${command(`runs logs ${runs[0]}`)}
  Replay a run       ${command(`runs replay ${runs[0]}`)}
`);
}
