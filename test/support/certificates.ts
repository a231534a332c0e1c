/** An authority of the tests' own, with the certificates that it has signed. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files in PEM. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority {
  /** The file of its certificate. */
  readonly certificate: string;
  /** Signs a certificate for servers and clients with this name: of 127.0.0.1, and of the name. */
  issue(name: string): CertificateFiles;
  remove(): void;
}

/** The program that makes certificates. */
const OPENSSL = 'openssl';

/** Makes an authority that nobody trusts of himself. */
export function createAuthority(): Authority {
  const directory = mkdtempSync(join(tmpdir(), 'authority-'));
  const openssl = (...args: string[]): void => void execFileSync(OPENSSL, args, { stdio: 'pipe', cwd: directory });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...newKey, '-subj', '/CN=authority', '-days', '2', '-keyout', 'ca.key', '-out', 'ca.crt');
  let count = 0;
  return {
    certificate: join(directory, 'ca.crt'),
    issue(name) {
      const at = `${++count}`;
      writeFileSync(join(directory, `${at}.ext`), `subjectAltName=IP:127.0.0.1,DNS:${name}\n`);
      openssl('req', '-new', ...newKey, '-subj', `/CN=${name}`, '-keyout', `${at}.key`, '-out', `${at}.csr`);
      const signedBy = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-set_serial', `${Date.now()}${at}`];
      openssl(
        'x509',
        '-req',
        '-in',
        `${at}.csr`,
        ...signedBy,
        '-days',
        '2',
        '-extfile',
        `${at}.ext`,
        '-out',
        `${at}.crt`,
      );
      return { certificate: join(directory, `${at}.crt`), key: join(directory, `${at}.key`) };
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** The contents, as Node's TLS takes them. */
export function read({ certificate, key }: CertificateFiles): { cert: string; key: string } {
  return { cert: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
}
