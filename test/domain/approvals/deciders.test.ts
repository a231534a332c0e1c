import { describe, expect, it } from 'vitest';
import { mayDecide, mayEnd, type Decider } from '../../../src/domain/approvals/deciders.ts';

const REQUESTER = { id: 7, login: 'olivia' };
const person = (roles: Partial<Decider>): Decider => ({
  id: 8,
  login: 'nadia',
  platformRole: null,
  projectRole: null,
  ...roles,
});

describe('who may decide on a call', () => {
  it.each([
    ['delegated', { projectRole: 'read_write' }, true],
    ['delegated', { projectRole: 'admin' }, true],
    ['delegated', { platformRole: 'platform_admin' }, true],
    ['delegated', { projectRole: 'read' }, false],
    ['delegated', {}, false],
    ['owner', { projectRole: 'read_write' }, false],
    ['owner', { projectRole: 'read' }, false],
    ['owner', { projectRole: 'admin' }, true],
    ['owner', { platformRole: 'platform_admin' }, true],
    ['owner', { platformRole: 'platform_owner' }, true],
    ['owner', {}, false],
    // A policy that needs nobody any more: whoever may start runs.
    ['none', { projectRole: 'read_write' }, true],
    ['none', { projectRole: 'read' }, false],
  ] as const)('%s: %j → %s', (mode, roles, allowed) => {
    const may = mayDecide({ mode, actor: person(roles), requester: REQUESTER, policy: {} });
    expect(may.allowed).toBe(allowed);
  });

  it.each([
    { id: 7, login: 'renamed' },
    { id: null, login: 'Olivia' },
  ])('is never who started the run, by id or by login: %j', (who) => {
    const actor = person({ ...who, platformRole: 'platform_owner' });
    expect(mayDecide({ mode: 'owner', actor, requester: REQUESTER, policy: {} })).toEqual({
      allowed: false,
      reason: expect.stringContaining('requesterMayDecide'),
    });
    const policy = { requesterMayDecide: true };
    expect(mayDecide({ mode: 'owner', actor, requester: REQUESTER, policy })).toEqual({ allowed: true });
  });

  it('is another person for the second approval than for the first', () => {
    const of = { mode: 'owner', requester: REQUESTER, policy: {}, earlier: [{ login: 'Nadia' }] } as const;
    expect(mayDecide({ ...of, actor: person({ projectRole: 'admin' }) }).allowed).toBe(false);
    expect(mayDecide({ ...of, actor: person({ id: 9, login: 'petra', projectRole: 'admin' }) }).allowed).toBe(true);
  });
});

describe('who may answer a question of a tool', () => {
  const call = { id: 'r:1', tool: 't', action: 'call', digest: 'd', summary: '{}', mode: 'owner', reason: '' } as const;
  const asks = { text: 'Which?', options: ['a', 'b'], optionIds: ['a', 'b'], freeText: false };
  it.each([
    [false, { projectRole: 'read_write' }, true],
    [false, { projectRole: 'read' }, false],
    [true, { projectRole: 'read_write' }, false],
    [true, { projectRole: 'admin' }, true],
    [true, { platformRole: 'platform_admin' }, true],
  ] as const)('for owners only: %s, %j → %s', (owner, roles, allowed) => {
    const asked = { ...call, requester: REQUESTER, asks: { ...asks, owner } };
    expect(mayEnd(asked, person(roles), {}).allowed).toBe(allowed);
  });

  it('is also who started the run', () => {
    const asked = { ...call, requester: REQUESTER, asks: { ...asks, owner: false } };
    expect(mayEnd(asked, person({ ...REQUESTER, projectRole: 'read_write' }), {}).allowed).toBe(true);
  });
});
