import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { authorize, type Sender, type Membership } from '../../../src/domain/triggers/senders.ts';

const OLIVIA: Sender = { id: 11, login: 'olivia', type: 'User' };
const KNOWN: Membership = { platformRole: null, projectRole: null, known: true };

describe('who may start a run', () => {
  test.each<[string, Membership, string]>([
    ['the platform owner', { ...KNOWN, platformRole: 'platform_owner' }, 'platform_owner'],
    ['a platform admin', { ...KNOWN, platformRole: 'platform_admin' }, 'platform_admin'],
    [
      'a platform admin who may only read in the project',
      { ...KNOWN, platformRole: 'platform_admin', projectRole: 'read' },
      'platform_admin',
    ],
    ['a project member with admin', { ...KNOWN, projectRole: 'admin' }, 'project_member_admin'],
    ['a project member with read_write', { ...KNOWN, projectRole: 'read_write' }, 'project_member_read_write'],
  ])('%s may', (_who, standing, reason) => {
    expect(authorize(OLIVIA, standing)).toEqual({ permitted: true, reason });
  });

  test.each<[string, Sender, Membership, string, boolean]>([
    ['nobody', { ...OLIVIA, login: '' }, KNOWN, 'sender_login_missing', false],
    [
      'nobody, though an admin',
      { ...OLIVIA, login: '' },
      { ...KNOWN, platformRole: 'platform_admin' },
      'sender_login_missing',
      false,
    ],
    ['a bot', { ...OLIVIA, type: 'Bot' }, KNOWN, 'sender_type_bot_not_permitted', false],
    [
      'a bot that is an admin',
      { ...OLIVIA, type: 'Bot' },
      { ...KNOWN, platformRole: 'platform_admin' },
      'sender_type_bot_not_permitted',
      false,
    ],
    ['an organization', { ...OLIVIA, type: 'Organization' }, KNOWN, 'sender_type_organization_not_permitted', false],
    ['a stranger', OLIVIA, { ...KNOWN, known: false }, 'sender_not_allowed', false],
    ['somebody known who is no member', OLIVIA, KNOWN, 'sender_not_project_member', true],
    ['a member who may read', OLIVIA, { ...KNOWN, projectRole: 'read' }, 'sender_role_read_not_permitted', true],
    ['a member with another role', OLIVIA, { ...KNOWN, projectRole: 'guest' }, 'sender_role_guest_not_permitted', true],
    ['a member without a role', OLIVIA, { ...KNOWN, projectRole: '' }, 'sender_role_not_permitted', true],
  ])('%s may not', (_who, sender, standing, reason, known) => {
    expect(authorize(sender, standing)).toEqual({ permitted: false, reason, known });
  });

  test('nobody else, whoever sends', () => {
    const sender = fc.record({ id: fc.nat(), login: fc.constantFrom('', 'olivia'), type: fc.string() });
    const standing = fc.record({
      platformRole: fc.constantFrom('platform_owner' as const, 'platform_admin' as const, null),
      projectRole: fc.oneof(
        fc.constantFrom('admin', 'read_write', 'read', '', 'Admin', 'READ_WRITE'),
        fc.constant(null),
      ),
      known: fc.boolean(),
    });
    fc.assert(
      fc.property(sender, standing, (who, what) => {
        if (!authorize(who, what).permitted) return;
        expect(who.login).not.toBe('');
        expect(who.type).toBe('User');
        const member = what.known && (what.projectRole === 'admin' || what.projectRole === 'read_write');
        expect(what.platformRole !== null || member).toBe(true);
      }),
    );
  });
});
