/** Hostile acts where people and GitHub are served. */
import type { Act } from '../agent.ts';

function ask(name: string, method: string, path: (runId: string) => string, body?: unknown): Act {
  return {
    name,
    at: 'people',
    as: 'dev',
    audited: null,
    refused: /^40[13] /,
    attempt: async (agent) => agent.ask(method, path(agent.run.runId), body === undefined ? {} : { body }),
  };
}

export const PEOPLE_ACTS: readonly Act[] = [
  ask('answers its own question', 'POST', (run) => `/api/v1/runs/${run}/answer`, { text: 'Approved.', by: 'octo' }),
  ask('cancels a run as if it were staff', 'POST', (run) => `/api/v1/runs/${run}/cancel`, { by: 'octo' }),
  ask('binds a repository', 'POST', () => '/api/v1/repositories', { fullName: 'stranger/evil' }),
  ask('makes its author a member', 'POST', () => '/api/v1/members', { login: 'stranger', role: 'admin' }),
  ask('gives its project another network', 'POST', () => '/api/v1/projects/demo', { egress: ['0.0.0.0/0'] }),
  ask("reads the platform's metrics", 'GET', () => '/metrics'),
  ask('lists all runs', 'GET', () => '/api/v1/runs'),
  {
    name: 'delivers a webhook that says a person labelled the issue',
    at: 'people',
    as: 'dev',
    audited: null,
    refused: /^401 /,
    attempt: async (agent) =>
      agent.ask('POST', '/api/v1/webhooks/github', {
        body: { action: 'labeled', label: { name: 'run:release' } },
        headers: {
          'x-github-event': 'issues',
          'x-github-delivery': 'made-up',
          'x-hub-signature-256': `sha256=${'0'.repeat(64)}`,
        },
      }),
  },
];
