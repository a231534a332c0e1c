import { afterEach, expect, test, vi } from 'vitest';
import { gitEnvironment } from '../../../src/adapters/git/git-process.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const DIRECTORY = { path: '/nowhere', settingsFile: '/nowhere/settings' };

test('git gets no variable of the server but those that it needs to reach GitHub', () => {
  vi.stubEnv('DATABASE_URL', 'postgres://u:p@db/x');
  vi.stubEnv('GIT_CONFIG_PARAMETERS', "'core.sshCommand=x'");
  vi.stubEnv('https_proxy', 'http://proxy.test');
  vi.stubEnv('NODE_EXTRA_CA_CERTS', undefined);
  const environment = gitEnvironment(DIRECTORY);
  expect(environment).toMatchObject({ https_proxy: 'http://proxy.test', GIT_CONFIG_GLOBAL: '/nowhere/settings' });
  for (const name of ['DATABASE_URL', 'GIT_CONFIG_PARAMETERS', 'GIT_SSL_CAPATH'])
    expect(environment).not.toHaveProperty(name);
});

test('git trusts the authority of a GitHub of one’s own, as the server does, and still those of the system', () => {
  vi.stubEnv('GIT_SSL_CAINFO', undefined);
  vi.stubEnv('NODE_EXTRA_CA_CERTS', '/etc/own-ca.pem');
  expect(gitEnvironment(DIRECTORY)).toMatchObject({
    GIT_SSL_CAINFO: '/etc/own-ca.pem',
    GIT_SSL_CAPATH: '/etc/ssl/certs',
  });
});
