/** `codex-k8s up`: the whole platform on this machine, in the foreground until a signal. */
import { agentEnvironment } from '../app/agent/agent-command.ts';
import { createTerminal, type Terminal } from '../terminal/style.ts';
import type { Stack } from './stack.ts';
import { startStack } from './start.ts';

export interface UpOptions {
  readonly data?: string;
  readonly json?: boolean;
  readonly runtime?: 'local' | 'kubernetes';
  /** The arguments with which Node starts this program; a command comes after them. */
  readonly self: readonly string[];
}

/** Returns the exit code. */
export async function up(options: UpOptions, env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const terminal = createTerminal({ quiet: options.json === true });
  const stack = await startStack({
    data: options.data,
    runtime: options.runtime,
    self: options.self,
    env,
    report: terminal.progress,
    path: agentEnvironment(env)['PATH'] ?? '',
  }).finally(terminal.done);
  if (options.json) process.stdout.write(`${JSON.stringify(stack.ready)}\n`);
  else describe(stack.ready, stack.directory, terminal);
  const code = await stack.untilStopped((signal) => terminal.line(`\n${signal}: stopping all processes`));
  terminal.line('stopped');
  return code;
}

function describe(ready: Stack['ready'], directory: string, { line }: Terminal): void {
  line(`codex-k8s runs.

  Dashboard       ${ready.url}
  GitHub          ${ready.githubUrl}        (an emulator; you are olivia there)
  Temporal Web    ${ready.temporalUi}
  Model           ${ready.model === 'scripted' ? 'scripted; set OPENAI_API_KEY for a real one' : 'the real one, with OPENAI_API_KEY'}
  Data and logs   ${directory}${ready.kubeconfig === undefined ? '' : `\n  Agents          on Kubernetes: KUBECONFIG=${ready.kubeconfig}`}

Try it, in another terminal:

  npx codex-k8s demo                          the main job, step by step, on this stack
  npx codex-k8s repositories add olivia/NAME  bind a repository of the emulator
  npx codex-k8s runs list                     what agents do and did

Ctrl-C stops it; the next start continues where it was.`);
}
