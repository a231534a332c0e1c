/** `codex-k8s up`: the whole platform on this machine, in the foreground until it is told to stop. */
import { agentEnvironment } from '../app/agent/agent-command.ts';
import { createTerminal, type Terminal } from '../terminal/style.ts';
import type { StartCluster } from './kubernetes.ts';
import { startStack } from './stack.ts';

export interface UpOptions {
  readonly data?: string;
  readonly json?: boolean;
  readonly runtime?: 'local' | 'kubernetes';
  readonly startCluster: StartCluster;
}

/** Returns the exit code. */
export async function up(options: UpOptions, env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const terminal = createTerminal({ quiet: options.json === true });
  const stack = await startStack({
    data: options.data,
    runtime: options.runtime,
    startCluster: options.startCluster,
    env,
    report: terminal.progress,
    path: agentEnvironment(env)['PATH'] ?? '',
  }).finally(terminal.done);
  if (options.json) process.stdout.write(`${JSON.stringify(stack.ready)}\n`);
  else describe(stack.ready, stack.directory, terminal);
  const code = await stack.untilStopped((signal) =>
    terminal.line(`\n${signal}: stopping everything that was started here`),
  );
  terminal.line('stopped');
  return code;
}

function describe(ready: Awaited<ReturnType<typeof startStack>>['ready'], directory: string, { line }: Terminal): void {
  line(`codex-k8s runs.

  Dashboard       ${ready.url}
  GitHub          ${ready.githubUrl}        (a stand-in; you are olivia there)
  Temporal Web    ${ready.temporalUi}
  Model           ${ready['model'] === 'scripted' ? 'scripted; set OPENAI_API_KEY for a real one' : 'the real one, with OPENAI_API_KEY'}
  Data and logs   ${directory}${ready.kubeconfig === undefined ? '' : `\n  Agents          on Kubernetes: KUBECONFIG=${ready.kubeconfig}`}

Try it, in another terminal:

  npx codex-k8s demo                          the main job, step by step, on this stack
  npx codex-k8s repositories add olivia/NAME  bind a repository of the stand-in
  npx codex-k8s runs list                     what agents do and did

Ctrl-C stops everything; started again, it goes on where it was.`);
}
